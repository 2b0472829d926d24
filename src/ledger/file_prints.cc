// SPDX-License-Identifier: Apache-2.0
#include "ledger/file_prints.h"

#include "core/result.h"
#include "core/utf8.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "ledger/likeness.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

Error damaged() {
    return Error{ErrorCode::kCorrupt, "a stored record is damaged: member files"};
}

std::size_t bytes_of(const FilePrint& file) noexcept {
    return file.print.size() + file.sound.size();
}

// One hash alone is what records of before have.
Result<std::vector<fingerprint::PdqHash>> read_hashes(std::string_view text) {
    std::vector<fingerprint::PdqHash> hashes;
    while (!text.empty()) {
        if (hashes.size() == fingerprint::kDihedrals) {
            return damaged();
        }
        const auto hash = fingerprint::parse_pdq_hex(text.substr(0, fingerprint::kPdqHexChars));
        if (!hash.ok()) {
            return damaged();
        }
        hashes.push_back(*hash);
        text.remove_prefix(fingerprint::kPdqHexChars);
        if (!text.empty()) {
            if (!text.starts_with(' ') || text.size() == 1) {
                return damaged();
            }
            text.remove_prefix(1);
        }
    }
    return hashes;
}

Result<fingerprint::SoundPrint> read_sound(const std::string& text) {
    auto sound = fingerprint::parse_sound_print(text);
    return sound.ok() ? std::move(sound) : damaged();
}

}  // namespace

FilePrint picture_file(std::span<const fingerprint::PdqHash> hashes) {
    FilePrint file;
    file.kind = kPictureFile;
    for (const fingerprint::PdqHash& hash : hashes) {
        file.print += (file.print.empty() ? "" : " ") + fingerprint::to_hex(hash);
    }
    return file;
}

FilePrint sound_file(const fingerprint::SoundPrint& sound) {
    FilePrint file;
    file.kind = kSoundFile;
    file.print = fingerprint::to_text(sound);
    return file;
}

FilePrint video_file(const fingerprint::VideoPrint& video, const fingerprint::SoundPrint* sound) {
    FilePrint file;
    file.kind = kVideoFile;
    file.print = fingerprint::to_text(video);
    if (sound != nullptr) {
        file.sound = fingerprint::to_text(*sound);
    }
    return file;
}

FilePrint file_without_print(std::string kind, const std::string& why) {
    FilePrint file;
    file.kind = std::move(kind);
    // A reason may quote the file, and no file decides whether there is a record.
    const bool plain = !find_invalid_utf8(why) && why.find('\0') == std::string::npos;
    file.lacks = plain ? utf8_prefix(why, kRecordNameBytesMax)
                       : std::string_view("no print could be made of it");
    return file;
}

void keep_file(Private& personal, FilePrint file) {
    if (personal.files.size() >= kRecordFilesMax) {
        return;
    }
    if (personal.files.size() + 1 == kRecordFilesMax) {
        file = file_without_print("file", "the call has more files than a record has prints of");
    }
    std::size_t print_bytes = bytes_of(file);
    for (const FilePrint& each : personal.files) {
        print_bytes += bytes_of(each);
    }
    if (print_bytes > kRecordPrintBytesMax) {
        file.print.clear();
        file.sound.clear();
        file.lacks = "its print is too long to be kept";
    }
    personal.files.push_back(std::move(file));
}

