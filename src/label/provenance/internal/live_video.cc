// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/live_video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/bmff_boxes.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/cose.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/session_key.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kScheme = "urn:c2pa:verifiable-segment-info";
constexpr std::string_view kSegmentValue = "fseg";
constexpr std::string_view kManifestId = "c2pa.manifestId";

// The message of the 'emsg' box with signed information (19.4.2); nothing without a good one.
struct SegmentBoxes {
    bool media = false;  // 'mdat'
    std::optional<Buffer> message;
};

std::optional<std::string_view> take_text(std::string_view& text) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(end + 1);
    return taken;
}

// ISO/IEC 14496-12, 12.6.2, version 0: two texts, then timescale, delta, duration, number.
std::optional<Buffer> message_of(Bytes payload) {
    constexpr std::size_t kNumbers = 16;
    if (payload.size() < 4 || load_be32(payload) != 0) {
        return std::nullopt;
    }
    std::string_view text = as_text(payload.subspan(4));
    const auto scheme = take_text(text);
    const auto value = take_text(text);
    if (scheme != kScheme || value != kSegmentValue || text.size() < kNumbers ||
        load_be32(as_bytes(text).subspan(4)) != 0) {
        return std::nullopt;
    }
    return to_buffer(as_bytes(text.substr(kNumbers)));
}

Result<SegmentBoxes> boxes_of(Bytes file) {
    SegmentBoxes found;
    bmff::BoxReader reader(file);
    while (const auto box = TRY(reader.next())) {
        found.media = found.media || box->type == bmff::box_type("mdat");
        if (box->type == bmff::box_type("emsg") && !found.message) {
            found.message = message_of(bmff::payload(file, *box));
        }
    }
    return found;
}

bool has_manifest(Bytes file) {
    const auto found = find_in_bmff(file);
    return found.ok() && found->has_value() && !(*found)->store.empty();
}

class LiveVideo {
public:
    LiveVideo(Format format, const Trust& trust) : format_(format), trust_(trust) {}

    Result<void> begin(const FileView& init) {
        const SegmentBoxes boxes = TRY(boxes_of(init.whole()));
        if (boxes.media) {
            report_.fail("livevideo.init.invalid", {}, "the initialization segment holds media");
        }
        LivePart part = TRY(read_live_part(init, format_, trust_));
        if (part.reading.found) {
            take_part(std::move(part));
        }
        return {};
    }

    Result<void> segment(const FileView& file) {
        ++number_;
        const SegmentBoxes boxes = TRY(boxes_of(file.whole()));
        const bool manifest = has_manifest(file.whole());
        std::optional<std::uint64_t> sequence;
        if (manifest) {
            LivePart part = TRY(read_live_part(file, format_, trust_));
            if (part.segment) {
                sequence = follow(*part.segment);
            }
            take_part(std::move(part));
        }
        if (boxes.message) {
            check_message(file, *boxes.message, sequence);
        } else if (!manifest) {
            fail("livevideo.segment.invalid", "nothing binds it");
        }
        if (sequence) {
            last_sequence_ = sequence;
        }
        return {};
    }

    CredentialReading finish() {
        for (Status& each : report_.take()) {
            reading_.statuses.push_back(std::move(each));
        }
        const bool failed = std::ranges::any_of(reading_.statuses, [](const Status& each) {
            return each.kind == StatusKind::kFailure && each.code != "signingCredential.untrusted";
        });
        reading_.needs_fragments = false;
        reading_.state = failed ? CredentialState::kInvalid : std::min(state_, reading_.state);
        return std::move(reading_);
    }

private:
    void fail(std::string_view code, std::string_view what) {
        report_.fail(code, {}, fmt::format("segment {}: {}", number_, what));
    }

    // A manifest of the stream, which counts from here on.
    void take_part(LivePart part) {
        const CredentialReading& found = part.reading;
        if (found.state == CredentialState::kInvalid) {
            const auto first = std::ranges::find_if(found.statuses, [](const Status& each) {
                return each.kind == StatusKind::kFailure &&
                       each.code != "signingCredential.untrusted";
            });
            fail("livevideo.manifest.invalid",
                 first == found.statuses.end()
                     ? std::string("its manifest is invalid")
                     : fmt::format("its manifest is invalid: {} ({})", first->what, first->code));
        } else {
            keys_.insert(keys_.end(), part.keys.begin(), part.keys.end());
        }
        state_ = std::min(state_, found.state);
        manifest_ = found.manifest_label;
        if (!reading_.found) {
            reading_ = std::move(part.reading);
        }
    }

    // 19.7.2. The number of the segment.
    std::optional<std::uint64_t> follow(const cbor::Value& segment) {
        const std::uint64_t* sequence = segment.number("sequenceNumber");
        const std::string* stream = segment.text("streamId");
        if (sequence == nullptr || (last_sequence_ && *sequence <= *last_sequence_)) {
            fail("livevideo.assertion.invalid", "it is not later than the one before");
        }
        if (stream == nullptr || (stream_ && *stream != *stream_)) {
            fail("livevideo.assertion.invalid", "it is of another stream");
        }
        if (stream != nullptr) {
            stream_ = *stream;
        }
        const std::string* method = segment.text("continuityMethod");
        const std::string* previous = segment.text("previousManifestId");
        if (method == nullptr || *method != kManifestId || previous == nullptr) {
            fail("livevideo.continuityMethod.invalid", "it does not say which one it follows");
        } else if (number_ > 1 && *previous != manifest_) {
            fail("livevideo.segment.invalid", "it follows another one than that before it");
        }
        return sequence == nullptr ? std::nullopt : std::optional(*sequence);
    }

