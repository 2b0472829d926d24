// SPDX-License-Identifier: Apache-2.0
#include "storage/s3_objects.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "storage/internal/s3_client.h"
#include "storage/internal/s3_xml.h"
#include "storage/limits.h"
#include "storage/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::size_t kPartsMax = 10'000;
constexpr std::size_t kPartBytesLeast = 5U << 20U;
constexpr int kPreconditionFailed = 412;
constexpr std::string_view kMarkHeader = "x-amz-meta-colophon-write";

bool succeeded(const HttpResponse& answer) {
    return answer.status >= 200 && answer.status < 300;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

// Whether the server itself sees to it that nothing is replaced.
enum class Condition : std::uint8_t { kTrusted, kAskedToo };

class S3Objects final : public ObjectStore {
public:
    S3Objects(S3Settings settings, S3Parts parts)
        : settings_(std::move(settings)), client_(settings_, std::move(parts)) {}

    Result<void> probe();

    Result<std::unique_ptr<ObjectWriter>> write(std::string_view name, Existing existing) override;
    Result<Buffer> get(std::string_view name, std::uint64_t bytes_max) override;
    Result<Buffer> get_range(std::string_view name, std::uint64_t offset,
                             std::uint64_t size) override;
    Result<std::optional<std::uint64_t>> size(std::string_view name) override;
    Result<void> list(std::string_view prefix,
                      const std::function<bool(std::string_view name)>& each) override;
    Result<void> remove(std::string_view name) override;

private:
    friend class S3Writer;

    // What HEAD says of an object; nothing when there is none.
    struct Facts {
        std::uint64_t bytes = 0;
        std::string mark;
    };
    Result<std::optional<Facts>> facts(std::string_view name);
    Result<std::string> list_page(std::string_view prefix, const std::string& from,
                                  const std::function<bool(std::string_view)>& each, bool& more);
    // Puts the conditions of `existing` on a request that makes the object appear.
    void condition(S3Call& call, Existing existing) const;
    // The outcome of such a request.
    Result<void> settle(const Result<S3Answer>& done, std::string_view name, Existing existing,
                        const std::string& mark);
    // Error{kConflict} for kRefuse, true for kKeep when the object is there; for stores without
    // conditions.
    Result<bool> stays(std::string_view name, Existing existing,
                       Condition condition = Condition::kTrusted);

    S3Settings settings_;
    S3Client client_;
};

// Content up to one part is put at once. What is larger goes up in parts; the last part is held
// back, because the request that completes the object needs one.
class S3Writer final : public ObjectWriter {
public:
    S3Writer(S3Objects& store, std::string name, Existing existing, std::string mark)
        : store_(store), name_(std::move(name)), existing_(existing), mark_(std::move(mark)) {}
    ~S3Writer() override {
        if (!upload_.empty()) {
            // Nobody is left to hear of a failure; stores can be told to drop old uploads.
            (void)store_.client_.call(
                {.method = "DELETE", .name = name_, .query = {{"uploadId", upload_}}});
        }
    }
    S3Writer(const S3Writer&) = delete;
    S3Writer& operator=(const S3Writer&) = delete;
    S3Writer(S3Writer&&) = delete;
    S3Writer& operator=(S3Writer&&) = delete;

    Result<void> append(Bytes piece) override;
    Result<void> commit() override;

private:
    Result<void> begin_upload();
    Result<void> upload_part();
    Result<void> put_whole();
    Result<void> complete();

    S3Objects& store_;
    std::string name_;
    Existing existing_;
    std::string mark_;
    Buffer held_;
    std::string upload_;             // empty: none was begun
    std::vector<std::string> tags_;  // of the parts that are up
};

Result<void> S3Writer::begin_upload() {
    const S3Answer answer =
        TRY(store_.client_.call({.method = "POST",
                                 .name = name_,
                                 .query = {{"uploads", ""}},
                                 .headers = {{std::string(kMarkHeader), mark_}}}));
    const XmlElement document = TRY(parse_s3_xml(as_text(answer.response.body)));
    upload_ = document.text_of("UploadId");
    if (upload_.empty()) {
        return Error{ErrorCode::kCorrupt, "the store began an upload and gave it no number"};
    }
    return {};
}

Result<void> S3Writer::upload_part() {
    if (tags_.size() == kPartsMax) {
        return Error{ErrorCode::kLimit, fmt::format("an object has more than {} parts of {} bytes",
                                                    kPartsMax, store_.settings_.part_bytes)};
    }
    if (upload_.empty()) {
        TRY(begin_upload());
    }
    const S3Answer answer = TRY(store_.client_.call(
        {.method = "PUT",
         .name = name_,
         .query = {{"partNumber", fmt::format("{}", tags_.size() + 1)}, {"uploadId", upload_}},
         .body = held_}));
    tags_.emplace_back(answer.response.header("etag"));
    held_.clear();
    return {};
}

Result<void> S3Writer::append(Bytes piece) {
    const std::size_t part_bytes = store_.settings_.part_bytes;
    while (!piece.empty()) {
        if (held_.size() == part_bytes) {
            TRY(upload_part());
        }
        const std::size_t taken = std::min(piece.size(), part_bytes - held_.size());
        colophon::append(held_, piece.first(taken));
        piece = piece.subspan(taken);
    }
    return {};
}

Result<void> S3Writer::put_whole() {
    S3Call call{.method = "PUT",
                .name = name_,
                .headers = {{std::string(kMarkHeader), mark_},
                            {"content-type", "application/octet-stream"}},
                .body = held_};
    store_.condition(call, existing_);
    return store_.settle(store_.client_.call(call), name_, existing_, mark_);
}

Result<void> S3Writer::complete() {
    TRY(upload_part());
    std::string body = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < tags_.size(); ++i) {
        std::string tag;
        for (const char c : tags_[i]) {
            tag += c == '"' ? "&quot;" : c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
        }
        body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, tag);
    }
    body += "</CompleteMultipartUpload>";
    S3Call call{.method = "POST",
                .name = name_,
                .query = {{"uploadId", upload_}},
                .headers = {{"content-type", "application/xml"}},
                .body = as_bytes(body)};
    store_.condition(call, existing_);
    Result<S3Answer> done = store_.client_.call(call);
    // The first bytes of this answer are sent before the store knows how it ends.
    if (done.ok() && succeeded(done->response)) {
        const Result<XmlElement> document = parse_s3_xml(as_text(done->response.body));
        if (!document.ok() || document->name != "CompleteMultipartUploadResult") {
            done = Error{ErrorCode::kUnavailable,
                         fmt::format("the store could not put the parts of {} together", name_)};
        }
    }
    TRY(store_.settle(done, name_, existing_, mark_));
    upload_.clear();
    return {};
}