namespace {

// The frames of such a video have no times: so far apart, no two are ever taken for neighbours.
constexpr std::int64_t kNoTimeMs = 3'600'000;

bool has_no_times(const fingerprint::VideoPrint& video) {
    return std::ranges::all_of(video.frames, [](const fingerprint::VideoFramePrint& frame) {
        return frame.time_ms == static_cast<std::int64_t>(frame.number) * kNoTimeMs;
    });
}

Result<FilePrint> sampled_video(std::span<const Print> frames) {
    fingerprint::VideoPrint video;
    for (const Print& frame : frames) {
        const auto number = static_cast<std::int64_t>(video.frames.size());
        video.frames.push_back({.number = static_cast<std::uint64_t>(number),
                                .time_ms = number * kNoTimeMs,
                                .hash = TRY(fingerprint::parse_pdq_bytes(frame.print)),
                                .quality = 100});
    }
    FilePrint file = video_file(video, nullptr);
    file.lacks = "all but some of its pictures, and their times: it is older than such prints";
    return file;
}

// Stretches overlap: what begins as the one before ends is more of the same sound.
bool goes_on(const fingerprint::SoundPrint& before, std::span<const std::uint32_t> next) {
    constexpr std::size_t kShared = kSoundStretchItems - kSoundStretchStep;
    return before.items.size() >= kShared && next.size() >= kShared &&
           std::equal(next.begin(), next.begin() + kShared, before.items.end() - kShared);
}

Result<FilePrint> joined_sound(std::span<const Print> stretches, std::size_t& taken) {
    constexpr std::size_t kShared = kSoundStretchItems - kSoundStretchStep;
    fingerprint::SoundPrint all;
    for (taken = 0; taken < stretches.size(); ++taken) {
        const auto next = TRY(fingerprint::parse_sound_print_bytes(stretches[taken].print));
        if (taken != 0 && !goes_on(all, next.items)) {
            break;
        }
        const auto shared = static_cast<std::ptrdiff_t>(taken == 0 ? 0 : kShared);
        all.items.insert(all.items.end(), next.items.begin() + shared, next.items.end());
    }
    FilePrint file = sound_file(all);
    if (taken + 1 >= kSoundPrintsMax) {
        file.lacks = "what comes after its first half hour";
    }
    return file;
}

std::size_t of_one_kind(std::span<const Print> prints) {
    const auto end = std::ranges::find_if(
        prints, [&](const Print& each) { return each.kind != prints.front().kind; });
    return static_cast<std::size_t>(end - prints.begin());
}

}  // namespace

Result<std::vector<FilePrint>> files_of_prints(std::span<const Print> prints) {
    std::vector<FilePrint> files;
    const auto add = [&](FilePrint file) {
        file.stage = "output";
        file.labelled = true;
        files.push_back(std::move(file));
    };
    while (!prints.empty()) {
        std::size_t taken = 1;
        const Print& first = prints.front();
        if (first.kind == kPicturePrint) {
            const auto hash = TRY(fingerprint::parse_pdq_bytes(first.print));
            FilePrint file = picture_file({&hash, 1});
            file.lacks =
                "the picture before its label, turned and mirrored: it is older than such prints";
            add(std::move(file));
        } else if (first.kind == kVideoPrint) {
            taken = of_one_kind(prints);
            add(TRY(sampled_video(prints.first(taken))));
        } else if (first.kind == kSoundPrint) {
            FilePrint sound = TRY(joined_sound(prints.first(of_one_kind(prints)), taken));
            if (!files.empty() && files.back().kind == kVideoFile && files.back().sound.empty()) {
                files.back().sound = std::move(sound.print);
            } else {
                add(std::move(sound));
            }
        }
        prints = prints.subspan(taken);
    }
    return files;
}

Result<FileContent> read_file(const FilePrint& file) {
    if (file.print.empty()) {
        return Error{ErrorCode::kNotFound, file.lacks};
    }
    FileContent content;
    if (file.kind == kPictureFile) {
        content.picture = TRY(read_hashes(file.print));
        return content;
    }
    if (file.kind == kSoundFile) {
        content.sound = TRY(read_sound(file.print));
        return content;
    }
    if (file.kind != kVideoFile) {
        return damaged();
    }
    auto video = fingerprint::parse_video_print(file.print);
    if (!video.ok()) {
        return damaged();
    }
    content.timed = !has_no_times(*video);
    content.video = std::move(*video);
    if (!file.sound.empty()) {
        content.sound = TRY(read_sound(file.sound));
    }
    return content;
}

}  // namespace colophon::ledger
