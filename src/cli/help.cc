// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include "cli/terminal.h"

#include <CLI/CLI.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

class HelpFormatter : public CLI::Formatter {
public:
    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        return line(make_option_name(option, is_positional) + make_option_opts(option),
                    make_option_desc(option));
    }
    std::string make_subcommand(const CLI::App* verb) const override {
        return line(verb->get_display_name(true), verb->get_description());
    }

private:
    // The library counts bytes, we count columns.
    std::string line(const std::string& name, const std::string& description) const {
        const std::string start = "  " + name;
        const bool fits = display_width(start) + 2 <= get_column_width();
        return (fits ? pad_right(start, get_column_width())
                     : start + "\n" + std::string(get_column_width(), ' ')) +
               description + "\n";
    }
};

struct Word {
    std::string_view english;  // as the library knows it
    std::string_view chinese;
};

constexpr std::array kWords{
    Word{"Usage", "用法"},        Word{"OPTIONS", "选项"},      Word{"Positionals", "参数"},
    Word{"SUBCOMMAND", "子命令"}, Word{"REQUIRED", "（必填）"}, Word{"TEXT", "文本"},
    Word{"UINT", "整数"},
};

std::string options_name() {
    return std::string(tr("Options", "选项"));
}

}  // namespace

void set_help_layout(CLI::App& app) {
    auto formatter = std::make_shared<HelpFormatter>();
    for (const Word& word : kWords) {
        formatter->label(std::string(word.english), std::string(tr(word.english, word.chinese)));
    }
    app.formatter(formatter);
    app.get_help_ptr()->group(options_name());
    app.option_defaults()->group(options_name());
}

void name_verbs(CLI::App& app) {
    for (CLI::App* verb : app.get_subcommands({})) {
        verb->group(std::string(tr("Subcommands", "子命令")));
        verb->get_help_ptr()->group(options_name());
    }
}

}  // namespace colophon::cli
