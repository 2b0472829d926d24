// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <algorithm>
#include <tuple>

namespace colophon::tidy {

Findings check_all(const Tree& tree) {
    Findings findings;
    check_layers(tree, findings);
    check_bans(tree, findings);
    check_shape(tree, findings);
    check_clauses(tree, findings);
    check_links(tree, findings);
    check_phrases(tree, findings);
    check_messages(tree, findings);
    std::sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        return std::tie(a.path, a.line, a.rule, a.what) < std::tie(b.path, b.line, b.rule, b.what);
    });
    return findings;
}

}  // namespace colophon::tidy
