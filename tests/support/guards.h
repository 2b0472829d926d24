// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks of others that are another process: the scripts of tests/witness that stand for guard
// models and clouds.

#include "core/json.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace colophon::test {

struct Guards {
    explicit Guards(const std::string& script = "guard_model.js") {
        process = std::make_unique<Background>(
            std::vector<std::string>{"/usr/bin/env", "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/" + script},
            dir.file("guards"), std::vector<std::string>{"PATH=/usr/bin:/bin"});
        for (int i = 0; i < 200 && process->out().find('\n') == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        const std::string told = process->out();
        REQUIRE(told.starts_with("listening "));
        port = told.substr(10, told.find('\n') - 10);
    }
    // How often it was asked so far.
    std::size_t asked() const {
        const std::string told = process->out();
        return static_cast<std::size_t>(
            std::ranges::count(told, '{') > 0 ? std::ranges::count(told, '\n') - 1 : 0);
    }
    TempDir dir;
    std::unique_ptr<Background> process;
    std::string port;
};

// The section of a configuration that asks it, as a classifier of that shape.
inline std::string guard_check(const Guards& guards, const std::string& name,
                               const std::string& shape, const std::string& more) {
    return "[[webhook]]\nname = \"" + name + "\"\nshape = \"" + shape + "\"\nmodel = \"" + name +
           "\"\nurl = \"http://127.0.0.1:" + guards.port + "/v1\"\n" + more;
}

// "none" where a model answered, otherwise the code of the refusal.
inline std::string code_of_answer(const json::Value& answer) {
    const json::Value* error = answer.find("error");
    return answer.find("choices") != nullptr || error == nullptr ? std::string("none")
                                                                 : error->string_or("code", "");
}

}  // namespace colophon::test
