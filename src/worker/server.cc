// SPDX-License-Identifier: Apache-2.0
#include "worker/server.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "label/provenance/hashing.h"
#include "label/provenance/signer.h"
#include "label/verify.h"
#include "media/codecs.h"
#include "media/speech.h"
#include "media/video_transcode.h"
#include "worker/channel.h"
#include "worker/frames.h"
#include "worker/hashed_copy.h"
#include "worker/mapping.h"
#include "worker/prints.h"
#include "worker/protocol.h"
#include "worker/sandbox.h"
#include "worker/veil.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

constexpr std::size_t kPromptSamplesMax = std::size_t{60} * 48000;  // a minute
constexpr std::uint64_t kSignatureBytesMax = 1U << 20U;
constexpr std::size_t kRecordingBytesMax = 64U << 20U;  // a minute in any format

// Writes anywhere in a file that is open.
class FileSink final : public media::ByteSink {
public:
    explicit FileSink(int fd) : fd_(fd) {}
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        return worker::write_at(fd_, offset, bytes);
    }

private:
    int fd_;
};

// Files between and after the marks: the result goes to the output descriptor, what lies between
// to the two scratch files in turn, because each is made from the one before.
class FileHolder final : public label::Holder {
public:
    FileHolder(int input, Bytes bytes, int output) : output_(output) {
        sources_.push_back({input, bytes});
    }

    Result<Bytes> hold(Bytes source, const Splice& splice, bool last) override {
        const int to = last ? output_ : next_scratch();
        const int from = find(source);
        TRY(write_splice(from, source, splice, to));
        return map(to);
    }

    Result<Bytes> hold_stream(const std::function<Result<void>(media::ByteSink&)>& fill) override {
        const int to = next_scratch();
        if (ftruncate(to, 0) != 0) {
            return Error{ErrorCode::kUnavailable, "no room for an intermediate file"};
        }
        FileSink sink(to);
        TRY(fill(sink));
        return map(to);
    }

    Result<label::provenance::WrittenFile> write_hashed(
        Bytes source, const Splice& splice, label::provenance::HashAlgorithm algorithm,
        std::vector<label::provenance::ByteRange> parts) override {
        auto digests = TRY(write_splice_hashed(source, splice, algorithm, parts, output_));
        return label::provenance::WrittenFile{
            .bytes = TRY(map(output_)),
            .known = {
                .algorithm = algorithm, .parts = std::move(parts), .digests = std::move(digests)}};
    }

    Result<void> overwrite(std::uint64_t offset, Bytes bytes) override {
        return write_at(output_, offset, bytes);
    }

private:
    struct Source {
        int fd;
        Bytes bytes;
    };

    Result<Bytes> map(int fd) {
        mappings_.push_back(TRY(Mapping::create(fd)));
        sources_.push_back({fd, mappings_.back().bytes()});
        return mappings_.back().bytes();
    }

    // The newest, because an older mapping of the same file may have had the same address.
    int find(Bytes bytes) const {
        const auto row = std::find_if(sources_.rbegin(), sources_.rend(), [&](const Source& each) {
            return each.bytes.data() == bytes.data();
        });
        return row == sources_.rend() ? -1 : row->fd;
    }

    int next_scratch() {
        scratch_ = scratch_ == kScratchFd ? kSecondScratchFd : kScratchFd;
        return scratch_;
    }

    int output_;
    int scratch_ = kSecondScratchFd;
    std::deque<Mapping> mappings_;
    std::vector<Source> sources_;
};

// Asks the parent, who has the key, in the middle of a call.
class ChannelSigner final : public label::provenance::ClaimSigner {
public:
    explicit ChannelSigner(std::size_t signature_bytes) : signature_bytes_(signature_bytes) {}

    std::size_t signature_bytes() const override { return signature_bytes_; }
    Result<Buffer> sign(Bytes claim) override {
        TRY(send_message(kSocketFd, json::Object{{"claim", to_base64(claim)}}));
        auto reply = TRY(receive_message(kSocketFd));
        if (!reply) {
            return Error{ErrorCode::kUnavailable, "nobody answers for the signature"};
        }
        if (const json::Value* error = reply->body.find("error")) {
            return decode_error(*error);
        }
        Buffer signature = TRY(from_base64(reply->body.string_or("signature", "")));
        if (signature.size() != signature_bytes_) {
            return Error{ErrorCode::kCorrupt, "a signature of another length than was announced"};
        }
        return signature;
    }

private:
    std::size_t signature_bytes_;
};

