// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs below `colophon library`, and what they share: the opened library with who asks it.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/installation.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"
#include "review/library.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {

struct LibraryArguments : AdminArguments {
    std::string session;
    review::Selection selection;
    std::string reason;
};

class OpenLibrary {
public:
    // `roles`: of which the person has one.
    static Result<std::unique_ptr<OpenLibrary>> open(const LibraryArguments& arguments,
                                                     std::uint32_t roles);

    Installation& installation() noexcept { return *installation_; }
    review::Library& library() noexcept { return library_; }
    const ledger::Conduct& conduct() const noexcept { return conduct_; }
    const std::string& who() const noexcept { return who_.name; }
    const ReviewConfig& config() const noexcept { return config_.serve.review; }
    const Config& whole_config() const noexcept { return config_; }

    // open() makes it.
    OpenLibrary(std::unique_ptr<Installation> installation, identity::StaffSession who,
                Config config);

private:
    std::unique_ptr<Installation> installation_;
    identity::StaffSession who_;
    Config config_;
    ledger::Conduct conduct_;
    review::Library library_;
};

// Who may do what.
inline constexpr std::uint32_t kLibraryReaders = identity::kAllRoles;
std::uint32_t library_proposers() noexcept;
std::uint32_t library_leads() noexcept;

void add_selection_options(CLI::App& verb, LibraryArguments& arguments);

void add_library_propose_verb(CLI::App& library, Action& action);
void add_library_trial_verb(CLI::App& library, Action& action);
void add_library_train_verbs(CLI::App& library, Action& action);  // train, measure
void add_library_policies_verb(CLI::App& library, Action& action);
void add_library_decisions_verbs(CLI::App& library, Action& action);  // decisions, replay
void add_library_file_verbs(CLI::App& library, Action& action);       // import, export

}  // namespace colophon::cli
