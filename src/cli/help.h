// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pages of --help in the user's language: the words around the descriptions, and columns that
// stay straight beside Chinese characters, which take two columns of a terminal.

// NOLINTBEGIN(readability-identifier-naming): the library names its namespace so.
namespace CLI {
class App;
}
// NOLINTEND(readability-identifier-naming)

namespace colophon::cli {

// Before any option or verb is added; the verbs inherit it.
void set_help_layout(CLI::App& app);
// When all verbs are there: what the library does not let them inherit.
void name_verbs(CLI::App& app);

}  // namespace colophon::cli
