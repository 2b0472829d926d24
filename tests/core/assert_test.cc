// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

namespace colophon {
namespace {

// Runs `act` in a child and says which signal ended it; 0 when none did.
int signal_of(const std::function<void()>& act) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // The test runner's handler and output belong to the parent.
        (void)std::signal(SIGABRT, SIG_DFL);
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        act();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST_CASE("our own mistakes end the process in every build") {
    CHECK(signal_of([] { COLOPHON_ASSERT(1 + 1 == 2); }) == 0);
    CHECK(signal_of([] { COLOPHON_ASSERT(1 + 1 == 3); }) == SIGABRT);
    CHECK(signal_of([] {
              const Result<int> bad = Error{ErrorCode::kLimit, "x"};
              (void)bad.value();
          }) == SIGABRT);
    CHECK(signal_of([] {
              const Result<int> good = 1;
              (void)good.error();
          }) == SIGABRT);
    CHECK(signal_of([] { (void)load_be32(Buffer(3)); }) == SIGABRT);
    CHECK(signal_of([] {
              Buffer out;
              append_be24(out, 1U << 24U);
          }) == SIGABRT);
    CHECK(signal_of([] {
              Buffer out(6);
              store_le32(out, 3, 1);
          }) == SIGABRT);
    CHECK(signal_of([] {
              Splice splice;
              splice.copy(1, 3);
              (void)apply_splice(Buffer(3), splice);
          }) == SIGABRT);
}

}  // namespace
}  // namespace colophon
