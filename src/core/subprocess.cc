// SPDX-License-Identifier: Apache-2.0
#include "core/subprocess.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace colophon {
namespace {

using std::chrono::steady_clock;

// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        close();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const noexcept { return fd_; }
    void close() noexcept {
        if (fd_ >= 0) {
            ::close(fd_);
            fd_ = -1;
        }
    }

private:
    int fd_;
};

struct Pipe {
    Descriptor read;
    Descriptor write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("no pipe to another program: {}", std::strerror(errno))};
    }
    return Pipe{.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

// The child is ended and waited for whatever happens.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    ~Child() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child(Child&&) = delete;
    Child& operator=(Child&&) = delete;

    // Whether it ended by then, which leaves how in `status`. One that has closed its output ends
    // within a moment as a rule.
    bool ended(steady_clock::time_point deadline, int& status) {
        for (;;) {
            const pid_t found = waitpid(pid_, &status, WNOHANG);
            if (found == pid_) {
                pid_ = -1;
                return true;
            }
            if (steady_clock::now() >= deadline) {
                return false;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

private:
    pid_t pid_;
};

// In this thread: a pipe without a reader is an error of write(), not the end of us.
class NoPipeSignal {
public:
    NoPipeSignal() {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~NoPipeSignal() {
        const timespec now{};
        if (!was_pending_) {
            while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    NoPipeSignal(const NoPipeSignal&) = delete;
    NoPipeSignal& operator=(const NoPipeSignal&) = delete;
    NoPipeSignal(NoPipeSignal&&) = delete;
    NoPipeSignal& operator=(NoPipeSignal&&) = delete;

private:
    sigset_t pipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

// What goes on with a running program.
struct Talk {
    std::string name;
    Bytes input;  // that is left
    Descriptor to;
    Descriptor from;
    Buffer output;
    steady_clock::time_point deadline;
    std::size_t output_bytes_max;
};

void write_some(Talk& talk) {
    const ssize_t written = write(talk.to.get(), talk.input.data(), talk.input.size());
    if (written > 0) {
        talk.input = talk.input.subspan(static_cast<std::size_t>(written));
    }
    const bool wait = written < 0 && (errno == EAGAIN || errno == EINTR);
    if (talk.input.empty() || (written < 0 && !wait)) {
        talk.to.close();
    }
}

Result<void> read_some(Talk& talk) {
    std::array<std::uint8_t, 65536> block{};
    const ssize_t size = read(talk.from.get(), block.data(), block.size());
    if (size < 0) {
        return errno == EINTR ? Result<void>()
                              : Error{ErrorCode::kUnavailable,
                                      fmt::format("cannot read from the program {}: {}", talk.name,
                                                  std::strerror(errno))};
    }
    if (size == 0) {
        talk.from.close();
        return {};
    }
    append(talk.output, Bytes(block).first(static_cast<std::size_t>(size)));
    if (talk.output.size() > talk.output_bytes_max) {
        return Error{ErrorCode::kLimit, fmt::format("the program {} prints more than {} bytes",
                                                    talk.name, talk.output_bytes_max)};
    }
    return {};
}

Error too_long(const std::string& name) {
    return {ErrorCode::kLimit, fmt::format("the program {} took too long", name)};
}

// Until it closes its output.
Result<void> talk_with(Talk& talk) {
    if (talk.input.empty()) {
        talk.to.close();
    }
    while (talk.from.get() >= 0) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            talk.deadline - steady_clock::now());
        if (left.count() <= 0) {
            return too_long(talk.name);
        }
        // poll() passes over a descriptor of -1.
        std::array<pollfd, 2> wait{{{.fd = talk.to.get(), .events = POLLOUT, .revents = 0},
                                    {.fd = talk.from.get(), .events = POLLIN, .revents = 0}}};
        constexpr std::int64_t kStepMax = 1000;
        if (poll(wait.data(), wait.size(),
                 static_cast<int>(std::min<std::int64_t>(left.count(), kStepMax))) <= 0) {
            continue;  // the time is looked at again, also when a signal came
        }
        if (wait[0].revents != 0) {
            write_some(talk);
        }
        if (wait[1].revents != 0) {
            TRY(read_some(talk));
        }
    }
    return {};
}

// What posix_spawn wants: pointers into these words, and a null one behind them.
void add_pointers(std::vector<std::string>& words, std::vector<char*>& to) {
    for (std::string& word : words) {
        to.push_back(word.data());
    }
    to.push_back(nullptr);
}

Result<pid_t> spawn(std::vector<std::string>& words, std::vector<std::string> variables, int in,
                    int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    // Not our blocked signals, and SIGPIPE as programs expect it.
    sigset_t none;
    sigset_t pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    std::vector<char*> arguments;
    add_pointers(words, arguments);
    std::vector<char*> environment;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
        environment.push_back(*each);
    }
    add_pointers(variables, environment);
    pid_t pid = -1;
    const int failure = posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(),
                                     environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        return Error{ErrorCode::kNotFound, fmt::format("the program {} does not start: {}",
                                                       words[0], std::strerror(failure))};
    }
    return pid;
}

}  // namespace

Result<Buffer> run_program(std::vector<std::string> words, Bytes input,
                           const ProgramLimits& limits) {
    COLOPHON_ASSERT(!words.empty());
    Pipe in = TRY(make_pipe());
    Pipe out = TRY(make_pipe());
    // The program may leave its input unread while it prints.
    fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
    const pid_t pid = TRY(spawn(words, limits.variables, in.read.get(), out.write.get()));
    Child child(pid);
    in.read.close();
    out.write.close();
    Talk talk{.name = words[0],
              .input = input,
              .to = std::move(in.write),
              .from = std::move(out.read),
              .output = {},
              .deadline = steady_clock::now() + limits.time,
              .output_bytes_max = limits.output_bytes};
    {
        const NoPipeSignal guard;
        TRY(talk_with(talk));
    }
    int status = 0;
    if (!child.ended(talk.deadline, status)) {
        return too_long(talk.name);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error{ErrorCode::kUnavailable,
                     WIFEXITED(status) ? fmt::format("the program {} ended with {}", talk.name,
                                                     WEXITSTATUS(status))
                                       : fmt::format("the program {} was ended by signal {}",
                                                     talk.name, WTERMSIG(status))};
    }
    return std::move(talk.output);
}

}  // namespace colophon
