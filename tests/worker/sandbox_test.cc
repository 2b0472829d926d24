// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <thread>

namespace colophon::worker {
namespace {

constexpr int kCannotLock = 99;

// Runs `attempt` in a child that has locked itself; returns its exit code, or 128 + the signal.
int inside(const std::function<int()>& attempt) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (!lock_process({}).ok()) {
            _exit(kCannotLock);
        }
        _exit(attempt());
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_CASE("a locked process computes, allocates and starts threads") {
    CHECK(inside([] {
              int sum = 0;
              std::thread other([&] { sum = 42; });
              other.join();
              auto* block = new int[1U << 20U];
              block[sum] = sum;
              const int result = block[42];
              delete[] block;
              return result;
          }) == 42);
}

TEST_CASE("a locked process opens no file, for reading or writing") {
    CHECK(inside([] { return open("/etc/hostname", O_RDONLY) < 0 ? errno : 0; }) == EPERM);
    CHECK(inside([] { return open("/dev/null", O_WRONLY) < 0 ? errno : 0; }) == EPERM);
    CHECK(inside([] { return unlink("/nonexistent") < 0 ? errno : 0; }) == EPERM);
}

TEST_CASE("a locked process has no network") {
    CHECK(inside([] { return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0; }) == EPERM);
    CHECK(inside([] { return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0; }) == EPERM);
}

TEST_CASE("a locked process starts no program and no other process") {
    CHECK(inside([] {
              char name[] = "/bin/true";
              char* argv[] = {name, nullptr};
              char* envp[] = {nullptr};
              execve(name, argv, envp);
              return 0;
          }) == 128 + SIGSYS);
    CHECK(inside([] { return fork() < 0 ? errno : 0; }) == EPERM);
    CHECK(inside([] { return kill(getppid(), 0) == 0 ? 1 : errno; }) == 128 + SIGSYS);
}

TEST_CASE("a locked process makes no memory executable") {
    CHECK(inside([] {
              void* page =
                  mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (page == MAP_FAILED) {
                  return 1;
              }
              return mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
          }) == EPERM);
}

TEST_CASE("a locked process has the memory it was given and not more") {
    const int code = inside([] {
        constexpr std::size_t kTooMuch = 8ULL << 30U;
        void* block =
            mmap(nullptr, kTooMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return block == MAP_FAILED ? errno : 0;
    });
    CHECK(code == ENOMEM);
}

}  // namespace
}  // namespace colophon::worker
