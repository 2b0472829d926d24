// SPDX-License-Identifier: Apache-2.0
// colophon library list, approve, refuse, retire, keep, figures: the feature library of the store
// and the life of its entries [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/installation.h"
#include "cli/library_verbs.h"
#include "cli/review_files.h"
#include "cli/serve_config.h"
#include "cli/staff_session.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "console/library_forms.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "identity/staff.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/taxonomy.h"
#include "review/test_banks.h"
#include "review/video_list.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::cli {
namespace {

struct ListArguments : LibraryArguments {
    std::string state;
    std::string category;
    bool due = false;
};

std::uint32_t bit(identity::Role role) {
    return static_cast<std::uint32_t>(role);
}

std::string_view shown_state(review::EntryState state) {
    switch (state) {
        case review::EntryState::kProposed:
            return tr("proposed", "待批准");
        case review::EntryState::kLive:
            return tr("live", "生效");
        case review::EntryState::kRetired:
            return tr("retired", "已停用");
        case review::EntryState::kRefused:
            return tr("refused", "已否决");
        case review::EntryState::kReplaced:
            return tr("replaced", "已被替换");
    }
    return {};
}

// What the entry looks for, as the list shows it.
std::string looks_for(const review::AnyEntry& entry) {
    if (const auto* text = std::get_if<review::Entry>(&entry)) {
        if (text->kind == review::EntryKind::kNear) {
            return fmt::format("near {} B", text->phrase.size());
        }
        const std::string wanted = printable(text->phrase);
        return text->kind == review::EntryKind::kPhrase
                   ? wanted
                   : fmt::format("{} {}", review::kind_name(text->kind), wanted);
    }
    if (const auto* sound = std::get_if<review::SoundEntry>(&entry)) {
        return fmt::format("chromaprint {:.1f} s",
                           fingerprint::seconds_of_items(sound->print.items.size()));
    }
    if (const auto* video = std::get_if<review::VideoEntry>(&entry)) {
        return fmt::format("video {} {}", video->print.frames.size(), tr("pictures", "帧"));
    }
    return "pdq " + fingerprint::to_hex(std::get<review::PictureEntry>(entry).hash).substr(0, 16);
}

std::string trial_text(const review::LibraryEntry& entry) {
    return entry.trialled ? fmt::format("{}/{}", entry.trial.benign_hits, entry.trial.benign) : "-";
}

void report_entries(const LibraryArguments& arguments,
                    const std::vector<review::LibraryEntry>& entries) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const review::LibraryEntry& each : entries) {
        objects.push_back(console::entry_form(each));
        rows.push_back({printable(review::entry_id(each.entry)), fmt::format("{}", each.revision),
                        std::string(shown_state(each.state)),
                        printable(review::entry_category(each.entry)), trial_text(each),
                        fmt::format("{}", each.hits), printable(each.proposed_by),
                        looks_for(each.entry)});
    }
    report_list(arguments, objects,
                {std::string(tr("ENTRY", "条目")), std::string(tr("REVISION", "版本")),
                 std::string(tr("STATE", "状态")), std::string(tr("CATEGORY", "类别")),
                 std::string(tr("HARMLESS HIT", "误中")), std::string(tr("HITS", "命中")),
                 std::string(tr("PROPOSED BY", "提出人")), std::string(tr("LOOKS FOR", "内容"))},
                rows);
}

Result<void> run_list(const ListArguments& arguments) {
    const auto open = TRY(OpenLibrary::open(arguments, kLibraryReaders));
    if (!arguments.selection.ids.empty()) {
        std::vector<review::LibraryEntry> all;
        for (const std::string& id : arguments.selection.ids) {
            for (review::LibraryEntry& each : TRY(open->library().find(id))) {
                all.push_back(std::move(each));
            }
        }
        report_entries(arguments, all);
        return {};
    }
    review::LibraryQuery query;
    query.batch = arguments.selection.batch;
    query.category = arguments.category;
    if (!arguments.state.empty()) {
        query.state = review::parse_entry_state(arguments.state);
        if (!query.state) {
            return Error{ErrorCode::kInvalidArgument,
                         "--state is one of proposed, live, retired, refused, replaced"};
        }
    }
    if (arguments.due) {
        query.due = open->installation().clock().now();
    }
    query.entries_max = review::kLibraryPageMax;
    std::vector<review::LibraryEntry> all;
    while (true) {
        std::vector<review::LibraryEntry> page = TRY(open->library().list(query));
        std::ranges::move(page, std::back_inserter(all));
        if (page.size() < query.entries_max) {
            break;
        }
        query.after = review::entry_id(all.back().entry);
        query.after_revision = all.back().revision;
    }
    report_entries(arguments, all);
    return {};
}

