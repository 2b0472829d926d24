// SPDX-License-Identifier: Apache-2.0
#include "gateway/upload.h"

#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/multipart.h"
#include "label/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::string_view kFile = "file";
constexpr std::size_t kFieldBytesMax = 4096;  // of a form, but for the file
constexpr std::array<std::string_view, 3> kOfLabels{"name", "service", "origin"};
constexpr std::array<std::string_view, 2> kOfVerifications{"name", "signed"};

class Reading {
public:
    Reading(Call& call, UploadFor purpose, Upload& upload)
        : call_(call), purpose_(purpose), upload_(upload) {}

    std::optional<Refusal> read_query() {
        const std::string& query = call_.exchange.request().query;
        const auto read = [&](const auto& names) -> std::optional<Refusal> {
            for (const std::string_view name : names) {
                const auto value = http::query_field(query, name);
                if (auto refusal = value ? take(name, *value) : std::nullopt) {
                    return refusal;
                }
            }
            return std::nullopt;
        };
        return purpose_ == UploadFor::kLabel ? read(kOfLabels) : read(kOfVerifications);
    }

    // A part of the form begins.
    std::optional<Refusal> open_part(http::FormPart part) {
        in_file_ = part.name == kFile;
        field_ = std::move(part.name);
        value_.clear();
        if (!in_file_) {
            return part.file_name ? std::optional(invalid_request(
                                        "the file of a form is its field \"file\"", field_))
                                  : std::nullopt;
        }
        if (file_name_ || !part.file_name) {
            return invalid_request(
                "a form has one field \"file\", and it is a file: with a file name", field_);
        }
        file_name_ = std::move(part.file_name);
        return std::nullopt;
    }

    bool in_file() const noexcept { return in_file_; }

    // Of a part that is no file.
    std::optional<Refusal> add_value(std::string_view data, bool last) {
        value_.append(data.substr(0, kFieldBytesMax + 1));
        return last || value_.size() > kFieldBytesMax ? take(field_, value_) : std::nullopt;
    }

    std::optional<Refusal> end_form() {
        if (!file_name_) {
            return invalid_request("the form has no field \"file\"", std::string(kFile));
        }
        if (!taken_.contains("name")) {
            upload_.name = std::move(*file_name_);
        }
        return std::nullopt;
    }

private:
    std::optional<Refusal> take(std::string_view name, std::string_view value) {
        if (value.size() > kFieldBytesMax) {
            return invalid_request("a field is too long", std::string(name));
        }
        if (!taken_.insert(std::string(name)).second) {
            return invalid_request("this field is given twice", std::string(name));
        }
        if (name == "name") {
            upload_.name = value;
            return std::nullopt;
        }
        if (purpose_ == UploadFor::kVerification && name == "signed") {
            upload_.wants_signed = value == "true";
            return value == "true" || value == "false"
                       ? std::nullopt
                       : std::optional(invalid_request("signed is true or false", "signed"));
        }
        if (purpose_ == UploadFor::kLabel && name == "service") {
            return take_service(value);
        }
        if (purpose_ == UploadFor::kLabel && name == "origin") {
            return take_origin(value);
        }
        return invalid_request("the form has a field that is not known here", std::string(name));
    }

    std::optional<Refusal> take_service(std::string_view value) {
        const auto parsed = label::parse_service(value);
        if (!parsed) {
            return invalid_request(
                "service is one of dialogue, voice, face, scene, content and other", "service");
        }
        call_.service = *parsed;
        return std::nullopt;
    }

    std::optional<Refusal> take_origin(std::string_view value) {
        const auto parsed = label::parse_origin(value);
        if (!parsed) {
            return invalid_request("origin is one of generated, edited and suspected", "origin");
        }
        call_.origin = *parsed;
        return std::nullopt;
    }

    Call& call_;
    UploadFor purpose_;
    Upload& upload_;
    std::set<std::string, std::less<>> taken_;
    // Of a form.
    bool in_file_ = false;
    std::string field_;
    std::string value_;
    std::optional<std::string> file_name_;
};