Result<void> S3Writer::commit() {
    // Some servers look at the condition of a whole object and not at that of an upload in parts
    // (Ceph 16): these are asked before, which leaves two writers who meet at the same moment.
    const Condition condition = tags_.empty() ? Condition::kTrusted : Condition::kAskedToo;
    if (TRY(store_.stays(name_, existing_, condition))) {
        return {};
    }
    return tags_.empty() ? put_whole() : complete();
}

void S3Objects::condition(S3Call& call, Existing existing) const {
    if (existing != Existing::kReplace && settings_.conditional_writes) {
        call.headers.push_back({"if-none-match", "*"});
        call.expected = kPreconditionFailed;
    }
}

Result<bool> S3Objects::stays(std::string_view name, Existing existing, Condition condition) {
    const bool trusted = settings_.conditional_writes && condition == Condition::kTrusted;
    if (existing == Existing::kReplace || trusted) {
        return false;
    }
    if (!TRY(facts(name)).has_value()) {
        return false;
    }
    if (existing == Existing::kRefuse) {
        return Error{ErrorCode::kConflict, fmt::format("the object {} is there already", name)};
    }
    return true;
}

Result<void> S3Objects::settle(const Result<S3Answer>& done, std::string_view name,
                               Existing existing, const std::string& mark) {
    if (!done.ok()) {
        // An upload that is no more may be one that was completed by an attempt whose answer was
        // lost.
        if (done.error().code == ErrorCode::kNotFound) {
            const std::optional<Facts> there = TRY(facts(name));
            if (there && there->mark == mark) {
                return {};
            }
        }
        return done.error();
    }
    if (done->response.status != kPreconditionFailed || existing == Existing::kKeep) {
        return {};
    }
    if (done->attempts > 1) {
        const std::optional<Facts> there = TRY(facts(name));
        if (there && there->mark == mark) {
            return {};  // our own earlier attempt, whose answer was lost
        }
    }
    return Error{ErrorCode::kConflict, fmt::format("the object {} is there already", name)};
}