void report_decided(const LibraryArguments& arguments, const review::Decided& decided,
                    std::string_view done) {
    std::string words = fmt::format("{}: {}", done, decided.done);
    const auto add = [&](std::uint64_t count, std::string_view what) {
        if (count != 0) {
            words += fmt::format("\n{}: {}", what, count);
        }
    };
    add(decided.waiting, tr("still waiting", "仍待处理"));
    add(decided.own,
        tr("of them proposed by you: somebody else must approve", "其中由您提出，须由他人批准"));
    add(decided.untried, tr("of them not trialled: run colophon library trial",
                            "其中未试运行：请先运行 colophon library trial"));
    report(arguments, console::decided_form(decided), words);
}

using Deed = Result<review::Decided> (review::Library::*)(const review::Selection&,
                                                          const std::string&, const std::string&);

Result<void> run_deed(const LibraryArguments& arguments, Deed deed, std::string_view done) {
    const auto open = TRY(OpenLibrary::open(arguments, library_leads()));
    const review::Decided decided =
        TRY((open->library().*deed)(arguments.selection, open->who(), arguments.reason));
    report_decided(arguments, decided, done);
    if (decided.done == 0) {
        return Error{ErrorCode::kDenied, "nothing was changed"};
    }
    return {};
}

struct FiguresArguments : LibraryArguments {
    bool standard = false;
};

std::string shown(const review::Stock& stock) {
    return fmt::format("{}/{}{}", stock.have, stock.wanted, stock.enough() ? "" : " !");
}

// What there is beside what the standard asks for; "!" where it is less.
Result<void> run_standard(const LibraryArguments& arguments, OpenLibrary& open) {
    const review::TestBanks banks = TRY(read_test_banks(open.config().test_banks));
    const review::StandardStock stock =
        TRY(review::standard_stock(open.library(), banks, open.installation().clock().now()));
    std::string words;
    const auto line = [&](std::string_view name, const std::string& value) {
        words += fmt::format("{}: {}\n", name, value);
    };
    const auto dated = [](const std::optional<Time>& time, bool fresh) {
        return time ? format_time(*time) + (fresh ? "" : " !") : std::string("- !");
    };
    line(tr("entries", "条目"), shown(stock.entries));
    line(tr("newest entry", "最近更新的条目"), dated(stock.newest, stock.entries_fresh));
    line(tr("test banks changed", "测试题库更新"), dated(stock.changed, stock.banks_fresh));
    for (const review::BankStock& each : stock.banks) {
        line(fmt::format("{} {}", tr("bank", "题库"), review::bank_name(each.bank)),
             fmt::format("{}, {} {}", shown(each.size), tr("stopped by the rules", "被规则拦截"),
                         each.stopped));
    }
    for (const review::RiskStock& each : stock.risks) {
        line(each.risk->code,
             fmt::format("{} {}, {} {}, {} {}", tr("entries", "条目"), shown(each.entries),
                         tr("questions", "生成题"), shown(each.questions), tr("refuse", "应拒答"),
                         shown(each.refuse)));
    }
    words.pop_back();
    report(arguments, console::stock_form(stock), words);
    return {};
}

Result<void> run_figures(const FiguresArguments& arguments) {
    const auto open = TRY(OpenLibrary::open(arguments, kLibraryReaders));
    if (arguments.standard) {
        return run_standard(arguments, *open);
    }
    const std::vector<review::CategoryFigure> figures = TRY(open->library().figures());
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const review::CategoryFigure& each : figures) {
        objects.push_back(console::figure_form(each));
        rows.push_back({printable(each.category), fmt::format("{}", each.live),
                        format_time(each.newest), fmt::format("{}", each.hits)});
    }
    report_list(arguments, objects,
                {std::string(tr("CATEGORY", "类别")), std::string(tr("LIVE", "生效条目")),
                 std::string(tr("NEWEST", "最近更新")), std::string(tr("HITS", "命中"))},
                rows);
    return {};
}

template <class Arguments, class F>
void act(CLI::App& verb, const std::shared_ptr<Arguments>& arguments, Action& action, F run) {
    add_admin_options(verb, *arguments);
    add_session_option(verb, arguments->session);
    set_admin_action(verb, action, [arguments, run] { return run(*arguments); });
}