Error too_large(std::uint64_t bytes_max) {
    return Error{ErrorCode::kLimit, fmt::format("a file has more than {} bytes", bytes_max)};
}

Task<std::optional<Refusal>> put(Call& call, FileIntake& intake, std::string_view piece) {
    if (intake.size() + piece.size() > call.settings->file_bytes_max) {
        co_return body_failure(too_large(call.settings->file_bytes_max));
    }
    const auto kept = co_await intake.put(piece);
    if (!kept.ok()) {
        co_return spool_failure(kept.error());
    }
    co_return std::nullopt;
}

Task<std::optional<Refusal>> read_raw(Call& call, FileIntake& intake) {
    std::string piece;
    for (;;) {
        piece.clear();
        const auto count = co_await call.exchange.read_some(piece);
        if (!count.ok()) {
            co_return body_failure(count.error());
        }
        if (*count == 0) {
            co_return std::nullopt;
        }
        auto refusal = co_await put(call, intake, piece);
        if (refusal) {
            co_return refusal;
        }
    }
}

Task<std::optional<Refusal>> read_form(Call& call, Reading& reading, FileIntake& intake,
                                       http::FormScanner& scanner) {
    std::string window;
    bool whole = false;
    for (;;) {
        auto event = scanner.next(window, whole);
        if (!event.ok()) {
            co_return invalid_request(event.error().what, "");
        }
        std::optional<Refusal> refusal;
        switch (event->kind) {
            case http::FormEvent::Kind::kEnd:
                co_return reading.end_form();
            case http::FormEvent::Kind::kPart:
                refusal = reading.open_part(std::move(event->part));
                break;
            case http::FormEvent::Kind::kData:
                if (reading.in_file()) {
                    refusal = co_await put(call, intake, event->data);
                } else {
                    refusal = reading.add_value(event->data, event->last);
                }
                break;
            case http::FormEvent::Kind::kMore:
                break;
        }
        if (refusal) {
            co_return refusal;
        }
        window.erase(0, event->taken);
        if (event->kind == http::FormEvent::Kind::kMore) {
            const auto count = co_await call.exchange.read_some(window);
            if (!count.ok()) {
                co_return body_failure(count.error());
            }
            whole = *count == 0;
        }
    }
}

}  // namespace

Task<std::optional<Refusal>> read_upload(const Parts& parts, Call& call, UploadFor purpose,
                                         Upload& upload) {
    Reading reading(call, purpose, upload);
    if (auto refusal = reading.read_query()) {
        co_return refusal;
    }
    note_source(call);
    const http::Request& request = call.exchange.request();
    auto boundary = http::form_boundary(request.header("content-type"));
    const bool is_form = boundary.ok() || boundary.error().code != ErrorCode::kUnsupported;
    if (is_form && !boundary.ok()) {
        co_return invalid_request(boundary.error().what, "");
    }
    const std::uint64_t bytes_max = call.settings->file_bytes_max;
    const std::uint64_t said = request.framing == http::Framing::kLength ? request.body_bytes : 0;
    if (!is_form && said > bytes_max) {
        co_return body_failure(too_large(bytes_max));
    }
    FileIntake intake(parts, call.loop(), std::min(said, bytes_max));
    std::optional<Refusal> refusal;
    if (is_form) {
        http::FormScanner scanner(*boundary);
        refusal = co_await read_form(call, reading, intake, scanner);
    } else {
        refusal = co_await read_raw(call, intake);
    }
    if (refusal) {
        co_return refusal;
    }
    auto taken = co_await intake.finish();
    if (!taken.ok()) {
        co_return spool_failure(taken.error());
    }
    call.record.content_digests.push_back(taken->digest);
    upload.taken = std::move(*taken);
    co_return std::nullopt;
}

}  // namespace colophon::gateway