class Server {
public:
    explicit Server(Mapping font) : font_(std::move(font)) {
        resources_.font = font_.bytes();
        // All files that the engine sees here are mapped.
        resources_.release = release_pages;
        resources_.progress = [this](double share) { tell_progress(share); };
    }

    // One request. Whatever goes wrong in it is its answer; only a broken channel ends the worker.
    json::Value answer(const Message& request) {
        // Libraries may throw out of memory; that is one failed call like any other.
        try {
            auto result = dispatch(request);
            return result.ok() ? json::Value(json::Object{{"ok", std::move(result).value()}})
                               : json::Value(json::Object{{"error", encode(result.error())}});
        } catch (const std::bad_alloc&) {
            return json::Object{
                {"error", encode(Error{ErrorCode::kLimit,
                                       "this file needs more memory than a worker may have"})}};
        } catch (const std::exception& failure) {
            return json::Object{{"error", encode(Error{ErrorCode::kUnavailable, failure.what()})}};
        }
    }

private:
    Result<json::Value> dispatch(const Message& request) {
        const std::string call = request.body.string_or("call", "");
        if (call == "prompt") {
            return set_prompt(request);
        }
        if (call == "recording") {
            return set_recording(request);
        }
        if (request.fds.empty()) {
            return Error{ErrorCode::kInvalidArgument, "a request without a file"};
        }
        const int input = request.fds[0].get();
        const Mapping mapping = TRY(Mapping::create(input));
        if (call == "probe") {
            return probe(mapping.bytes(), request.body.string_or("name", ""));
        }
        const auto format = label::format_by_name(request.body.string_or("format", ""));
        if (call == "prints" && format) {
            return encode(TRY(make_prints(mapping.bytes(), *format)));
        }
        if (call == "frames" && format && request.fds.size() == 2) {
            return write_frames(TRY(make_frames(mapping.bytes(), *format)), request.fds[1].get());
        }
        if (call == "veil" && format && request.fds.size() == 2) {
            const Veil veil = TRY(make_veil(mapping.bytes(), *format));
            FileSink sink(request.fds[1].get());
            TRY(sink.write_at(0, veil.file));
            return encode(veil);
        }
        const json::Value* options = request.body.find("options");
        if (!format || options == nullptr) {
            return Error{ErrorCode::kInvalidArgument, "a request without format or options"};
        }
        if (call == "verify") {
            return verify_file(request, mapping, *format, TRY(decode_verify_options(*options)));
        }
        if (call == "label" && request.fds.size() >= 2) {
            return label_file(request, mapping, *format, TRY(decode_apply_options(*options)));
        }
        return Error{ErrorCode::kInvalidArgument, "a request that no worker knows"};
    }