Result<void> S3Objects::probe() {
    TRY(client_.call(
        {.method = "GET",
         .name = {},
         .query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", settings_.prefix}},
         .body_bytes_max = kS3XmlBytesMax}));
    return {};
}

Result<std::unique_ptr<ObjectWriter>> S3Objects::write(std::string_view name, Existing existing) {
    TRY(check_object_name(name));
    std::string mark = TRY(client_.mark());
    return std::unique_ptr<ObjectWriter>(
        std::make_unique<S3Writer>(*this, std::string(name), existing, std::move(mark)));
}

Result<Buffer> S3Objects::get(std::string_view name, std::uint64_t bytes_max) {
    TRY(check_object_name(name));
    const std::uint64_t allowed = std::min(bytes_max, kObjectInMemoryBytesMax);
    S3Answer answer =
        TRY(client_.call({.method = "GET", .name = std::string(name), .body_bytes_max = allowed}));
    return std::move(answer.response.body);
}

Result<Buffer> S3Objects::get_range(std::string_view name, std::uint64_t offset,
                                    std::uint64_t size_wanted) {
    constexpr int kPartial = 206;
    constexpr int kNotSatisfiable = 416;
    TRY(check_object_name(name));
    if (size_wanted > kObjectInMemoryBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a range of {} bytes is too large", size_wanted)};
    }
    // An empty range cannot be asked for; neither can one beyond what a number of bytes can be.
    if (size_wanted == 0 || offset > UINT64_MAX - size_wanted) {
        if (!TRY(facts(name)).has_value()) {
            return Error{ErrorCode::kNotFound, fmt::format("there is no object {}", name)};
        }
        return Buffer{};
    }
    S3Answer answer = TRY(client_.call(
        {.method = "GET",
         .name = std::string(name),
         .headers = {{"range", fmt::format("bytes={}-{}", offset, offset + size_wanted - 1)}},
         .body_bytes_max = std::max<std::uint64_t>(size_wanted, kS3ErrorBytesMax),
         .expected = kNotSatisfiable}));
    if (answer.response.status == kNotSatisfiable) {
        return Buffer{};
    }
    if (answer.response.status != kPartial || answer.response.body.size() > size_wanted) {
        return Error{ErrorCode::kUnsupported, "the store gives no ranges of objects"};
    }
    return std::move(answer.response.body);
}

Result<std::optional<S3Objects::Facts>> S3Objects::facts(std::string_view name) {
    constexpr int kNotFound = 404;
    TRY(check_object_name(name));
    const S3Answer answer =
        TRY(client_.call({.method = "HEAD", .name = std::string(name), .expected = kNotFound}));
    if (answer.response.status == kNotFound) {
        return std::optional<Facts>();
    }
    const auto bytes = number(answer.response.header("content-length"));
    if (!bytes) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the store does not say how large the object {} is", name)};
    }
    return std::optional<Facts>(Facts{*bytes, std::string(answer.response.header(kMarkHeader))});
}

Result<std::optional<std::uint64_t>> S3Objects::size(std::string_view name) {
    const std::optional<Facts> found = TRY(facts(name));
    return found ? std::optional<std::uint64_t>(found->bytes) : std::nullopt;
}

