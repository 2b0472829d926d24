// SPDX-License-Identifier: Apache-2.0
#include "messages/messages.h"

#include "core/catalogue.h"

#include <array>
#include <string>
#include <string_view>

namespace colophon::messages {
namespace {

// The lines of zh.tsv, written out by cmake/EmbedLines.cmake.
constexpr auto kRows = std::to_array<std::string_view>({
#include "messages/zh.inc"
});

}  // namespace

const Catalogue& chinese() {
    // A row that is wrong ends the program at the first message; the tests read the whole table.
    static const Catalogue kTable = Catalogue::create(kRows).value();
    return kTable;
}

std::string in_chinese(std::string_view message) {
    return chinese().translate(message);
}

}  // namespace colophon::messages
