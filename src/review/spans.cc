// SPDX-License-Identifier: Apache-2.0
#include "review/spans.h"

#include "review/queue.h"
#include "review/review.h"
#include "review/text_scan.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

std::vector<Span> spans_of(const Reviewer& reviewer, std::string_view text) {
    std::vector<Span> spans;
    TextScan scan(reviewer.matcher(), reviewer.occasion());
    scan.push(text);
    scan.finish();
    while (const auto match = scan.next()) {
        if (spans.size() == kSpansMax) {
            break;
        }
        spans.push_back({.entry = reviewer.matcher()->entries()[match->entry].id,
                         .begin = match->begin,
                         .end = match->end});
    }
    std::ranges::sort(spans, {}, [](const Span& each) { return std::pair(each.begin, each.end); });
    return spans;
}

}  // namespace colophon::review
