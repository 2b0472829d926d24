// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the log's formats may measure. The checker (ledger/verify) has limits of its own.

#include <cstddef>
#include <cstdint>

namespace colophon::ledger::limits {

inline constexpr std::size_t kEntryBytesMax = 65535;  // a bundle has 16 bits for the length
inline constexpr std::uint64_t kTreeSizeMax = (1ULL << 62U);
inline constexpr std::size_t kProofHashesMax = 64;
inline constexpr std::size_t kNoteBytesMax = 1U << 20U;
inline constexpr std::size_t kNoteSignaturesMax = 100;  // as golang.org/x/mod; C2SP asks for >= 16
inline constexpr std::size_t kKeyNameBytesMax = 255;
inline constexpr std::size_t kCheckpointExtensionsMax = 16;
inline constexpr std::size_t kProofFileBytesMax = 2U << 20U;
inline constexpr std::size_t kWitnessReplyBytesMax = 64U << 10U;
inline constexpr std::size_t kPolicyBytesMax = 256U << 10U;
inline constexpr std::size_t kPolicyItemsMax = 256;  // logs, witnesses, groups; C2SP asks for >= 32
inline constexpr std::size_t kBatchEntriesMax = 1U << 16U;
inline constexpr std::uint64_t kBatchBytesMax = 256U << 20U;
inline constexpr std::size_t kLeafTextBytesMax = 64;  // type, object, policy version, field name
inline constexpr std::size_t kLeafCommitmentsMax = 64;
inline constexpr std::size_t kOpenedValueBytesMax = 1U << 20U;

}  // namespace colophon::ledger::limits
