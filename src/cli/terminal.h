// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the program speaks to a person: language, colours, progress. Colours and progress appear on a
// terminal only, never in a pipe or a file.

#include "label/record.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::cli {

// COLOPHON_LANG, LC_ALL, LC_MESSAGES or LANG, the first that is set; Chinese when it starts with
// zh.
label::Language user_language();

// The text in the user's language.
std::string_view tr(std::string_view english, std::string_view chinese);

// The message of an error or a finding, which is made in English, in the user's language.
std::string in_user_language(std::string_view message);

enum class Colour : std::uint8_t { kNone, kGreen, kYellow, kRed, kDim, kBold };

// Wraps the text in the codes of a colour when `descriptor` is a terminal that shows colours
// (NO_COLOR and TERM=dumb are honoured).
std::string paint(std::string_view text, Colour colour, int descriptor = 1);

// Columns that a text takes on a terminal: Chinese characters take two.
std::size_t display_width(std::string_view text);
std::string pad_right(std::string_view text, std::size_t columns);

// A text from a file, safe to print: control characters, which could move the cursor or change
// colours, become U+FFFD.
std::string printable(std::string_view text);

// Writes a whole text to a descriptor. False when the other side is gone.
bool write_text(int descriptor, std::string_view text);

// One line that is drawn over and over on standard error while files are worked through.
class Progress {
public:
    // Shows nothing for fewer than two files, in a pipe, or when `wanted` is false.
    Progress(std::size_t total, bool wanted);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void done(std::size_t count, std::string_view current);
    void clear();  // before something else is printed

private:
    std::size_t total_;
    bool shown_;
    std::chrono::steady_clock::time_point last_;
};

// The same for one file that takes long: how much of it is done.
class FileProgress {
public:
    explicit FileProgress(bool wanted);

    void share(double done);  // 0 .. 1
    void clear();

private:
    bool shown_;
    bool drawn_ = false;
};

}  // namespace colophon::cli
