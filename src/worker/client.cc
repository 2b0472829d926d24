// SPDX-License-Identifier: Apache-2.0
#include "worker/client.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/codecs.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "label/provenance/signer.h"
#include "label/verify.h"
#include "media/codecs.h"
#include "worker/channel.h"
#include "worker/frames.h"
#include "worker/mapping.h"
#include "worker/prints.h"
#include "worker/protocol.h"
#include "worker/server.h"
#include "worker/veil.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

Error system_error(std::string_view what) {
    return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", what, std::strerror(errno))};
}

// An unlinked file; on disk, because what lies between two marks may be as large as the input.
Result<Fd> make_scratch() {
    const char* folder = std::getenv("TMPDIR");
    const std::string place = folder != nullptr && *folder != '\0' ? folder : "/tmp";
    Fd scratch(open(place.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!scratch.valid()) {
        scratch = Fd(memfd_create("colophon-scratch", MFD_CLOEXEC));
    }
    if (!scratch.valid()) {
        return system_error("no place for intermediate files in " + place);
    }
    // Out of the way of the descriptors that a worker has.
    return Fd(fcntl(scratch.get(), F_DUPFD_CLOEXEC, 16));
}

class SpawnActions {
public:
    SpawnActions() { posix_spawn_file_actions_init(&actions_); }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;

    void give(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
    void open_at(int fd, const char* path, int flags) {
        posix_spawn_file_actions_addopen(&actions_, fd, path, flags, 0);
    }
    void close_from(int fd) { posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

// The worker needs nothing of our environment, which may hold secrets. Two malloc arenas are enough
// and keep its memory small. Pictures come in huge pages where the kernel has them: one fault for
// each 2 MiB instead of each 4 KiB.
std::vector<std::string> worker_environment() {
    return {"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin", "MALLOC_ARENA_MAX=2", "G_SLICE=always-malloc",
            "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"};
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (std::string& word : words) {
        out.push_back(word.data());
    }
    out.push_back(nullptr);
    return out;
}

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) {
        const char* name = sigdescr_np(WTERMSIG(status));
        return fmt::format("signal {} ({})", WTERMSIG(status), name == nullptr ? "unknown" : name);
    }
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Worker::~Worker() {
    stop();
}

std::string Worker::stop() {
    socket_ = Fd();
    if (child_ < 0) {
        return "not running";
    }
    // A closed socket ends a healthy worker; one that hangs in a file does not look at it.
    kill(child_, SIGKILL);
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    return describe_end(status);
}

Result<void> Worker::start() {
    std::array<int, 2> pair{-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return system_error("no socket for the worker");
    }
    socket_ = Fd(pair[0]);
    // The other descriptors are first moved out of the way of 3 to 6.
    const Fd theirs(fcntl(pair[1], F_DUPFD_CLOEXEC, 16));
    close(pair[1]);
    const Fd scratch = TRY(make_scratch());
    const Fd second_scratch = TRY(make_scratch());
    SpawnActions actions;
    actions.give(theirs.get(), kSocketFd);
    actions.give(scratch.get(), kScratchFd);
    actions.give(second_scratch.get(), kSecondScratchFd);
    actions.close_from(kFontFd);
    if (!options_.font_path.empty()) {
        actions.open_at(kFontFd, options_.font_path.c_str(), O_RDONLY);
    }
    actions.open_at(0, "/dev/null", O_RDONLY);
    actions.open_at(1, "/dev/null", O_WRONLY);
    std::vector<std::string> words{"colophon-worker", kWorkerArgument,
                                   std::to_string(codecs_.bits())};
    std::vector<std::string> environment = worker_environment();
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(environment);
    const int failure = posix_spawn(&child_, options_.program.c_str(), actions.get(), nullptr,
                                    argv.data(), envp.data());
    if (failure != 0) {
        child_ = -1;
        return Error{ErrorCode::kUnavailable,
                     fmt::format("cannot start the worker {}: {}", options_.program,
                                 std::strerror(failure))};
    }
    return {};
}

Result<void> Worker::ensure_started() {
    if (child_ >= 0) {
        return {};
    }
    TRY(start());
    const auto deadline = std::chrono::steady_clock::now() + options_.call_max;
    auto hello = receive_message(socket_.get(), deadline);
    if (!hello.ok() || !*hello) {
        return Error{ErrorCode::kUnavailable, fmt::format("the worker did not start: {}", stop())};
    }
    if (const json::Value* error = (*hello)->body.find("error")) {
        stop();
        return decode_error(*error);
    }
    for (auto spoken = spoken_.rbegin(); spoken != spoken_.rend(); ++spoken) {
        const auto sent = send_spoken(*spoken);
        if (!sent.ok()) {
            stop();
            return sent;
        }
    }
    return {};
}

Result<void> Worker::need(media::CodecSet codecs) {
    if (codecs_.has_all(codecs)) {
        return {};
    }
    // What it has it keeps, so that a folder of many formats soon runs without replacements.
    codecs_.add(codecs);
    stop();
    return ensure_started();
}

Result<json::Value> Worker::exchange(const json::Value& request, const std::vector<int>& fds) {
    TRY(send_message(socket_.get(), request, fds));
    const auto begun = std::chrono::steady_clock::now();
    auto deadline = begun + options_.call_max;
    for (;;) {
        auto reply = TRY(receive_message(socket_.get(), deadline));
        if (!reply) {
            return Error{ErrorCode::kUnavailable, "the worker closed the channel"};
        }
        if (const json::Value* share = reply->body.find("progress")) {
            // What moves may take longer than what does not, but not for ever.
            deadline =
                std::max(deadline, std::min(begun + options_.moving_call_max,
                                            std::chrono::steady_clock::now() + options_.call_max));
            const auto done = share->as_double();
            if (options_.on_progress && done.ok() && *done >= 0 && *done <= 1) {
                options_.on_progress(*done);
            }
            continue;
        }
        const json::Value* claim = reply->body.find("claim");
        if (claim == nullptr) {
            return std::move(reply->body);
        }
        TRY(answer_claim(*claim));
    }
}

// The worker asks for the signature over a claim. It may have been taken over by the file that it
// reads, so a call gets one signature, as many as it was to get.
Result<void> Worker::answer_claim(const json::Value& claim) {
    label::provenance::ClaimSigner* signer = std::exchange(signer_, nullptr);
    const std::string* text = claim.if_string();
    const auto bytes =
        text == nullptr ? Result<Buffer>(Error{ErrorCode::kCorrupt, ""}) : from_base64(*text);
    if (signer == nullptr || !bytes.ok()) {
        return Error{ErrorCode::kCorrupt, "the worker asks for a signature that nobody owes it"};
    }
    const auto signature = signer->sign(*bytes);
    return send_message(socket_.get(),
                        signature.ok()
                            ? json::Value(json::Object{{"signature", to_base64(*signature)}})
                            : json::Value(json::Object{{"error", encode(signature.error())}}));
}

Result<json::Value> Worker::call(const json::Object& request, const std::vector<int>& fds) {
    TRY(ensure_started());
    const auto begun = std::chrono::steady_clock::now();
    auto reply = exchange(request, fds);
    if (!reply.ok()) {
        const bool late = reply.error().code == ErrorCode::kLimit;
        const std::string end = stop();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                                 std::chrono::steady_clock::now() - begun)
                                 .count();
        return Error{ErrorCode::kUnavailable,
                     late ? fmt::format("the worker was ended after {} s on this file", seconds)
                          : fmt::format("the worker died on this file ({})", end)};
    }
    if (const json::Value* peak = reply->find("peak_kilobytes")) {
        const auto kilobytes = peak->as_uint();
        if (!kilobytes.ok() || *kilobytes > options_.peak_kilobytes_max) {
            stop();
        }
    }
    if (const json::Value* error = reply->find("error")) {
        return decode_error(*error);
    }
    const json::Value* value = reply->find("ok");
    if (value == nullptr) {
        return Error{ErrorCode::kCorrupt, "the worker's answer says neither yes nor no"};
    }
    return *value;
}

Result<label::Format> Worker::probe(int input, std::string_view name) {
    if (child_ < 0 && options_.expects_media) {
        codecs_.add(label::likely_codecs(name));
    }
    const json::Value value = TRY(call({{"call", "probe"}, {"name", name}}, {input}));
    const auto format =
        label::format_by_name(value.if_string() == nullptr ? "" : *value.if_string());
    if (!format) {
        return Error{ErrorCode::kCorrupt, "the worker names a format that does not exist"};
    }
    return *format;
}

Result<LabelReport> Worker::label(const LabelFiles& files, label::Format format,
                                  const label::ApplyOptions& options,
                                  label::provenance::ClaimSigner* signer) {
    TRY(need(label::codecs_for(format, options)));
    json::Object request{
        {"call", "label"}, {"format", label::facts(format).name}, {"options", encode(options)}};
    if (signer != nullptr) {
        request.emplace_back("signature_bytes", std::uint64_t{signer->signature_bytes()});
    }
    std::vector<int> descriptors{files.input, files.output};
    if (files.fragments.descriptor >= 0) {
        request.emplace_back("fragments", encode_sizes(files.fragments.sizes));
        descriptors.push_back(files.fragments.descriptor);
        descriptors.push_back(files.fragments_output);
    } else if (files.credential >= 0) {
        descriptors.push_back(files.credential);
    }
    signer_ = signer;
    auto value = call(request, descriptors);
    signer_ = nullptr;
    return decode_label_report(TRY(std::move(value)));
}

Result<label::Verification> Worker::verify(int input, label::Format format,
                                           const label::VerifyOptions& options, int credential) {
    TRY(need(label::codecs_for(format, options)));
    std::vector<int> files{input};
    if (credential >= 0) {
        files.push_back(credential);
    }
    const json::Value value = TRY(call(
        {{"call", "verify"}, {"format", label::facts(format).name}, {"options", encode(options)}},
        files));
    return decode_verification(value);
}

Result<label::Verification> Worker::verify_movie(int input, label::Format format,
                                                 const label::VerifyOptions& options,
                                                 const FragmentFile& fragments) {
    TRY(need(label::codecs_for(format, options)));
    const json::Value value = TRY(call({{"call", "verify"},
                                        {"format", label::facts(format).name},
                                        {"options", encode(options)},
                                        {"fragments", encode_sizes(fragments.sizes)}},
                                       {input, fragments.descriptor}));
    return decode_verification(value);
}

Result<FilePrints> Worker::prints(int input, label::Format format) {
    TRY(need(print_codecs(format)));
    const json::Value value =
        TRY(call({{"call", "prints"}, {"format", label::facts(format).name}}, {input}));
    return decode_file_prints(value);
}

Result<std::vector<FileFrame>> Worker::frames(int input, int output, label::Format format) {
    TRY(need(frame_codecs()));
    const json::Value value =
        TRY(call({{"call", "frames"}, {"format", label::facts(format).name}}, {input, output}));
    const Mapping pictures = TRY(Mapping::create(output));
    return decode_frames(value, pictures.bytes());
}

Result<Veil> Worker::veil(int input, int output, label::Format format) {
    TRY(need(veil_codecs(format)));
    const json::Value value =
        TRY(call({{"call", "veil"}, {"format", label::facts(format).name}}, {input, output}));
    const Mapping file = TRY(Mapping::create(output));
    return decode_veil(value, file.bytes());
}

Result<void> Worker::set_prompt(const label::SpokenPrompt& prompt) {
    TRY(ensure_started());
    TRY(send_prompt(prompt));
    remember({.prompt = prompt, .recording = {}});
    return {};
}

namespace {

json::Object recording_request(const std::string& text) {
    return {{"call", "recording"}, {"text", text}};
}

}  // namespace

Result<void> Worker::set_recording(int recording, const std::string& text) {
    Fd copy(fcntl(recording, F_DUPFD_CLOEXEC, 16));
    if (!copy.valid()) {
        return system_error("cannot keep the recording");
    }
    TRY(need(media::CodecSet{media::Codec::kSound}));
    TRY(call(recording_request(text), {copy.get()}));
    remember({.prompt = {.text = text, .rate = 0, .samples = {}}, .recording = std::move(copy)});
    return {};
}

void Worker::remember(Spoken spoken) {
    std::erase_if(spoken_,
                  [&](const Spoken& each) { return each.prompt.text == spoken.prompt.text; });
    spoken_.insert(spoken_.begin(), std::move(spoken));
}

Result<void> Worker::send_spoken(const Spoken& spoken) {
    if (!spoken.recording.valid()) {
        return send_prompt(spoken.prompt);
    }
    const json::Value reply =
        TRY(exchange(recording_request(spoken.prompt.text), {spoken.recording.get()}));
    if (const json::Value* error = reply.find("error")) {
        return decode_error(*error);
    }
    return {};
}

Result<void> Worker::send_prompt(const label::SpokenPrompt& prompt) {
    const Fd samples(memfd_create("colophon-prompt", MFD_CLOEXEC));
    if (!samples.valid()) {
        return system_error("no room for the spoken label");
    }
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(prompt.samples.data()),
                      prompt.samples.size() * sizeof(float));
    Splice all;
    all.insert(bytes);
    TRY(write_splice(-1, {}, all, samples.get()));
    const json::Object request{
        {"call", "prompt"}, {"text", prompt.text}, {"rate", std::uint64_t{prompt.rate}}};
    const json::Value reply = TRY(exchange(request, {samples.get()}));
    if (const json::Value* error = reply.find("error")) {
        return decode_error(*error);
    }
    return {};
}

}  // namespace colophon::worker
