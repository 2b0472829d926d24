// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "core/utf8.h"
#include "label/record.h"
#include "messages/messages.h"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{80};
constexpr std::size_t kBarColumns = 24;
constexpr std::size_t kNameColumns = 36;

bool has_colours(int descriptor) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return isatty(descriptor) == 1 && (no_color == nullptr || *no_color == '\0') &&
           term != nullptr && std::string_view(term) != "dumb";
}

std::string_view code(Colour colour) {
    switch (colour) {
        case Colour::kGreen:
            return "\x1b[32m";
        case Colour::kYellow:
            return "\x1b[33m";
        case Colour::kRed:
            return "\x1b[31m";
        case Colour::kDim:
            return "\x1b[2m";
        case Colour::kBold:
            return "\x1b[1m";
        case Colour::kNone:
            break;
    }
    return "";
}

// The blocks in which terminals give a character two columns (Unicode East Asian Width W and F).
bool is_wide(char32_t c) {
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
           (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
           (c >= 0x20000 && c <= 0x3FFFD);
}

}  // namespace

label::Language user_language() {
    for (const char* name : {"COLOPHON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            return std::string_view(value).starts_with("zh") ? label::Language::kZh
                                                             : label::Language::kEn;
        }
    }
    return label::Language::kEn;
}

std::string_view tr(std::string_view english, std::string_view chinese) {
    return user_language() == label::Language::kZh ? chinese : english;
}

std::string in_user_language(std::string_view message) {
    return user_language() == label::Language::kZh ? messages::in_chinese(message)
                                                   : std::string(message);
}

std::string paint(std::string_view text, Colour colour, int descriptor) {
    if (colour == Colour::kNone || !has_colours(descriptor)) {
        return std::string(text);
    }
    return fmt::format("{}{}\x1b[0m", code(colour), text);
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto c = next_code_point(text, at);
        if (!c) {
            ++at;
        }
        columns += c && is_wide(*c) ? 2U : 1U;
    }
    return columns;
}

std::string pad_right(std::string_view text, std::size_t columns) {
    std::string out(text);
    const std::size_t width = display_width(text);
    if (width < columns) {
        out.append(columns - width, ' ');
    }
    return out;
}

std::string printable(std::string_view text) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto c = next_code_point(text, at);
        if (!c) {
            ++at;
        }
        // C0, DEL, C1 and the characters that turn the direction of what follows.
        const bool control = !c || *c < 0x20 || (*c >= 0x7F && *c < 0xA0) ||
                             (*c >= 0x202A && *c <= 0x202E) || (*c >= 0x2066 && *c <= 0x2069);
        append_utf8(out, control ? U'\uFFFD' : *c);
    }
    return out;
}

bool write_text(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = write(descriptor, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

namespace {

std::string bar_of(std::size_t full) {
    std::string bar;
    for (std::size_t i = 0; i < kBarColumns; ++i) {
        bar += i < full ? "█" : "░";
    }
    return bar;
}

}  // namespace

Progress::Progress(std::size_t total, bool wanted)
    : total_(total), shown_(wanted && total > 1 && isatty(2) == 1) {}

Progress::~Progress() {
    clear();
}

void Progress::done(std::size_t count, std::string_view current) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || (now - last_ < kProgressEvery && count < total_)) {
        return;
    }
    last_ = now;
    const std::size_t full = kBarColumns * count / total_;
    const std::string bar = bar_of(full);
    std::string name = printable(current);
    if (name.size() > kNameColumns) {
        name = "…" + name.substr(name.size() - kNameColumns);
    }
    write_text(2, fmt::format("\r\x1b[K{} {}/{} {}", bar, count, total_, name));
}

void Progress::clear() {
    if (shown_) {
        write_text(2, "\r\x1b[K");
    }
}

FileProgress::FileProgress(bool wanted) : shown_(wanted && isatty(2) == 1) {}

void FileProgress::share(double done) {
    if (shown_) {
        drawn_ = true;
        const auto full = static_cast<std::size_t>(done * static_cast<double>(kBarColumns));
        write_text(2, fmt::format("\r\x1b[K{} {:.0f} %", bar_of(full), 100 * done));
    }
}

void FileProgress::clear() {
    if (drawn_) {
        write_text(2, "\r\x1b[K");
        drawn_ = false;
    }
}

}  // namespace colophon::cli
