// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the user asked of `label`, from options and configuration, checked once before any file is
// touched; and what it becomes for one file of a certain format.

#include "cli/config.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/provenance/signer.h"
#include "label/record.h"

#include <memory>
#include <optional>
#include <string>

namespace colophon::cli {

// Everything as text, as it was written; empty: not given.
struct LabelArguments {
    LabelConfig values;  // options fill these first, the configuration what they leave empty
    std::string content_id;
    std::string binding;
    bool propagate = false;
    bool relabel = false;
    bool declared = false;
    bool detached = false;           // Content Credentials go beside the output in any case
    bool embedded = false;           // and these into the file, where that is not usual
    bool credential_counts = false;  // one was named; it counts whatever the file carries
    bool takes_files_beside = true;  // the output is a file, beside which others may lie
};

class LabelRequest {
public:
    // kInvalidArgument names the option and what it may be.
    static Result<LabelRequest> create(const LabelArguments& arguments, const VerifyConfig& trust,
                                       Clock& clock);

    // What this version owes for that format, unless the user named the marks.
    label::LabelPlan plan_for(label::Format format) const;
    bool needs_font() const noexcept { return !marks_ || marks_->has(label::Mark::kExplicit); }
    bool needs_media() const noexcept {
        return needs_font() || marks_->has(label::Mark::kWatermark);
    }

    // The options of one file: a content id of its own and the signature over it. kInvalidArgument
    // when an option does not suit that kind of file.
    Result<label::ApplyOptions> options_for(label::Format format, Clock& clock,
                                            Random& random) const;
    const std::string& font() const noexcept { return font_; }
    const std::string& recording() const noexcept { return recording_; }
    // For files that get Content Credentials; nullptr when no file can.
    label::provenance::ClaimSigner* signer() const noexcept { return signer_.get(); }

private:
    LabelRequest() = default;
    Result<void> check_label() const;
    // Whether some file of this request may get Content Credentials.
    bool may_sign_credentials() const noexcept;

    label::ApplyOptions base_;
    std::optional<label::MarkSet> marks_;
    bool detached_ = false;
    bool embedded_ = false;
    bool takes_files_beside_ = true;
    std::optional<label::ServiceClass> service_;
    std::string position_;
    std::string recording_;
    std::string font_;
    std::string key_id_;
    std::shared_ptr<const label::SigningKey> key_;  // shared: requests are copied to threads
    std::shared_ptr<label::provenance::ClaimSigner> signer_;
};

// The first font of the list that is there, or kNotFound with what to install.
Result<std::string> find_font(const std::string& wanted);

}  // namespace colophon::cli
