// SPDX-License-Identifier: Apache-2.0
#pragma once

// The management API of a running service, called as a program or as somebody of the staff.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "identity/totp.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::test {

inline Buffer from_base32(std::string_view text) {
    Buffer bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(c);
        REQUIRE(value != std::string_view::npos);
        bits = (bits << 5U) | static_cast<std::uint32_t>(value);
        count += 5;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count)));
        }
    }
    return bytes;
}

struct Reply {
    int status = 0;
    json::Value body;
};

struct Api {
    explicit Api(const RunningService& of) : service(of) {}

    Reply call(const std::string& method, const std::string& path, const std::string& bearer,
               const std::string& body = "") const {
        std::vector<std::string> command{"curl", "-sS",  "-m", "30",
                                         "-X",   method, "-w", "\n%{http_code}"};
        if (!bearer.empty()) {
            command.insert(command.end(), {"-H", "Authorization: Bearer " + bearer});
        }
        if (!body.empty()) {
            command.insert(command.end(), {"-d", body});
        }
        command.push_back(service.url(path));
        const std::string out = run_tool(command).out;
        const std::size_t line = out.rfind('\n');
        REQUIRE(line != std::string::npos);
        Reply reply;
        reply.status = std::stoi(out.substr(line + 1));
        if (auto parsed = json::parse(out.substr(0, line), {.bytes_max = 128U << 20U});
            parsed.ok()) {
            reply.body = std::move(*parsed);
        }
        return reply;
    }
    json::Value good(const std::string& method, const std::string& path, const std::string& bearer,
                     const std::string& body = "") const {
        Reply reply = call(method, path, bearer, body);
        REQUIRE_MESSAGE((reply.status == 200 || reply.status == 201),
                        path << " " << reply.status << " " << json::write(reply.body));
        return std::move(reply.body);
    }

    // A session of a new account. With `fresh` its password is the one that must be changed.
    std::string session(const std::string& name, const std::string& roles,
                        bool fresh = false) const {
        constexpr const char* kPassword = "evening rain over nine bridges";
        write_file(service.dir.file("password"), as_bytes(kPassword));
        std::vector<std::string> command{"admin",   "user", "create", name,
                                         "--roles", roles,  "--json"};
        if (!fresh) {
            command.insert(command.end(), {"--password", "file:" + service.dir.file("password")});
        }
        const auto made = json::parse(service.ok(command));
        REQUIRE(made.ok());
        return sign_in(name, fresh ? made->string_or("password", "") : kPassword,
                       made->string_or("totp_secret", ""));
    }
    std::string sign_in(const std::string& name, const std::string& password,
                        const std::string& secret) const {
        SystemClock clock;
        const std::string code =
            identity::totp_code(from_base32(secret), identity::totp_step(clock.now()));
        const json::Object attempt{{"name", name}, {"password", password}, {"second", code}};
        return good("POST", "/api/session", "", json::write(attempt)).string_or("token", "");
    }

    const RunningService& service;
};

}  // namespace colophon::test
