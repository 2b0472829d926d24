// SPDX-License-Identifier: Apache-2.0
#pragma once

// What review compares of the files of a call, as its record keeps it: complete, so that whoever
// asks later compares the same as the gateway did [DSP-10]. The prints by which records are found
// (ledger/likeness.h) are less: one hash of a picture, some frames of a video.
//
//   picture   its eight PDQ hashes (as it is, turned, mirrored), in hexadecimal, a space between
//   video     as fingerprint::to_text() writes it, and that of its sound
//   sound     the same
//
// They stand in the private half of the record, sealed under the key of its person, and go with it.

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace colophon::ledger {

// Names of kinds.
inline constexpr const char* kPictureFile = "picture";
inline constexpr const char* kVideoFile = "video";
inline constexpr const char* kSoundFile = "sound";

// What the print of a picture lacks that was made when its label stood on it already: the label
// turns some bits of the hashes.
inline constexpr const char* kBeforeLabel = "the picture as it was before its label";

// Of the file as it is compared. `stage` and `labelled` are left to the caller.
FilePrint picture_file(std::span<const fingerprint::PdqHash> hashes);
FilePrint sound_file(const fingerprint::SoundPrint& sound);
// `sound` may be nullptr.
FilePrint video_file(const fingerprint::VideoPrint& video, const fingerprint::SoundPrint* sound);
// Of one that was not compared: why; cut off at kRecordNameBytesMax.
FilePrint file_without_print(std::string kind, const std::string& why);

// The record names this file too. A print that is too long beside the others is left out, which it
// says; files beyond kRecordFilesMax are named as one that lacks its print.
void keep_file(Private& personal, FilePrint file);

// Of records of before: what the prints by which they are found say of the files that they gave
// out, each with what it lacks. kCorrupt: not what likeness.h makes.
Result<std::vector<FilePrint>> files_of_prints(std::span<const Print> prints);

// What a print is, to be compared again.
struct FileContent {
    std::vector<fingerprint::PdqHash> picture;  // empty when it is none
    std::optional<fingerprint::VideoPrint> video;
    bool timed = true;                             // of a video: its frames have their times
    std::optional<fingerprint::SoundPrint> sound;  // also of a video
};
// kNotFound: it has no print; kCorrupt: not what the functions above write.
Result<FileContent> read_file(const FilePrint& file);

}  // namespace colophon::ledger
