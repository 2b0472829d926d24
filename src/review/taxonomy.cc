// SPDX-License-Identifier: Apache-2.0
#include "review/taxonomy.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <span>
#include <string_view>

namespace colophon::review {
namespace {

constexpr std::string_view kHate = "hate|hate/threatening|harassment";
constexpr std::string_view kHateDsa = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH";
constexpr std::string_view kSafetyDsa = "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY";
constexpr std::string_view kScamDsa = "STATEMENT_CATEGORY_SCAMS_AND_FRAUD";
constexpr std::string_view kDataDsa = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS";
constexpr std::string_view kPersonDsa =
    "STATEMENT_CATEGORY_CYBER_VIOLENCE|STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR";

constexpr std::array kRisks{
    Risk{"A1a", "subversion of state power", "", "", "", "politically sensitive topics",
         kSafetyDsa},
    Risk{"A1b", "harm to national security and image", "", "", "", "politically sensitive topics",
         kSafetyDsa},
    Risk{"A1c", "separatism", "", "", "", "politically sensitive topics", kSafetyDsa},
    Risk{"A1d", "terrorism and extremism", "illicit/violent|violence", "S9|S1", "iwp|vcr",
         "violent", kSafetyDsa},
    Risk{"A1e", "ethnic hatred", "hate/threatening|hate", "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A1f", "violence and obscenity", "violence|sexual|violence/graphic|sexual/minors",
         "S12|S1|S3|S4", "sxc_prn|vcr|src|cse", "sexual content or sexual acts|violent",
         "STATEMENT_CATEGORY_PORNOGRAPHY_OR_SEXUALIZED_CONTENT|STATEMENT_CATEGORY_VIOLENCE|"
         "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"},
    Risk{"A1g", "false harmful information", "", "S13", "spc_ele", "unethical acts",
         "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS"},
    Risk{"A1h", "other content banned by law", "illicit", "S2|S9|S14", "ncr|iwp",
         "non-violent illegal acts", "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"},
    Risk{"A2a", "discrimination by ethnicity", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2b", "discrimination by belief", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2c", "discrimination by nationality", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2d", "discrimination by region", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2e", "discrimination by gender", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2f", "discrimination by age", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2g", "discrimination by occupation", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2h", "discrimination by health", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A2i", "other discrimination", kHate, "S10", "hte", "unethical acts", kHateDsa},
    Risk{"A3a", "infringement of intellectual property", "", "S8", "ipv", "copyright violation",
         "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS"},
    Risk{"A3b", "breach of business ethics", "illicit", "S2", "ncr", "non-violent illegal acts",
         kScamDsa},
    Risk{"A3c", "leak of trade secrets", "illicit", "S2", "ncr", "non-violent illegal acts",
         kScamDsa},
    Risk{"A3d", "monopoly and unfair competition", "illicit", "S2", "ncr",
         "non-violent illegal acts", kScamDsa},
    Risk{"A3e", "other breach of commercial law", "illicit", "S2", "ncr",
         "non-violent illegal acts", kScamDsa},
    Risk{"A4a", "harm to physical or mental health",
         "self-harm|self-harm/intent|self-harm/instructions|harassment|harassment/threatening",
         "S11|S6", "ssh|spc_hlt", "suicide & self-harm", "STATEMENT_CATEGORY_SELF_HARM"},
    Risk{"A4b", "infringement of portrait rights", "", "S5", "dfm", "unethical acts", kPersonDsa},
    Risk{"A4c", "infringement of reputation", "harassment", "S5", "dfm", "unethical acts",
         kPersonDsa},
    Risk{"A4d", "infringement of honour", "harassment", "S5", "dfm", "unethical acts", kPersonDsa},
    Risk{"A4e", "infringement of privacy", "", "S7", "prv", "pii", kDataDsa},
    Risk{"A4f", "infringement of personal information", "", "S7", "prv", "pii", kDataDsa},
    Risk{"A4g", "infringement of other rights", "", "S14", "", "non-violent illegal acts",
         kPersonDsa},
    Risk{"A5a", "inaccurate content", "", "S6", "spc_fin|spc_hlt", "", ""},
    Risk{"A5b", "unreliable content", "", "S6", "spc_fin|spc_hlt", "", ""}};

bool same(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// The place of a name in a list with "|" between; npos when it is not there.
std::size_t place_in(std::string_view list, std::string_view name) noexcept {
    for (std::size_t place = 0; !list.empty(); ++place) {
        const std::size_t end = std::min(list.find('|'), list.size());
        if (same(list.substr(0, end), name)) {
            return place;
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return std::string_view::npos;
}

std::string_view names_in(const Risk& risk, Scheme scheme, bool letters) noexcept {
    switch (scheme) {
        case Scheme::kOpenai:
            return risk.openai;
        case Scheme::kLlamaGuard:
            return letters ? risk.mlcommons : risk.llama_guard;
        case Scheme::kQwen3Guard:
            return risk.qwen3guard;
        case Scheme::kDsa:
            break;
    }
    return risk.dsa;
}

}  // namespace

std::span<const Risk> risks() noexcept {
    return kRisks;
}

const Risk* find_risk(std::string_view code) noexcept {
    const auto* found = std::ranges::find(kRisks, code, &Risk::code);
    return found == kRisks.end() ? nullptr : found;
}

const Risk* risk_of(Scheme scheme, std::string_view name) noexcept {
    const Risk* best = nullptr;
    std::size_t best_place = std::string_view::npos;
    if (name.empty()) {
        return best;
    }
    // Llama Guard's codes are a letter and a number, MLCommons' are letters.
    const bool letters = name.find_first_of("0123456789") == std::string_view::npos;
    for (const Risk& risk : kRisks) {
        const std::size_t place = place_in(names_in(risk, scheme, letters), name);
        if (place < best_place) {
            best = &risk;
            best_place = place;
        }
    }
    return best;
}

}  // namespace colophon::review
