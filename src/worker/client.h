// SPDX-License-Identifier: Apache-2.0
#pragma once

// The product's side of a worker: the same calls as label::apply and label::verify, on descriptors,
// in another process. A worker is reused while it is healthy; when it dies or takes too long, that
// is the error of one call, and the next call gets a new worker.

#include "core/json.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "label/provenance/signer.h"
#include "label/verify.h"
#include "media/codecs.h"
#include "worker/channel.h"
#include "worker/frames.h"
#include "worker/prints.h"
#include "worker/protocol.h"
#include "worker/veil.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::worker {

struct WorkerOptions {
    // The program that calls serve() when its first argument is kWorkerArgument.
    std::string program = "/proc/self/exe";
    std::string font_path;  // empty: no words are drawn or looked for in pictures
    // Whether calls about explicit labels are to be expected: then the first worker starts with the
    // codecs that the first file's name suggests. What a call needs besides it gets in any case, in
    // a new worker, because a locked one loads nothing.
    bool expects_media = true;
    std::chrono::seconds call_max{120};
    // Calls that say how far they are (videos) may take so long in all, if they say it at least
    // every call_max.
    std::chrono::seconds moving_call_max{120};
    // Share of such a call, 0 .. 1; from the thread that calls.
    std::function<void(double)> on_progress = nullptr;
    std::uint64_t peak_kilobytes_max = 2ULL << 20U;  // above it the worker is replaced
};

// The fragments of a movie whose initialization segment is the input (label::Resources): all of
// them in one file, one behind the other.
struct FragmentFile {
    int descriptor = -1;  // none
    std::vector<std::uint64_t> sizes;
};

// Descriptors.
struct LabelFiles {
    int input = -1;
    int output = -1;
    int credential = -1;  // the manifest store that lies beside the input; -1: none
    FragmentFile fragments = {};
    int fragments_output = -1;  // where they go; LabelReport::fragments has their sizes there
};

class Worker {
public:
    explicit Worker(WorkerOptions options) : options_(std::move(options)) {}
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // What kind of file is this? `name` helps with texts. kUnsupported when it is none we know.
    Result<label::Format> probe(int input, std::string_view name);

    // `output` is written from its start and cut at the end of the labelled file; after an error
    // its content means nothing.
    // `signer` is asked from here, where the key may be; the worker never sees it. Once per call.
    Result<LabelReport> label(const LabelFiles& files, label::Format format,
                              const label::ApplyOptions& options,
                              label::provenance::ClaimSigner* signer = nullptr);
    // `credential`: a file with the manifest store that lies beside the input; -1: none.
    Result<label::Verification> verify(int input, label::Format format,
                                       const label::VerifyOptions& options, int credential = -1);
    // The same of a movie, with its fragments.
    Result<label::Verification> verify_movie(int input, label::Format format,
                                             const label::VerifyOptions& options,
                                             const FragmentFile& fragments);

    // Prints of a file for finding it again. kUnsupported when !takes_prints(format).
    Result<FilePrints> prints(int input, label::Format format);

    // Pictures out of a video (worker/frames.h). `output` is an empty file that they pass through.
    Result<std::vector<FileFrame>> frames(int input, int output, label::Format format);

    // What is shown instead of a picture or video (worker/veil.h). `output` is an empty file that
    // it passes through. kUnsupported when !takes_veil(format).
    Result<Veil> veil(int input, int output, label::Format format);

    // A spoken label to put on sounds and to look for; the last one given is the one put on.
    Result<void> set_prompt(const label::SpokenPrompt& prompt);

    // The same from the user's own recording of those words, which is decoded in the worker. The
    // descriptor is kept by a copy. kUnsupported, kCorrupt, kLimit: the recording.
    Result<void> set_recording(int recording, const std::string& text);

    pid_t process() const noexcept { return child_; }

private:
    Result<void> need(media::CodecSet codecs);
    Result<json::Value> call(const json::Object& request, const std::vector<int>& fds);
    Result<json::Value> exchange(const json::Value& request, const std::vector<int>& fds);
    Result<void> answer_claim(const json::Value& claim);
    Result<void> ensure_started();
    Result<void> start();
    // What a new worker is told first: a prompt, or the recording from which it makes one.
    struct Spoken {
        label::SpokenPrompt prompt;
        Fd recording;
    };
    Result<void> send_spoken(const Spoken& spoken);
    void remember(Spoken spoken);
    Result<void> send_prompt(const label::SpokenPrompt& prompt);
    std::string stop();  // returns how the process ended, in words

    WorkerOptions options_;
    Fd socket_;
    pid_t child_ = -1;
    label::provenance::ClaimSigner* signer_ = nullptr;  // of the call that is running
    media::CodecSet codecs_;      // of the running worker, or of the one to start next
    std::vector<Spoken> spoken_;  // the newest first
};

}  // namespace colophon::worker
