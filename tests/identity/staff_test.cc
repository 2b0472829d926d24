// SPDX-License-Identifier: Apache-2.0
#include "identity/staff.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "identity/identity_fixture.h"
#include "identity/password.h"
#include "identity/totp.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;
using storage::code_of;
using storage::Engine;
using storage::good;

Buffer from_base32(std::string_view text) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    Buffer out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char c : text) {
        held = (held << 5U) | static_cast<std::uint32_t>(kAlphabet.find(c));
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(held >> bits));
        }
    }
    return out;
}

struct Office : Fixture {
    std::unique_ptr<PasswordHasher> hasher = good(PasswordHasher::create());
    Staff staff;
    StaffSecrets wang;

    explicit Office(Engine engine = Engine::kSqlite)
        : Fixture(engine),
          staff({.store = *database,
                 .hasher = *hasher,
                 .sealer = sealer,
                 .clock = clock,
                 .random = random},
                as_bytes("throttle key")),
          wang(good(staff.create("wang.fang", static_cast<std::uint32_t>(Role::kReviewer)))) {}

    std::string code() { return totp_code(from_base32(wang.totp_secret), totp_step(clock.now())); }
    Result<std::string> sign_in(std::string_view second, std::string_view address = "192.0.2.1") {
        return staff.sign_in({.name = "wang.fang",
                              .password = wang.password,
                              .second = std::string(second),
                              .address = std::string(address)});
    }
    Result<std::string> guess(std::string_view address = "192.0.2.66") {
        return staff.sign_in({.name = "wang.fang",
                              .password = "wrong",
                              .second = "000000",
                              .address = std::string(address)});
    }
};

void signs_in(Engine engine) {
    Office office(engine);
    const std::string token = good(office.sign_in(office.code()));
    const StaffSession session = good(office.staff.session(token));
    CHECK(session.name == "wang.fang");
    CHECK(has_role(session.roles, Role::kReviewer));
    CHECK(session.must_change);
    good(office.staff.change_password(token, office.wang.password, "correct horse battery"));
    CHECK_FALSE(good(office.staff.session(token)).must_change);
    good(office.staff.sign_out(token));
    CHECK(code_of(office.staff.session(token)) == ErrorCode::kDenied);
}

TEST_CASE("staff sign in with password and authenticator, and change their first password") {
    SUBCASE("SQLite") {
        signs_in(Engine::kSqlite);
    }
    SUBCASE("PostgreSQL") {
        signs_in(Engine::kPostgres);
    }
}

TEST_CASE("a code of the authenticator and a recovery code are good once") {
    Office office;
    const std::string code = office.code();
    CHECK(office.sign_in(code).ok());
    CHECK(code_of(office.sign_in(code)) == ErrorCode::kDenied);
    CHECK(office.sign_in(office.wang.recovery_codes.at(3)).ok());
    CHECK(code_of(office.sign_in(office.wang.recovery_codes.at(3))) == ErrorCode::kDenied);
    CHECK(office.sign_in(office.wang.recovery_codes.at(4)).ok());
}

TEST_CASE("a wrong password does not use up the second factor") {
    Office office;
    const std::string code = office.code();
    CHECK_FALSE(
        office.staff
            .sign_in(
                {.name = "wang.fang", .password = "wrong", .second = code, .address = "192.0.2.1"})
            .ok());
    CHECK(office.sign_in(code).ok());
}

TEST_CASE("whatever is wrong, the answer is the same") {
    Office office;
    const std::string what = office.guess("192.0.2.2").error().what;
    CHECK(office.sign_in("000000", "192.0.2.3").error().what == what);
    CHECK(office.staff
              .sign_in(
                  {.name = "nobody", .password = "x", .second = "000000", .address = "192.0.2.4"})
              .error()
              .what == what);
    good(office.staff.set_disabled(office.wang.id, true));
    CHECK(office.sign_in(office.code(), "192.0.2.5").error().what == what);
}

TEST_CASE("who guesses waits longer and longer, and the owner elsewhere does not") {
    Office office;
    for (int i = 0; i < 4; ++i) {
        CHECK(code_of(office.guess()) == ErrorCode::kDenied);
    }
    CHECK(code_of(office.guess()) == ErrorCode::kLimit);
    CHECK(code_of(office.sign_in(office.code(), "192.0.2.66")) == ErrorCode::kLimit);
    CHECK(office.sign_in(office.code(), "192.0.2.1").ok());
    office.clock.advance(1s);
    CHECK(code_of(office.guess()) == ErrorCode::kDenied);
    office.clock.advance(1s);
    CHECK(code_of(office.guess()) == ErrorCode::kLimit);
    office.clock.advance(1s);
    CHECK(code_of(office.guess()) == ErrorCode::kDenied);
}