void add_list_verbs(CLI::App& library, Action& action) {
    auto listing = std::make_shared<ListArguments>();
    CLI::App* list = library.add_subcommand(
        "list", std::string(tr("entries; with ENTRY all its revisions and opinions",
                               "列出条目；给出编号则显示其全部版本与意见")));
    add_selection_options(*list, *listing);
    list->add_option("--state", listing->state,
                     std::string(tr("proposed, live, retired, refused, replaced",
                                    "proposed、live、retired、refused、replaced")));
    list->add_option("--category", listing->category,
                     std::string(tr("of this category", "限该类别")));
    list->add_flag("--due", listing->due,
                   std::string(tr("live ones that are to be looked at again", "到期须复查的条目")));
    act(*list, listing, action, run_list);

    auto counting = std::make_shared<FiguresArguments>();
    CLI::App* figures = library.add_subcommand(
        "figures", std::string(tr("live entries, newest and hits of each category",
                                  "各类别的生效条目数、最近更新与命中数")));
    figures->add_flag("--standard", counting->standard,
                      std::string(tr("entries and test banks beside the numbers of TC260-003",
                                     "条目与测试题库对照 TC260-003 的数量要求")));
    act(*figures, counting, action, run_figures);
}

void add_deed_verbs(CLI::App& library, Action& action) {
    const auto add = [&](const char* name, std::string_view what, Deed deed,
                         std::string_view done) {
        auto arguments = std::make_shared<LibraryArguments>();
        CLI::App* verb = library.add_subcommand(name, std::string(what));
        add_selection_options(*verb, *arguments);
        verb->add_option("--reason", arguments->reason, std::string(tr("why", "理由")));
        act(*verb, arguments, action,
            [deed, done](const LibraryArguments& given) { return run_deed(given, deed, done); });
    };
    add("approve", tr("put proposed entries into force", "批准条目，使其生效"),
        &review::Library::approve, tr("now live", "已生效"));
    add("refuse", tr("put proposed entries aside", "否决待批准的条目"), &review::Library::refuse,
        tr("refused", "已否决"));
    add("retire", tr("take live entries out of force", "停用生效的条目"), &review::Library::retire,
        tr("retired", "已停用"));
    add("keep", tr("say that live entries were looked at and stay", "复查后保留生效的条目"),
        &review::Library::keep, tr("kept", "已保留"));
}

}  // namespace

std::uint32_t library_proposers() noexcept {
    return bit(identity::Role::kReviewer) | bit(identity::Role::kLead) |
           bit(identity::Role::kOperator);
}

std::uint32_t library_leads() noexcept {
    return bit(identity::Role::kLead);
}

OpenLibrary::OpenLibrary(std::unique_ptr<Installation> installation, identity::StaffSession who,
                         Config config)
    : installation_(std::move(installation)),
      who_(std::move(who)),
      config_(std::move(config)),
      conduct_(installation_->conduct(staff_actor(who_))),
      library_(installation_->store(), installation_->clock(), conduct_,
               {.benign_per_million_max = config_.serve.review.benign_per_million_max}) {}

Result<std::unique_ptr<OpenLibrary>> OpenLibrary::open(const LibraryArguments& arguments,
                                                       std::uint32_t roles) {
    Config config = TRY(load_config());
    const Places places = TRY(resolve_places(arguments.store));
    auto installation = TRY(Installation::open(places));
    identity::StaffSession who = TRY(staff_of_session(*installation, arguments.session, roles));
    return std::make_unique<OpenLibrary>(std::move(installation), std::move(who),
                                         std::move(config));
}

void add_selection_options(CLI::App& verb, LibraryArguments& arguments) {
    verb.add_option("ENTRY", arguments.selection.ids,
                    std::string(tr("ids of entries", "条目编号")));
    verb.add_option("--batch", arguments.selection.batch,
                    std::string(tr("all entries of an import", "某次导入的全部条目")));
}

void add_library_command(CLI::App& app, Action& action) {
    CLI::App* library = app.add_subcommand(
        "library",
        std::string(tr("the feature library: what may not pass", "特征库：不得通过的内容")));
    library->require_subcommand(1);
    add_list_verbs(*library, action);
    add_library_propose_verb(*library, action);
    add_library_trial_verb(*library, action);
    add_deed_verbs(*library, action);
    add_library_file_verbs(*library, action);
    add_library_policies_verb(*library, action);
    add_library_decisions_verbs(*library, action);
    add_library_train_verbs(*library, action);
}

}  // namespace colophon::cli
