// SPDX-License-Identifier: Apache-2.0
#include "gateway/upload.h"

#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/refusal.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/multipart.h"
#include "label/record.h"

#include <array>
#include <cstddef>
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

    // The body becomes the file that stands in it.
    std::optional<Refusal> read_form(std::string& body, const Result<std::string>& boundary) {
        if (!boundary.ok()) {
            return invalid_request(boundary.error().what, "");
        }
        const auto parts = http::parse_form(body, *boundary);
        if (!parts.ok()) {
            return invalid_request(parts.error().what, "");
        }
        std::optional<std::string_view> file;
        std::string file_name;
        for (const http::FormPart& part : *parts) {
            if (part.name == kFile) {
                if (file || !part.file_name) {
                    return invalid_request(
                        "a form has one field \"file\", and it is a file: with a file name",
                        std::string(kFile));
                }
                file = part.data;
                file_name = *part.file_name;
            } else if (part.file_name) {
                return invalid_request("the file of a form is its field \"file\"", part.name);
            } else if (auto refusal = take(part.name, part.data)) {
                return refusal;
            }
        }
        if (!file) {
            return invalid_request("the form has no field \"file\"", std::string(kFile));
        }
        if (!taken_.contains("name")) {
            upload_.name = std::move(file_name);
        }
        const auto at = static_cast<std::size_t>(file->data() - body.data());
        const std::size_t size = file->size();
        body.resize(at + size);
        body.erase(0, at);
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
};

}  // namespace

Task<std::optional<Refusal>> read_upload(Call& call, UploadFor purpose, Upload& upload) {
    Reading reading(call, purpose, upload);
    if (auto refusal = reading.read_query()) {
        co_return refusal;
    }
    note_source(call);
    auto body = co_await call.exchange.read_body(call.settings->file_bytes_max);
    if (!body.ok()) {
        co_return body_failure(body.error());
    }
    const auto boundary = http::form_boundary(call.exchange.request().header("content-type"));
    if (boundary.ok() || boundary.error().code != ErrorCode::kUnsupported) {
        if (auto refusal = reading.read_form(*body, boundary)) {
            co_return refusal;
        }
    }
    upload.file = std::move(*body);
    co_return std::nullopt;
}

}  // namespace colophon::gateway