    // A call that says how far it is has not got stuck; at most so often that nobody drowns in it.
    void tell_progress(double share) {
        constexpr std::chrono::milliseconds kInterval{250};
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ >= kInterval) {
            told_ = now;
            // A broken channel shows when the answer is sent.
            static_cast<void>(send_message(kSocketFd, json::Object{{"progress", share}}));
        }
    }

    static Result<json::Value> write_frames(const std::vector<FileFrame>& frames, int output) {
        FileSink sink(output);
        std::uint64_t at = 0;
        for (const FileFrame& each : frames) {
            TRY(sink.write_at(at, each.picture));
            at += each.picture.size();
        }
        return encode(frames);
    }

    static Result<json::Value> probe(Bytes bytes, const std::string& name) {
        const auto format = label::detect_format(bytes, name);
        if (!format) {
            return Error{ErrorCode::kUnsupported, "a kind of file that is not known here"};
        }
        return json::Value(label::facts(*format).name);
    }

    // What lies beside the file: its credential, or the fragments of the movie that it begins.
    struct Beside {
        Mapping mapping;
        Bytes credential;
        std::vector<Bytes> fragments;
    };
    // In the file behind those that the call needs anyway.
    static Result<Beside> open_beside(const Message& request, std::size_t needed) {
        Beside beside;
        const json::Value* sizes = request.body.find("fragments");
        if (request.fds.size() <= needed) {
            return beside;
        }
        beside.mapping = TRY(Mapping::create(request.fds[needed].get()));
        if (sizes != nullptr) {
            const std::vector<std::uint64_t> lengths = TRY(decode_sizes(sizes));
            beside.fragments = TRY(cut(beside.mapping.bytes(), lengths));
            return beside;
        }
        beside.credential = beside.mapping.bytes();
        if (beside.credential.size() > limits::kDetachedStoreBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("Content Credentials of {} bytes beside the file; at most {} "
                                     "are read",
                                     beside.credential.size(), limits::kDetachedStoreBytesMax)};
        }
        return beside;
    }

    static Result<std::vector<Bytes>> cut(Bytes bytes, const std::vector<std::uint64_t>& sizes) {
        std::vector<Bytes> parts;
        for (const std::uint64_t size : sizes) {
            if (size > bytes.size()) {
                return Error{ErrorCode::kCorrupt, "fragments that are shorter than was said"};
            }
            parts.push_back(bytes.first(static_cast<std::size_t>(size)));
            bytes = bytes.subspan(static_cast<std::size_t>(size));
        }
        if (!bytes.empty()) {
            return Error{ErrorCode::kCorrupt, "fragments that are longer than was said"};
        }
        return parts;
    }

    void lend(const Beside& beside) {
        resources_.credential = beside.credential;
        resources_.fragments = beside.fragments;
    }

    static Result<std::vector<std::uint64_t>> write_fragments(const std::vector<Bytes>& sources,
                                                              const std::vector<Splice>& splices,
                                                              int output) {
        FileSink sink(output);
        std::uint64_t at = 0;
        std::vector<std::uint64_t> sizes;
        for (std::size_t i = 0; i < splices.size(); ++i) {
            for (const SplicePiece& piece : splices[i].pieces()) {
                const Bytes part =
                    piece.source_size == 0
                        ? Bytes(piece.bytes)
                        : sources[i].subspan(static_cast<std::size_t>(piece.source_offset),
                                             static_cast<std::size_t>(piece.source_size));
                TRY(sink.write_at(at, part));
                at += part.size();
            }
            release_pages(sources[i]);
            sizes.push_back(splices[i].size());
        }
        return sizes;
    }

    Result<json::Value> verify_file(const Message& request, const Mapping& input,
                                    label::Format format, const label::VerifyOptions& options) {
        const Beside beside = TRY(open_beside(request, 1));
        lend(beside);
        auto seen = label::verify(input.bytes(), format, options, resources_);
        lend({});
        return encode(TRY(std::move(seen)));
    }

    Result<json::Value> label_file(const Message& request, const Mapping& input,
                                   label::Format format, const label::ApplyOptions& options) {
        FileHolder holder(request.fds[0].get(), input.bytes(), request.fds[1].get());
        std::optional<ChannelSigner> signer;
        resources_.signer = nullptr;
        if (const json::Value* bytes = request.body.find("signature_bytes")) {
            const std::uint64_t size = TRY(bytes->as_uint());
            if (size > kSignatureBytesMax) {
                return Error{ErrorCode::kLimit, "a claim signature of that length is not made"};
            }
            signer.emplace(static_cast<std::size_t>(size));
            resources_.signer = &*signer;
        }
        const Beside beside = TRY(open_beside(request, 2));
        if (!beside.fragments.empty() && request.fds.size() != 4) {
            return Error{ErrorCode::kInvalidArgument, "fragments without a place to go"};
        }
        lend(beside);
        auto result = label::apply(input.bytes(), format, options, resources_, holder);
        resources_.signer = nullptr;
        lend({});
        label::Applied applied = TRY(std::move(result));
        std::vector<std::uint64_t> sizes;
        if (!applied.fragments.empty()) {
            sizes = TRY(write_fragments(beside.fragments, applied.fragments, request.fds[3].get()));
        }
        return encode(LabelReport{.written = applied.written,
                                  .explicit_mark = std::move(applied.explicit_mark),
                                  .watermark = applied.watermark,
                                  .label = std::move(applied.label),
                                  .where = std::move(applied.where),
                                  .credential = std::move(applied.credential),
                                  .detached = std::move(applied.detached),
                                  .fragments = std::move(sizes),
                                  .findings = std::move(applied.findings)});
    }

    // Prompts come from the parent, as samples in a memory file. The newest stands first: the one
    // to put on a file; the others are also looked for.
    Result<json::Value> set_prompt(const Message& request) {
        const json::Value* rate = request.body.find("rate");
        if (request.fds.empty() || rate == nullptr) {
            return Error{ErrorCode::kInvalidArgument, "a prompt without samples or rate"};
        }
        const Mapping samples = TRY(Mapping::create(request.fds[0].get()));
        const std::size_t count = samples.bytes().size() / sizeof(float);
        const std::uint64_t hertz = TRY(rate->as_uint());
        if (count > kPromptSamplesMax || hertz == 0 || hertz > limits::kAudioRateMax) {
            return Error{ErrorCode::kLimit, "a prompt is at most a minute long"};
        }
        label::SpokenPrompt prompt{.text = request.body.string_or("text", ""),
                                   .rate = static_cast<std::uint32_t>(hertz),
                                   .samples = std::vector<float>(count)};
        if (count > 0) {
            std::memcpy(prompt.samples.data(), samples.bytes().data(), count * sizeof(float));
        }
        take_prompt(std::move(prompt));
        return json::Value(true);
    }

    // A recording is bytes from outside like any file, so it is decoded here and not by who has it.
    Result<json::Value> set_recording(const Message& request) {
        if (request.fds.empty()) {
            return Error{ErrorCode::kInvalidArgument, "a recording without a file"};
        }
        const Mapping mapping = TRY(Mapping::create(request.fds[0].get()));
        if (mapping.bytes().size() > kRecordingBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a recording of the spoken label has at most {} bytes, this "
                                     "has {}",
                                     kRecordingBytesMax, mapping.bytes().size())};
        }
        media::SpokenPcm pcm = TRY(media::load_recording(mapping.bytes()));
        take_prompt({.text = request.body.string_or("text", ""),
                     .rate = pcm.rate,
                     .samples = std::move(pcm.samples)});
        return json::Value(true);
    }

    void take_prompt(label::SpokenPrompt prompt) {
        std::erase_if(resources_.prompts,
                      [&](const label::SpokenPrompt& each) { return each.text == prompt.text; });
        resources_.prompts.insert(resources_.prompts.begin(), std::move(prompt));
    }

    Mapping font_;
    label::Resources resources_;
    std::chrono::steady_clock::time_point told_;
};

