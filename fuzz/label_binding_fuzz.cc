// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/bmff_boxes.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

// A movie in several files, one behind the other: each but the first begins with 'styp'.
std::vector<colophon::Bytes> cut(colophon::Bytes file) {
    namespace bmff = colophon::label::bmff;
    std::vector<colophon::Bytes> parts;
    std::uint64_t begin = 0;
    bmff::BoxReader boxes(file);
    for (;;) {
        const auto box = boxes.next();
        if (!box.ok() || !*box) {
            break;
        }
        if ((*box)->type == bmff::box_type("styp")) {
            parts.push_back(file.subspan(static_cast<std::size_t>(begin),
                                         static_cast<std::size_t>((*box)->offset - begin)));
            begin = (*box)->offset;
        }
    }
    parts.push_back(file.subspan(static_cast<std::size_t>(begin)));
    return parts;
}

}  // namespace

// A hard binding and the file that it is said to be of, without the signature that would keep
// fuzzing away from both: carrier:8 kind:8 length:16 CBOR file. Kinds from 128 on: several files.
// Kind 5: three assertions in a list.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    namespace internal = provenance::internal;
    constexpr std::array<std::string_view, 5> kKinds{"c2pa.hash.data", "c2pa.hash.boxes",
                                                     "c2pa.hash.bmff.v3", "c2pa.hash.bmff.v2",
                                                     "c2pa.hash.collection.data"};
    constexpr std::array<std::string_view, 3> kPartLabels{"c2pa.hash.data", "c2pa.hash.multi-asset",
                                                          "c2pa.hash.data.part"};
    constexpr std::size_t kHead = 4;
    if (size < kHead) {
        return 0;
    }
    const auto carriers = provenance::all_carriers();
    const provenance::Carrier& carrier = carriers[data[0] % carriers.size()];
    const colophon::Bytes rest(data + kHead, size - kHead);
    const std::size_t length = std::size_t{data[2]} << 8U | data[3];
    if (length > rest.size()) {
        return 0;
    }
    auto value = colophon::label::cbor::decode(rest.first(length));
    const std::vector<colophon::Bytes> parts =
        (data[1] & 0x80U) != 0 ? cut(rest.subspan(length)) : std::vector{rest.subspan(length)};
    const colophon::Bytes file = parts.front();
    const std::vector<provenance::FileView> fragments(parts.begin() + 1, parts.end());
    const auto found = carrier.find(file);
    if (!value.ok() || !found.ok()) {
        return 0;
    }
    const std::size_t kind = data[1] & 0x7FU;
    colophon::label::jumbf::Superbox box;
    box.label = "m";
    const provenance::Manifest manifest{.box = &box};
    internal::Claim claim;
    claim.manifest = &manifest;
    claim.algorithm = provenance::HashAlgorithm::kSha256;
    // In the last kind a binding that does not fit, the parts of the file, and the binding of one.
    const bool in_parts = kind % (kKinds.size() + 1) == kKinds.size();
    std::vector<internal::Assertion> assertions(in_parts ? 3 : 1);
    const auto* list = value->if_array();
    if (in_parts && (list == nullptr || list->size() != assertions.size())) {
        return 0;
    }
    for (std::size_t i = 0; i < assertions.size(); ++i) {
        assertions[i].label = in_parts ? kPartLabels[i] : kKinds[kind % kKinds.size()];
        assertions[i].value = in_parts ? (*list)[i] : *value;
        assertions[i].uri = "self#jumbf=/c2pa/m/" + assertions[i].label;
        assertions[i].box = &box;
    }
    internal::Content content{.view = provenance::FileView(file),
                              .format = carrier.format,
                              .store_ranges = {},
                              .store_problem = {},
                              .problem_code = {}};
    if (*found) {
        content.store_ranges = (*found)->ranges;
        content.store_problem = (*found)->problem;
    } else {
        content.detached = true;
    }
    content.fragments = (data[1] & 0x80U) != 0 ? &fragments : nullptr;
    internal::Report report;
    internal::check_binding(claim, assertions, content, report);
    return 0;
}
