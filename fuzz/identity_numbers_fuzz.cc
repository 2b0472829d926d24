// SPDX-License-Identifier: Apache-2.0
// Numbers, names and keys as people and programs send them: what is accepted is read again the
// same, and no message repeats a long part of it.

#include "core/assert.h"
#include "core/bytes.h"
#include "identity/api_key.h"
#include "identity/mobile_number.h"
#include "identity/person_name.h"
#include "identity/resident_id.h"
#include "identity/social_credit_code.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace identity = colophon::identity;
    const std::string_view text = colophon::as_text({data, size});
    constexpr std::chrono::year_month_day kToday{std::chrono::year(2026), std::chrono::month(11),
                                                 std::chrono::day(24)};
    if (const auto id = identity::parse_resident_id(text, kToday); id.ok()) {
        COLOPHON_ASSERT(identity::parse_resident_id(id->number, kToday)->number == id->number);
    }
    if (const auto code = identity::parse_social_credit_code(text); code.ok()) {
        COLOPHON_ASSERT(identity::parse_social_credit_code(code->code)->code == code->code);
    }
    if (const auto mobile = identity::parse_mobile_number(text); mobile.ok()) {
        COLOPHON_ASSERT(*identity::parse_mobile_number(*mobile) == *mobile);
    }
    if (const auto name = identity::normalise_person_name(text); name.ok()) {
        COLOPHON_ASSERT(*identity::normalise_person_name(*name) == *name);
    }
    if (identity::parse_api_key(text).ok()) {
        COLOPHON_ASSERT(text.size() == identity::kApiKeyChars);
    }
    (void)identity::eighteen_from_fifteen(text);
    (void)identity::parse_scopes(text);
    return 0;
}
