// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content Credentials among the marks: what apply() writes last and what verify() makes of what it
// finds. How they are made and checked is the business of label/provenance.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/provenance/validate.h"
#include "label/verify.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::label::internal {

// kUnsupported when the format carries no credential, unless it is to lie beside the file.
Result<void> check_provenance_possible(Format format, const ApplyOptions& options);

// The credential of the file as it came, from in it or beside it; nothing when there is none. One
// that lies beside the file and does not fit it is left out with a finding, and an error when it
// was named: it would make a past of what was none.
Result<std::optional<provenance::CredentialReading>> read_upstream(Bytes file, Format format,
                                                                   const ApplyOptions& options,
                                                                   const Resources& resources,
                                                                   Findings& findings);
// Whether it lies beside the file.
bool is_beside(const provenance::CredentialReading& reading) noexcept;

struct ProvenanceTask {
    Bytes original;
    Bytes file;  // with the marks before this one
    Format format;
    const std::optional<provenance::CredentialReading>& upstream;
    const std::optional<AigcLabel>& label;                  // that was written, or nothing
    const std::optional<WatermarkVerification>& watermark;  // that is in it, or nothing
};
struct ProvenanceMark {
    Bytes file;
    std::string manifest_label;
    Buffer detached;  // the store, when options.detached; then `file` is the file as it was given
    std::vector<Splice> fragments;  // what becomes of resources.fragments
    Findings findings;
};
// Writes, reads back, and says what became of an earlier credential. A file that no mark changed
// and that bears an intact credential of this program keeps it.
Result<ProvenanceMark> apply_provenance(const ProvenanceTask& task, const ApplyOptions& options,
                                        const Resources& resources, Holder& holder);

// What the credential contributes to the verdict besides its findings.
struct ProvenanceFinds {
    bool says_synthetic = false;  // it is intact and says that a model made the content
};
// Sets seen.provenance and adds findings; seen.metadata is set already where it is looked at.
Result<ProvenanceFinds> verify_provenance(Bytes file, const VerifyOptions& options,
                                          const Resources& resources, Verification& seen);

}  // namespace colophon::label::internal
