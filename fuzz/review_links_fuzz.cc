// SPDX-License-Identifier: Apache-2.0
// A link, a NUL, and a text: whatever the link is, the text is searched the same in one piece and
// character by character, and no match lies outside of it. The first part is read as a pattern and
// as punycode too.

#include "core/assert.h"
#include "core/bytes.h"
#include "review/entry.h"
#include "review/matcher.h"
#include "review/punycode.h"
#include "review/text_scan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::vector<Match> matches_in(const std::shared_ptr<const Matcher>& matcher, std::string_view text,
                              std::size_t piece) {
    std::vector<Match> matches;
    TextScan scan(matcher);
    std::size_t settled = 0;
    const auto collect = [&] {
        while (const auto match = scan.next()) {
            // What was let go is in no match.
            COLOPHON_ASSERT(match->begin >= settled);
            matches.push_back(*match);
        }
        const std::size_t now = scan.settled(text.size());
        COLOPHON_ASSERT(now >= settled && now <= text.size());
        settled = now;
    };
    for (std::size_t at = 0; at < text.size(); at += piece) {
        scan.push(text.substr(at, piece));
        collect();
    }
    scan.finish();
    collect();
    return matches;
}

void search(const Entry& entry, std::string_view text) {
    auto compiled = Matcher::compile({entry});
    if (!compiled.ok()) {
        return;
    }
    const auto matcher = std::make_shared<const Matcher>(std::move(*compiled));
    const auto matches = matches_in(matcher, text, text.size() + 1);
    COLOPHON_ASSERT(matches == matches_in(matcher, text, 1));
    for (const Match& match : matches) {
        COLOPHON_ASSERT(match.begin < match.end && match.end <= text.size());
    }
}

void check(std::string_view input) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    const std::string_view text = input.substr(std::min(end + 1, input.size()));
    Entry entry;
    entry.id = "fuzz";
    entry.category = "fuzz";
    entry.phrase = input.substr(0, end);
    entry.kind = EntryKind::kLink;
    search(entry, text);
    entry.kind = EntryKind::kPattern;
    search(entry, text);
    if (const auto decoded = decode_punycode(entry.phrase)) {
        const auto encoded = encode_punycode(*decoded);
        COLOPHON_ASSERT(!encoded || decode_punycode(*encoded) == decoded);
    }
}

}  // namespace
}  // namespace colophon::review

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::review::check(colophon::as_text({data, size}));
    return 0;
}