// One page from `from` on; returns where the next begins, and whether there is one.
Result<std::string> S3Objects::list_page(std::string_view prefix, const std::string& from,
                                         const std::function<bool(std::string_view)>& each,
                                         bool& more) {
    S3Call call{.method = "GET",
                .name = {},
                .query = {{"list-type", "2"},
                          {"max-keys", fmt::format("{}", settings_.page_keys)},
                          {"prefix", settings_.prefix + std::string(prefix)}},
                .body_bytes_max = kS3XmlBytesMax};
    if (!from.empty()) {
        call.query.emplace_back("continuation-token", from);
    }
    const S3Answer answer = TRY(client_.call(call));
    const XmlElement page = TRY(parse_s3_xml(as_text(answer.response.body)));
    if (page.name != "ListBucketResult") {
        return Error{ErrorCode::kCorrupt, "the store answered a list with something else"};
    }
    more = page.text_of("IsTruncated") == "true";
    for (const XmlElement& entry : page.children) {
        std::string_view name = entry.text_of("Key");
        if (entry.name != "Contents" || !name.starts_with(settings_.prefix)) {
            continue;
        }
        name.remove_prefix(settings_.prefix.size());
        // Others may keep things in the bucket whose names ours cannot be.
        if (check_object_name(name).ok() && !each(name)) {
            more = false;
            break;
        }
    }
    std::string next(page.text_of("NextContinuationToken"));
    if (more && (next.empty() || next == from)) {
        return Error{ErrorCode::kCorrupt, "the store cut a list and does not say where it goes on"};
    }
    return next;
}

Result<void> S3Objects::list(std::string_view prefix,
                             const std::function<bool(std::string_view name)>& each) {
    TRY(check_object_prefix(prefix));
    std::string from;
    bool more = true;
    while (more) {
        from = TRY(list_page(prefix, from, each, more));
    }
    return {};
}

Result<void> S3Objects::remove(std::string_view name) {
    TRY(check_object_name(name));
    TRY(client_.call({.method = "DELETE", .name = std::string(name), .expected = 404}));
    return {};
}

bool is_host_text(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
    });
}

Result<void> check_settings(const S3Settings& settings) {
    const auto wrong = [](std::string_view which, std::string_view what) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("S3 {}: {}", which, what)};
    };
    const std::string_view endpoint = settings.endpoint;
    const std::size_t scheme = endpoint.starts_with("https://")  ? 8
                               : endpoint.starts_with("http://") ? 7
                                                                 : 0;
    if (scheme == 0 || !is_host_text(endpoint.substr(scheme))) {
        return wrong("endpoint",
                     "must be http:// or https:// with a host, a port or none, no path");
    }
    const bool bucket_ok =
        settings.bucket.size() >= 3 && settings.bucket.size() <= 63 &&
        std::ranges::all_of(settings.bucket, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
        });
    if (!bucket_ok) {
        return wrong("bucket", "must be 3 to 63 small letters, digits, '.' and '-'");
    }
    if (settings.region.empty() || settings.access_key.empty() || settings.secret_key.empty()) {
        return wrong("region, access key and secret key", "must all be given");
    }
    if (!check_object_prefix(settings.prefix).ok()) {
        return wrong("prefix", "must be empty or the beginning of an object's name");
    }
    if (settings.part_bytes < kPartBytesLeast || settings.part_bytes > kObjectInMemoryBytesMax) {
        return wrong("part size", "must be 5 MiB to 64 MiB");
    }
    if (settings.page_keys < 1 || settings.page_keys > 1000) {
        return wrong("page", "must be 1 to 1000 keys");
    }
    if (settings.attempts_max < 1 || settings.attempts_max > 10) {
        return wrong("attempts", "must be 1 to 10");
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3_objects(S3Settings settings, S3Parts parts) {
    TRY(check_settings(settings));
    auto store = std::make_unique<S3Objects>(std::move(settings), std::move(parts));
    TRY(store->probe());
    return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace colophon::storage
