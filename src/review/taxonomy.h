// SPDX-License-Identifier: Apache-2.0
#pragma once

// The 31 risks of TC260-003 (appendix A; GB/T 45654-2025 has the same), and what other lists call
// them. The mappings are ours and many to many: no two lists cut the world alike.

#include <cstdint>
#include <span>
#include <string_view>

namespace colophon::review {

enum class Scheme : std::uint8_t {
    kOpenai,      // categories of /v1/moderations
    kLlamaGuard,  // S1 to S14 of Llama Guard 3; the hazards of MLCommons' AILuminate in letters
    kQwen3Guard,  // categories of Qwen3Guard
    kDsa,         // categories of the EU's transparency database
};

struct Risk {
    std::string_view code;  // "A1a" to "A5b"
    std::string_view name;  // a message: shown in the reader's language
    // Names of other lists, with "|" between them; the closest first, empty where there is none.
    std::string_view openai;
    std::string_view llama_guard;
    std::string_view mlcommons;
    std::string_view qwen3guard;
    std::string_view dsa;
};

std::span<const Risk> risks() noexcept;
const Risk* find_risk(std::string_view code) noexcept;
// The risk that a name of another list stands for first of all; nullptr when there is none. Letter
// case does not matter.
const Risk* risk_of(Scheme scheme, std::string_view name) noexcept;

}  // namespace colophon::review
