// SPDX-License-Identifier: Apache-2.0
#include "review/picture_list.h"

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/pdq_index.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace colophon::review {

Result<PictureList> PictureList::create(std::vector<PictureEntry> entries) {
    std::vector<fingerprint::PdqEntry> hashes;
    hashes.reserve(entries.size());
    for (const PictureEntry& entry : entries) {
        if (entry.distance < 0 || entry.distance > fingerprint::kPdqDistanceMax) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("entry {}: a distance is 0 to {} bits", entry.id,
                                     fingerprint::kPdqDistanceMax)};
        }
        hashes.push_back({.hash = entry.hash, .id = hashes.size()});
    }
    PictureList list;
    list.index_ = TRY(fingerprint::PdqIndex::create(std::move(hashes)));
    list.entries_ = std::move(entries);
    return list;
}

std::vector<PictureMatch> PictureList::find(std::span<const fingerprint::PdqHash> hashes,
                                            const Occasion& occasion) const {
    std::vector<PictureMatch> found;
    for (const fingerprint::PdqHash& hash : hashes) {
        for (const fingerprint::PdqNear& near : index_.near(hash)) {
            const PictureEntry& entry = entries_[static_cast<std::size_t>(near.id)];
            if (near.distance <= entry.distance && covers(entry.scope, occasion)) {
                found.push_back({.entry = &entry, .distance = near.distance});
            }
        }
    }
    std::ranges::sort(found, {}, [](const PictureMatch& match) {
        return std::pair(match.distance, match.entry);
    });
    std::vector<PictureMatch> once;
    for (const PictureMatch& match : found) {
        if (std::ranges::find(once, match.entry, &PictureMatch::entry) == once.end()) {
            once.push_back(match);
        }
    }
    return once;
}

}  // namespace colophon::review
