// SPDX-License-Identifier: Apache-2.0
#pragma once

// A service with two leads who are signed in, li.wei and wang.fang, and a folder "benign" of
// contents that trials are made against. Who derives from it calls start().

#include "core/bytes.h"
#include "core/json.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace colophon::test {

struct TwoLeads : RunningService {
    explicit TwoLeads(const std::string& more = {}, std::vector<std::string> own = {})
        : RunningService(more, std::move(own)) {
        std::filesystem::create_directory(dir.file("benign"));
        write_file(dir.file("password"), as_bytes("Correct-Horse-7-Battery\n"));
        for (const std::string name : {"li.wei", "wang.fang"}) {
            const json::Value made =
                object_of(ok({"admin", "user", "create", name, "--roles", "lead", "--password",
                              "file:" + dir.file("password"), "--json"}));
            write_file(dir.file("code"),
                       as_bytes(*made.find("recovery_codes")->if_array()->front().if_string()));
            write_file(dir.file(name), as_bytes(ok({"admin", "user", "sign-in", name, "--password",
                                                    "file:" + dir.file("password"), "--code",
                                                    "file:" + dir.file("code")})));
        }
    }
    // colophon library ...
    void as(const std::string& who, std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "library");
        arguments.insert(arguments.end(), {"--session", "file:" + dir.file(who)});
        ok(arguments);
    }
    void put_in_force(const std::string& id, std::vector<std::string> entry) const {
        entry.insert(entry.begin(), {"propose", id, "--category", "A1d", "--reason", "a test"});
        as("li.wei", entry);
        as("li.wei", {"trial", id, "--benign", "benign"});
        as("wang.fang", {"approve", id});
    }
};

}  // namespace colophon::test
