// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/collection_hash.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/container/zip_file.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/validation.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kChecksumAt = 16;  // in a header of the central directory
constexpr std::size_t kChecksumBytes = 4;

Result<zip::Archive> read_view(const FileView& view) {
    return zip::read_archive(view.size(), [&view](std::uint64_t offset, std::uint64_t size) {
        return view.read({.offset = offset, .size = size});
    });
}

Buffer file_hash(HashAlgorithm algorithm, const FileView& view, const zip::File& file) {
    ContentHasher hasher(algorithm);
    view.feed({.offset = file.offset, .size = file.size}, hasher);
    return hasher.finish();
}

Buffer directory_hash(HashAlgorithm algorithm, const zip::Archive& archive) {
    ContentHasher hasher(algorithm);
    for (const zip::File& file : archive.files) {
        const Bytes header = Bytes(archive.directory)
                                 .subspan(static_cast<std::size_t>(file.header),
                                          static_cast<std::size_t>(file.header_size));
        if (file.name == kZipManifest) {
            hasher.update(header.first(kChecksumAt));
            hasher.update(header.subspan(kChecksumAt + kChecksumBytes));
        } else {
            hasher.update(header);
        }
    }
    hasher.update(archive.end);
    return hasher.finish();
}

// Whether a reference could lead out of the archive.
bool is_inside(std::string_view uri) {
    return !uri.starts_with('/') && !uri.starts_with("../") && !uri.ends_with("/..") &&
           uri.find("/../") == std::string_view::npos && uri.find("://") == std::string_view::npos;
}

// "%5BContent_Types%5D.xml" is a name too: some writers make a proper reference of it.
std::string decode_percent(std::string_view uri) {
    std::string name;
    for (std::size_t at = 0; at < uri.size(); ++at) {
        const auto byte = uri[at] == '%' && at + 2 < uri.size() ? from_hex(uri.substr(at + 1, 2))
                                                                : Result<Buffer>(Buffer());
        if (byte.ok() && byte->size() == 1) {
            name += static_cast<char>(byte->front());
            at += 2;
        } else {
            name += uri[at];
        }
    }
    return name;
}

struct Signed {
    std::map<std::string, Buffer, std::less<>> files;  // by reference as it stands
    std::map<std::string, std::string, std::less<>>
        decoded;  // of those with a %: name to reference

    const Buffer* find(std::string_view name) const {
        auto row = files.find(name);
        const auto other = row == files.end() ? decoded.find(name) : decoded.end();
        if (other != decoded.end()) {
            row = files.find(other->second);
        }
        return row == files.end() ? nullptr : &row->second;
    }
};

// The files that the assertion lists; nothing, and a failure, when it is malformed.
std::optional<Signed> read_list(const Assertion& assertion, Report& report) {
    const cbor::Array* list = assertion.value->array("uris");
    if (list == nullptr || list->empty() || list->size() > limits::kZipEntriesMax) {
        report.fail("assertion.collectionHash.malformed", assertion.uri);
        return std::nullopt;
    }
    Signed listed;
    for (const cbor::Value& each : *list) {
        const std::string* uri = each.text("uri");
        const Buffer* hash = each.bytes("hash");
        if (uri == nullptr || hash == nullptr) {
            report.fail("assertion.collectionHash.malformed", assertion.uri);
            return std::nullopt;
        }
        if (!is_inside(*uri)) {
            report.fail("assertion.collectionHash.invalidURI", assertion.uri, *uri);
            return std::nullopt;
        }
        if (!listed.files.emplace(*uri, *hash).second) {
            report.fail("assertion.collectionHash.malformed", assertion.uri,
                        "a file is listed twice");
            return std::nullopt;
        }
        if (uri->find('%') != std::string::npos) {
            listed.decoded.emplace(decode_percent(*uri), *uri);
        }
    }
    return listed;
}

constexpr std::string_view kFileGone = "a file of the archive that was signed is gone";

// What of the archive is not as it was signed; empty when all is.
std::string find_change(HashAlgorithm algorithm, const zip::Archive& archive, const Signed& listed,
                        const Content& content) {
    std::set<std::string_view> seen;
    std::size_t left = listed.files.size();
    for (const zip::File& file : archive.files) {
        if (!seen.insert(file.name).second) {
            return fmt::format("the archive holds {} twice", file.name);
        }
        if (file.name == kZipManifest) {
            continue;
        }
        const Buffer* wanted = listed.find(file.name);
        if (wanted == nullptr || left == 0) {
            return fmt::format("{} was put into the archive after it was signed", file.name);
        }
        if (file_hash(algorithm, content.view, file) != *wanted) {
            return fmt::format("{} was changed after it was signed", file.name);
        }
        --left;
    }
    return left == 0 ? std::string() : std::string(kFileGone);
}

}  // namespace

Result<cbor::Value> collection_hash(const FileView& archive, bool measured) {
    const zip::Archive parsed = TRY(read_view(archive));
    const Buffer zeros(hash(kWriterHash, {}).size());
    cbor::Array list;
    for (const zip::File& file : parsed.files) {
        if (file.name == kZipManifest) {
            continue;
        }
        if (find_invalid_utf8(file.name)) {
            return Error{ErrorCode::kUnsupported,
                         "a ZIP with a file name that is no UTF-8; --detached writes Content "
                         "Credentials beside the file"};
        }
        list.emplace_back(
            cbor::Map{{"uri", file.name},
                      {"hash", measured ? zeros : file_hash(kWriterHash, archive, file)}});
    }
    return cbor::Value(cbor::Map{
        {"uris", std::move(list)},
        {"alg", hash_algorithm_name(kWriterHash)},
        {"zip_central_directory_hash", measured ? zeros : directory_hash(kWriterHash, parsed)}});
}

void check_collection_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                           Report& report) {
    const auto mismatch = [&](std::string what) {
        report.fail("assertion.collectionHash.mismatch", assertion.uri, std::move(what));
    };
    const auto files = read_list(assertion, report);
    if (!files) {
        return;
    }
    const auto algorithm = algorithm_of(assertion.value->text("alg"), claim, assertion.uri, report);
    if (!algorithm) {
        return;
    }
    if (!content.store_problem.empty()) {
        mismatch(content.store_problem);
        return;
    }
    const auto archive = read_view(content.view);
    if (!archive.ok()) {
        mismatch(archive.error().what);
        return;
    }
    // Without it anybody could rename files.
    const Buffer* directory = assertion.value->bytes("zip_central_directory_hash");
    if (directory == nullptr || *directory != directory_hash(*algorithm, *archive)) {
        mismatch("the directory of the archive was changed after it was signed");
        return;
    }
    std::string change = find_change(*algorithm, *archive, *files, content);
    if (change == kFileGone) {
        report.fail("assertion.collectionHash.incorrectFileCount", assertion.uri,
                    std::move(change));
        return;
    }
    if (!change.empty()) {
        mismatch(std::move(change));
        return;
    }
    report.success("assertion.collectionHash.match", assertion.uri);
}

}  // namespace colophon::label::provenance::internal
