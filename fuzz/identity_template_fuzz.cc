// SPDX-License-Identifier: Apache-2.0
// Descriptions of verification providers: whatever is accepted makes a request without a failure of
// ours.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "identity/provider_template.h"
#include "identity/verification.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = colophon::identity;
    const std::string_view text = colophon::as_text({data, size});
    const auto secret = [](std::string_view) -> colophon::Result<std::string> {
        return std::string("secret");
    };
    const auto provider = identity::parse_provider_template(text, secret);
    if (provider.ok()) {
        identity::VerificationRequest request;
        request.fields = {
            {"name", "n"}, {"number", "1"}, {"mobile", "2"}, {"code", "3"}, {"token", "4"}};
        const auto composed =
            identity::compose_request(*provider, request, {.now = {}, .nonce = "0"});
        COLOPHON_ASSERT(composed.ok() || composed.error().code == colophon::ErrorCode::kLimit);
    }
    return 0;
}
