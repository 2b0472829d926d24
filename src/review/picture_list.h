// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures that may not pass, by their PDQ hashes [DSP-10].

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/pdq_index.h"
#include "review/entry.h"
#include "review/scope.h"

#include <span>
#include <string>
#include <vector>

namespace colophon::review {

struct PictureEntry {
    std::string id;
    std::string category;
    fingerprint::PdqHash hash;
    int distance = fingerprint::kPdqDistanceMax;  // bits that may differ, 0 to kPdqDistanceMax
    Decision action = Decision::kBlock;
    Scope scope;
};

struct PictureMatch {
    const PictureEntry* entry = nullptr;
    int distance = 0;
};

// Does not change; copies share the index.
class PictureList {
public:
    PictureList() = default;
    // kInvalidArgument: a distance out of range; kLimit: too many entries.
    static Result<PictureList> create(std::vector<PictureEntry> entries);

    std::span<const PictureEntry> entries() const noexcept { return entries_; }
    // Entries for this occasion that one of the hashes (of a picture as it is, turned and mirrored)
    // is near, each once, the nearest first. Valid as long as the list.
    std::vector<PictureMatch> find(std::span<const fingerprint::PdqHash> hashes,
                                   const Occasion& occasion = {}) const;

private:
    std::vector<PictureEntry> entries_;
    fingerprint::PdqIndex index_;
};

}  // namespace colophon::review
