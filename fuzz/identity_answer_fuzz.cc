// SPDX-License-Identifier: Apache-2.0
// Answers of providers and paths into them: a first line is the path, the rest the answer. An
// answer is a match only when its exact value stands there.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "identity/answer_mapping.h"
#include "identity/verification.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = colophon::identity;
    const std::string_view text = colophon::as_text({data, size});
    const std::size_t line = std::min(text.find('\n'), text.size());
    const auto path = identity::parse_json_path(text.substr(0, line));
    if (!path.ok()) {
        return 0;
    }
    const std::string_view body = text.substr(std::min(line + 1, text.size()));
    identity::AnswerMapping mapping;
    mapping.outcome = *path;
    mapping.outcomes = {{"1", identity::Outcome::kMatch}};
    mapping.error = *path;
    mapping.reference = *path;
    const auto answer = identity::map_answer(200, colophon::as_bytes(body), mapping);
    if (answer.outcome == identity::Outcome::kMatch) {
        const auto root = colophon::json::parse(body);
        COLOPHON_ASSERT(root.ok());
        COLOPHON_ASSERT(identity::value_at(*root, *path) == "1");
    }
    COLOPHON_ASSERT(answer.reference.size() <= 64 && answer.code.size() <= 64);
    return 0;
}
