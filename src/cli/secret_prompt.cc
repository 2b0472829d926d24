// SPDX-License-Identifier: Apache-2.0
#include "cli/secret_prompt.h"

#include "cli/terminal.h"
#include "core/result.h"
#include "storage/secret_source.h"

#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::size_t kLineBytesMax = 1024;

// A terminal that does not show what is typed, as long as this lives.
class Unseen {
public:
    Unseen() : on_(tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (on_) {
            termios quiet = before_;
            quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        }
    }
    ~Unseen() {
        if (on_) {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
            write_text(2, "\n");
        }
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    Unseen(Unseen&&) = delete;
    Unseen& operator=(Unseen&&) = delete;

private:
    termios before_{};
    bool on_;
};

Result<storage::SecretText> read_line(std::string_view prompt) {
    if (isatty(STDIN_FILENO) != 0) {
        write_text(2, prompt);
    }
    const Unseen unseen;
    std::string line;
    line.reserve(kLineBytesMax);
    for (char c = 0; line.size() < kLineBytesMax;) {
        const ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || c == '\n') {
            break;
        }
        line.push_back(c);
    }
    storage::SecretText text(std::move(line));
    if (text.text().empty()) {
        return Error{ErrorCode::kInvalidArgument, "no password was given"};
    }
    return text;
}

}  // namespace

Result<storage::SecretText> read_password(const std::string& source) {
    if (source != "prompt") {
        return storage::read_secret(source, storage::SecretFile::kAny);
    }
    storage::SecretText first = TRY(read_line(tr("Password: ", "密码：")));
    if (isatty(STDIN_FILENO) != 0) {
        const storage::SecretText again = TRY(read_line(tr("The same again: ", "再次输入密码：")));
        if (again.text() != first.text()) {
            return Error{ErrorCode::kInvalidArgument, "the two passwords are not the same"};
        }
    }
    return first;
}

}  // namespace colophon::cli