    // 19.7.3. `sequence`: what the manifest in the segment says.
    void check_message(const FileView& file, Bytes message,
                       std::optional<std::uint64_t>& sequence) {
        const std::string problem = message_problem(file, message, sequence);
        if (!problem.empty()) {
            fail("livevideo.segment.invalid", problem);
        }
    }

    std::string message_problem(const FileView& file, Bytes message,
                                std::optional<std::uint64_t>& sequence) {
        if (keys_.empty()) {
            return "there is no session key";
        }
        const auto value = cbor::decode(message);
        const auto made = value.ok() ? read_signed_payload(*value) : std::nullopt;
        if (!made || !made->payload) {
            return "its signed information cannot be read";
        }
        const SessionKey* key = key_of(*made);
        if (key == nullptr || !key->signed_this(*made, *made->payload)) {
            return "its signed information is by no session key";
        }
        const auto info = cbor::decode(*made->payload);
        const std::uint64_t* number = info.ok() ? info->number("sequenceNumber") : nullptr;
        const std::string* manifest = info.ok() ? info->text("manifestId") : nullptr;
        if (number == nullptr || manifest == nullptr || *number < key->sequence_min ||
            (last_sequence_ && *number <= *last_sequence_) || (sequence && *sequence != *number)) {
            return "its number does not follow";
        }
        if (*manifest != manifest_) {
            return "it belongs to another manifest";
        }
        CoseSign1 head;
        head.protected_header = made->protected_header;
        const auto claimed = head.claimed_at();
        if (claimed && (*claimed < key->from || *claimed > key->until)) {
            return "its session key was not valid then";
        }
        sequence = *number;
        const cbor::Value* hash = info->find("bmffHash");
        return hash != nullptr && hash_fits(file, *hash)
                   ? std::string()
                   : std::string("it was changed after it was signed");
    }

    const SessionKey* key_of(const SignedPayload& made) const {
        constexpr std::int64_t kKeyIdHeader = 4;
        const cbor::Value* id = made.unprotected.find(kKeyIdHeader);
        if (id == nullptr) {
            id = made.unprotected.find("kid");
        }
        // A key that a later manifest brings again counts.
        const auto row = std::find_if(keys_.rbegin(), keys_.rend(), [&](const SessionKey& each) {
            return id != nullptr && id->if_bytes() != nullptr && *id->if_bytes() == each.id;
        });
        return row == keys_.rend() ? nullptr : &*row;
    }

    static bool hash_fits(const FileView& file, const cbor::Value& map) {
        auto exclusions = read_bmff_exclusions(map);
        if (exclusions) {
            std::ranges::for_each(*exclusions, place_scheme);
        }
        const std::string* named = map.text("alg");
        const auto algorithm =
            named == nullptr ? std::optional(HashAlgorithm::kSha256) : parse_hash_algorithm(*named);
        const Buffer* wanted = map.bytes("hash");
        if (!exclusions || !algorithm || wanted == nullptr || map.find("merkle") != nullptr) {
            return false;
        }
        const auto found = hash_bmff(*algorithm, file, *exclusions, true);
        return found.ok() && *found == *wanted;
    }

    // 19.4.1 counts the scheme of 'emsg' from behind its header, 18.6 everything from its start.
    static void place_scheme(BmffExclusion& exclusion) {
        constexpr std::uint64_t kFullHeader = 12;
        if (exclusion.path != std::vector<std::string>{"emsg"}) {
            return;
        }
        for (BmffExclusion::Data& each : exclusion.data) {
            if (each.offset == 0 && as_text(each.value) == kScheme) {
                each.offset = kFullHeader;
            }
        }
    }

    Format format_;
    const Trust& trust_;
    Report report_;
    CredentialReading reading_;
    CredentialState state_ = CredentialState::kTrusted;
    std::vector<SessionKey> keys_;
    std::string manifest_;  // that counts now
    std::optional<std::string> stream_;
    std::optional<std::uint64_t> last_sequence_;
    std::size_t number_ = 0;
};

}  // namespace

bool is_live_video(const std::vector<FileView>& segments) {
    return std::ranges::any_of(segments, [](const FileView& each) {
        if (!each.is_there()) {
            return false;  // one that we are about to write
        }
        const auto boxes = boxes_of(each.whole());
        return has_manifest(each.whole()) || (boxes.ok() && boxes->message);
    });
}

Result<CredentialReading> read_live_video(const FileView& init,
                                          const std::vector<FileView>& segments, Format format,
                                          const Trust& trust) {
    LiveVideo video(format, trust);
    TRY(video.begin(init));
    for (const FileView& each : segments) {
        TRY(video.segment(each));
    }
    return video.finish();
}

}  // namespace colophon::label::provenance::internal
