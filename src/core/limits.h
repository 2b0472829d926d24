// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every size that comes from outside meets one of these before anything is allocated for it.
// They are constants, not settings: each was chosen so that no honest file meets it and no hostile
// file costs more than 256 MB or one second in a container reader.

#include <cstddef>
#include <cstdint>

namespace colophon::limits {

inline constexpr std::uint64_t kXmpBytesMax = 1U << 20U;    // one XMP packet
inline constexpr std::uint64_t kLabelBytesMax = 1U << 20U;  // one AIGC value as found in a file
inline constexpr std::size_t kLabelFieldCharsMax = 2048;    // one field of the AIGC object
inline constexpr std::size_t kWordingCharsMax = 64;         // an explicit label, in characters
inline constexpr std::size_t kLabelSitesMax = 64;           // labels reported for one file
inline constexpr std::size_t kJsonDepthMax = 32;            // nesting of JSON values
inline constexpr std::size_t kXmlDepthMax = 64;             // nesting of XML elements
inline constexpr std::size_t kSvgDepthMax = 1024;       // the same in drawings: groups in groups
inline constexpr std::size_t kXmlAttributesMax = 4096;  // attributes of one element
inline constexpr std::size_t kXmlNamespacesMax = 1024;  // declarations in scope at one place
inline constexpr std::size_t kXmpPropertiesMax = 1024;  // label and IPTC properties in one packet
inline constexpr std::size_t kContainerDepthMax = 16;   // boxes in boxes, lists in lists
inline constexpr std::size_t kContainerItemsMax =
    1U << 20U;                                           // chunks, boxes, segments, pages' headers
inline constexpr std::size_t kHeifItemsMax = 1U << 16U;  // items of a HEIF file, and references
inline constexpr std::size_t kMovieTagsMax = 1U << 16U;  // tags, and keys, of one MP4 tag list
inline constexpr std::uint64_t kMetadataBlockBytesMax = 64U
                                                        << 20U;  // a block that must be held whole
inline constexpr std::uint64_t kInflatedBytesMax =
    16U << 20U;  // one compressed metadata text, inflated
inline constexpr std::uint64_t kTextFileBytesMax = 64U << 20U;  // Markdown, HTML, plain text, SVG

inline constexpr std::size_t kPdfDepthMax = 64;           // arrays and dictionaries in one another
inline constexpr std::size_t kPdfSectionsMax = 1024;      // updates of one file, one behind another
inline constexpr std::size_t kPdfObjectsMax = 1U << 22U;  // numbers in the cross-reference tables
inline constexpr std::uint64_t kPdfStreamBytesMax = 64U << 20U;  // one compressed table, inflated
inline constexpr std::uint64_t kPdfObjectBytesMax = 16U << 20U;  // one object that is copied anew
inline constexpr std::size_t kZipEntriesMax = 1U << 16U;         // files in one archive
inline constexpr std::uint64_t kZipDirectoryBytesMax = 32U << 20U;  // its central directory

inline constexpr std::size_t kCborDepthMax = 32;               // nesting of CBOR items
inline constexpr std::size_t kCborItemsMax = 1U << 18U;        // items of one assertion or claim
inline constexpr std::size_t kProvenanceBoxesMax = 1U << 16U;  // JUMBF boxes of one store
inline constexpr std::size_t kManifestsMax = 256;              // manifests of one store
inline constexpr std::size_t kAssertionsMax = 1024;            // assertions of one manifest
inline constexpr std::uint64_t kDetachedStoreBytesMax = 4U << 20U;  // a manifest store of its own
inline constexpr std::size_t kCertificatesMax = 16;                 // of one chain
inline constexpr std::size_t kStatusCodesMax = 4096;                // reported for one store

inline constexpr std::uint64_t kImagePixelsMax = 16384ULL * 16384ULL;  // per frame
inline constexpr std::uint32_t kImageSideMax = 65500;
inline constexpr std::uint32_t kImageFramesMax = 4096;
inline constexpr std::uint64_t kWatermarkPixelsMax = 100'000'000;  // of a picture that is marked
inline constexpr std::uint64_t kImageAllFramesPixelsMax = 1ULL << 30U;
inline constexpr std::uint64_t kImageBytesMax = 1ULL << 30U;  // decoded, all frames held at once
inline constexpr std::uint64_t kTiffDecodedPixelsMax = 1ULL << 32U;  // over all pages, in turn
inline constexpr std::uint32_t kJpegScansMax = 128;           // a progressive picture has about ten
inline constexpr std::uint32_t kKibibytesPngChunkMax = 8192;  // a chunk that libpng itself reads
inline constexpr std::uint64_t kVideoHeldBytesMax = 1ULL << 30U;  // coded again in memory
inline constexpr std::uint64_t kAudioSecondsMax = 6ULL * 3600ULL;
inline constexpr std::uint32_t kAudioChannelsMax = 32;
inline constexpr std::uint32_t kAudioRateMax = 384000;
// Samples of all channels: held at once as floats, and decoded from one file in turn.
inline constexpr std::uint64_t kAudioHeldSamplesMax = 64ULL << 20U;
inline constexpr std::uint64_t kAudioDecodedSamplesMax = 8ULL << 30U;
inline constexpr std::uint64_t kAudioCodedBytesMax = 2ULL << 30U;  // of a sound coded again

}  // namespace colophon::limits
