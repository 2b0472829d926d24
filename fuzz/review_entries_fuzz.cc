// SPDX-License-Identifier: Apache-2.0
// A list of entries, a NUL, and a text: whatever the list says, the text is searched the same in
// one piece and byte by byte, and no match lies outside of it.

#include "core/assert.h"
#include "core/bytes.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/text_scan.h"
#include "review/video_list.h"

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
    const auto collect = [&] {
        while (const auto match = scan.next()) {
            matches.push_back(*match);
        }
        COLOPHON_ASSERT(scan.settled(text.size()) <= text.size());
    };
    for (std::size_t at = 0; at < text.size(); at += piece) {
        scan.push(text.substr(at, piece));
        collect();
    }
    scan.finish();
    collect();
    return matches;
}

void search(std::string_view input) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    auto list = parse_entry_list(input.substr(0, end));
    if (!list.ok()) {
        return;
    }
    (void)PictureList::create(std::move(list->pictures));
    (void)SoundList::create(std::move(list->sounds));
    (void)VideoList::create(std::move(list->videos));
    auto compiled = Matcher::compile(std::move(list->texts));
    if (!compiled.ok()) {
        return;
    }
    const auto matcher = std::make_shared<const Matcher>(std::move(*compiled));
    const std::string_view text = input.substr(std::min(end + 1, input.size()));
    const auto matches = matches_in(matcher, text, text.size() + 1);
    COLOPHON_ASSERT(matches == matches_in(matcher, text, 1));
    for (const Match& match : matches) {
        COLOPHON_ASSERT(match.begin < match.end && match.end <= text.size());
    }
}

}  // namespace
}  // namespace colophon::review

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::review::search(colophon::as_text({data, size}));
    return 0;
}