TEST_CASE("one address that tries many accounts waits too") {
    Office office;
    for (int i = 0; i < 31; ++i) {
        CHECK(code_of(office.staff.sign_in({.name = "name" + std::to_string(i),
                                            .password = "x",
                                            .second = "",
                                            .address = "192.0.2.9"})) == ErrorCode::kDenied);
    }
    CHECK(code_of(office.sign_in(office.code(), "192.0.2.9")) == ErrorCode::kLimit);
    CHECK(office.sign_in(office.code(), "192.0.2.8").ok());
}

TEST_CASE("sessions end when idle, in any case, and when their owner changes") {
    Office office;
    std::string token = good(office.sign_in(office.code()));
    office.clock.advance(30min - 1ms);
    CHECK(office.staff.session(token).ok());
    office.clock.advance(30min);
    CHECK_FALSE(office.staff.session(token).ok());
    token = good(office.sign_in(office.code()));
    for (int i = 0; i < 35; ++i) {
        office.clock.advance(20min);
        CHECK(office.staff.session(token).ok());
    }
    office.clock.advance(20min);
    CHECK_FALSE(office.staff.session(token).ok());

    for (int change = 0; change < 3; ++change) {
        office.clock.advance(1min);
        token = good(office.sign_in(office.code()));
        const std::string other =
            good(office.sign_in(office.wang.recovery_codes.at(static_cast<std::size_t>(change))));
        if (change == 0) {
            good(office.staff.change_password(token, office.wang.password, "correct horse staple"));
            office.wang.password = "correct horse staple";
            CHECK(office.staff.session(token).ok());
        } else if (change == 1) {
            good(office.staff.set_roles(office.wang.id, 3));
            CHECK_FALSE(office.staff.session(token).ok());
        } else {
            office.wang = good(office.staff.reset(office.wang.id));
            CHECK_FALSE(office.staff.session(token).ok());
        }
        CHECK_FALSE(office.staff.session(other).ok());
    }
    office.clock.advance(1min);
    CHECK(office.sign_in(office.code()).ok());
}

TEST_CASE("a password is changed with the old one, to a good one, within a session") {
    Office office;
    const std::string token = good(office.sign_in(office.code()));
    CHECK(code_of(office.staff.change_password(token, "wrong", "correct horse staple")) ==
          ErrorCode::kDenied);
    CHECK(code_of(office.staff.change_password(token, office.wang.password, "short")) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.change_password(
              token, office.wang.password, office.wang.password)) == ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.change_password(std::string(64, '0'), office.wang.password,
                                               "correct horse staple")) == ErrorCode::kDenied);
}

TEST_CASE("roles have their names, and an inspector is nothing else") {
    CHECK(format_roles(good(parse_roles("admin,reviewer"))) == "reviewer,admin");
    CHECK(good(parse_roles("inspector")) == static_cast<std::uint32_t>(Role::kInspector));
    for (const std::string_view bad :
         {"", "inspector,reviewer", "root", "admin,", ",admin", "Admin", "all"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_roles(bad).ok());
    }
    Office office;
    CHECK(code_of(office.staff.create("x", 1)) == ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.create("Wang", 1)) == ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.create("li.na", 0)) == ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.create("li.na", 0x30)) == ErrorCode::kInvalidArgument);
    CHECK(code_of(office.staff.create("wang.fang", 1)) == ErrorCode::kConflict);
    CHECK(code_of(office.staff.find("li.na")) == ErrorCode::kNotFound);
    CHECK(good(office.staff.list()).size() == 1);
}

TEST_CASE("the database holds no password, code, secret or token") {
    Office office;
    const std::string token = good(office.sign_in(office.code()));
    const std::filesystem::path folder =
        std::filesystem::path(office.database.address()).parent_path();
    std::string everything;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            everything += as_text(test::read_file(entry.path()));
        }
    }
    const Buffer secret = from_base32(office.wang.totp_secret);
    CHECK(everything.find("wang.fang") != std::string::npos);
    CHECK(everything.find(office.wang.password) == std::string::npos);
    CHECK(everything.find(office.wang.totp_secret) == std::string::npos);
    CHECK(everything.find(as_text(secret)) == std::string::npos);
    CHECK(everything.find(office.wang.recovery_codes[0]) == std::string::npos);
    CHECK(everything.find(token) == std::string::npos);
    CHECK(everything.find("192.0.2.1") == std::string::npos);
}

}  // namespace
}  // namespace colophon::identity
