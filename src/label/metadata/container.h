// SPDX-License-Identifier: Apache-2.0
#pragma once

// The metadata label in each container [GB45438-6.1]: where the AIGC value stands, how it is read
// from every place in which it was seen, and how exactly one is written.
//
// The contract of every row of the table:
//   read    finds all values that may be a label, in any of the places of the format, without
//           judging them (label/metadata/aigc.h does); costs no more than the metadata, never
//           touches pixels or samples; never fails because of what a label says, only because the
//           container itself is broken.
//   write   returns the file with exactly one label, at the place that the standard names, and
//           without any other TC260 label; all other bytes are copied. A broken container is an
//           error, never a guess. Writing what is already there gives the same bytes.
// Errors: kCorrupt names the byte; kLimit names the limit; kUnsupported says what and why.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label {

// One value found in a file that may be a label.
struct LabelSite {
    std::string where;            // for people and JSON: "png iTXt XMP", "wav AIGC chunk"
    std::string value;            // the text as stored, unescaped (XML entities resolved, inflated)
    std::uint64_t offset = 0;     // in the file, of the structure that holds it
    bool standard_place = false;  // whether it is the place that the standard names for this format
    // Which of several wholes that were put one behind the other (links of a chained Ogg) holds it.
    std::uint32_t part = 0;
};

// What the IPTC fields of the XMP packet say; empty when absent.
struct IptcFields {
    std::string digital_source_type;  // the full URI
    std::string ai_system_used;
    std::string ai_system_version_used;
};

// Addresses of Content Credentials that may be fetched are at most as long.
inline constexpr std::size_t kCredentialLinkBytesMax = 2048;

struct MetadataReading {
    std::vector<LabelSite> sites;  // in file order, at most limits::kLabelSitesMax
    IptcFields iptc;
    // Where Content Credentials of the file lie that are not in it: the first dcterms:provenance of
    // the XMP packet (C2PA 2.4, 11.5), as it stands there; cut behind kCredentialLinkBytesMax + 1.
    std::string credential_link;
    // A block that cannot be read holds the bytes of a label: there is one, and nobody can say
    // which.
    bool damaged_label = false;
    Findings findings;
};

// What a writer puts into a file.
struct MetadataFields {
    std::string aigc;  // the seven-field JSON object, without the outer {"AIGC":...}
    // Written only where the format carries XMP. Empty fields are left as they are, but for a
    // version: the one that stands there belongs to another system than the one named here.
    IptcFields iptc;
    // The label that stands there goes, and with it the AI system of that label, also when `iptc`
    // names none.
    bool replaces_system = false;
};

struct Container {
    Format format;
    Result<MetadataReading> (*read)(Bytes file);
    Result<Splice> (*write)(Bytes file, const MetadataFields& fields);  // nullptr: read only
};

// nullptr for plain text, which has no place for metadata.
const Container* find_container(Format format) noexcept;

// Whether a text found in a generic place (a comment, a description, any chunk) may be a label: it
// names AIGC, one of the TC260 fields, or one of the vendor schemas that are known.
bool may_be_label(std::string_view text) noexcept;

}  // namespace colophon::label