std::int64_t peak_kilobytes() {
    rusage usage{};
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

int answer_until_closed(Server& server) {
    for (;;) {
        auto request = receive_message(kSocketFd);
        if (!request.ok()) {
            return 1;
        }
        if (!*request) {
            return 0;
        }
        json::Value reply = server.answer(**request);
        reply.if_object()->emplace_back("peak_kilobytes", peak_kilobytes());
        if (!send_message(kSocketFd, reply).ok()) {
            return 1;
        }
    }
}

}  // namespace

int serve(media::CodecSet codecs, const SandboxLimits& limits) {
    // Ends with its parent, also when that is killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Mapping font;
    if (fcntl(kFontFd, F_GETFD) >= 0) {
        auto mapped = Mapping::create(kFontFd);
        if (mapped.ok()) {
            font = std::move(mapped).value();
        }
    }
    Result<void> ready = media::load(codecs);
    if (ready.ok()) {
        ready = lock_process(limits);
    }
    const json::Value hello = ready.ok()
                                  ? json::Value(json::Object{{"ok", true}})
                                  : json::Value(json::Object{{"error", encode(ready.error())}});
    if (!send_message(kSocketFd, hello).ok() || !ready.ok()) {
        return 1;
    }
    Server server(std::move(font));
    return answer_until_closed(server);
}

}  // namespace colophon::worker
