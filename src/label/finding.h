// SPDX-License-Identifier: Apache-2.0
#pragma once

// A finding: one thing that was seen while a label was read or written, with a stable code that
// scripts may test. docs/reference/findings.md lists all codes.

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

enum class FindingLevel {
    kInfo,     // worth knowing, nothing wrong
    kWarning,  // a deviation from the standard that leaves the meaning clear
    kError,    // the mark is broken, contradicts another, or cannot be trusted
};

struct Finding {
    std::string code;  // "metadata.charset": part, dot, what; lower case
    FindingLevel level = FindingLevel::kInfo;
    std::string what;  // one sentence for a person, with the measured value
};

using Findings = std::vector<Finding>;

std::string_view finding_level_name(FindingLevel level) noexcept;  // "info", "warning", "error"

inline void note(Findings& findings, std::string_view code, std::string what) {
    findings.push_back({std::string(code), FindingLevel::kInfo, std::move(what)});
}
inline void warn(Findings& findings, std::string_view code, std::string what) {
    findings.push_back({std::string(code), FindingLevel::kWarning, std::move(what)});
}
inline void fault(Findings& findings, std::string_view code, std::string what) {
    findings.push_back({std::string(code), FindingLevel::kError, std::move(what)});
}

}  // namespace colophon::label
