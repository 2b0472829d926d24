// SPDX-License-Identifier: Apache-2.0
// The form of a list ('0' to '3') and the list: what is read of it is written and read again as the
// same. '4': a table of labelled texts. '5': a classifier.

#include "core/assert.h"
#include "core/bytes.h"
#include "review/classifier.h"
#include "review/labelled_texts.h"
#include "review/library.h"
#include "review/list_formats.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

std::vector<Proposal> proposals_of(ListFormat format, std::string_view text) {
    std::vector<Proposal> proposals;
    const auto lines = read_list(format, text, {});
    if (lines.ok()) {
        for (const ListLine& line : *lines) {
            if (line.proposal.ok()) {
                proposals.push_back(*line.proposal);
            }
        }
    }
    return proposals;
}

void read(std::string_view input) {
    if (input.empty()) {
        return;
    }
    const char form = input.front();
    input.remove_prefix(1);
    if (form == '4') {
        (void)read_labelled_texts(input, {"text", "label", "1"});
    } else if (form == '5') {
        (void)Classifier::parse(as_bytes(input));
    } else if (form >= '0' && form <= '3') {
        const auto proposals = proposals_of(static_cast<ListFormat>(form - '0'), input);
        const std::string written = write_list(ListFormat::kJson, proposals);
        const auto again = proposals_of(ListFormat::kJson, written);
        COLOPHON_ASSERT(write_list(ListFormat::kJson, again) == written);
        (void)write_list(ListFormat::kCsv, proposals);
        (void)write_list(ListFormat::kSignals, proposals);
        (void)write_list(ListFormat::kUpdates, proposals);
    }
}

}  // namespace
}  // namespace colophon::review

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::review::read(colophon::as_text({data, size}));
    return 0;
}
