// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/manifest_store.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/jumbf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

constexpr std::string_view kUriPrefix = "self#jumbf=";

ManifestKind kind_of(const jumbf::Superbox& box) {
    const std::string letters = box.letters();
    if (letters == "c2ma" || letters == "c2md") {  // 11.2.2: the latter is an older name
        return ManifestKind::kStandard;
    }
    if (letters == "c2um") {
        return ManifestKind::kUpdate;
    }
    if (letters == "c2tm") {
        return ManifestKind::kTimeStamp;
    }
    return letters == "c2cm" ? ManifestKind::kCompressed : ManifestKind::kUnknown;
}

std::string_view next_part(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return part;
}

}  // namespace

std::vector<const jumbf::Superbox*> Manifest::of_type(std::string_view letters) const {
    std::vector<const jumbf::Superbox*> found;
    for (const jumbf::Superbox& child : box->children) {
        if (child.letters() == letters) {
            found.push_back(&child);
        }
    }
    return found;
}

ManifestStore::ManifestStore(jumbf::Superbox root)
    : root_(std::make_shared<const jumbf::Superbox>(std::move(root))) {
    for (const jumbf::Superbox& child : root_->children) {
        manifests_.push_back({.box = &child, .kind = kind_of(child)});
    }
}

Result<ManifestStore> ManifestStore::create(Bytes bytes) {
    if (bytes.size() > limits::kMetadataBlockBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a manifest store of {} bytes; at most {} are read", bytes.size(),
                                 limits::kMetadataBlockBytesMax)};
    }
    jumbf::Superbox root = TRY(jumbf::parse(bytes));
    if (root.letters() != "c2pa" || root.label != kStoreLabel) {
        return Error{ErrorCode::kCorrupt, "the JUMBF box is no C2PA manifest store"};
    }
    // No hash covers the box of the store itself, so there is nothing in it but manifests.
    if (root.children.empty() || !root.contents.empty() || root.toggles != 0x03 ||
        !root.salt.empty()) {
        return Error{ErrorCode::kCorrupt, "the manifest store holds no manifest"};
    }
    if (root.children.size() > limits::kManifestsMax) {
        return Error{ErrorCode::kLimit, fmt::format("a manifest store of more than {} manifests",
                                                    limits::kManifestsMax)};
    }
    ManifestStore store(std::move(root));
    for (const Manifest& each : store.manifests_) {
        if (store.find(each.label()) != &each) {
            return Error{ErrorCode::kCorrupt, "two manifests of the store have the same label"};
        }
    }
    return store;
}

const Manifest* ManifestStore::find(std::string_view label) const noexcept {
    const auto row = std::ranges::find_if(
        manifests_, [&](const Manifest& each) { return each.label() == label; });
    return row == manifests_.end() ? nullptr : &*row;
}

ManifestStore::Target ManifestStore::resolve(std::string_view uri,
                                             const Manifest& from) const noexcept {
    if (!uri.starts_with(kUriPrefix)) {
        return {};
    }
    std::string_view path = uri.substr(kUriPrefix.size());
    Target target{.manifest = &from, .box = from.box};
    if (path.starts_with('/')) {
        path.remove_prefix(1);
        if (next_part(path) != kStoreLabel) {
            return {};
        }
        target.manifest = find(next_part(path));
        if (target.manifest == nullptr) {
            return {};
        }
        target.box = target.manifest->box;
    }
    while (!path.empty() && target.box != nullptr) {
        target.box = target.box->find(next_part(path));
    }
    return target.box == nullptr ? Target{} : target;
}

std::optional<HashedUri> read_hashed_uri(const cbor::Value* value) {
    if (value == nullptr || value->text("url") == nullptr || value->bytes("hash") == nullptr) {
        return std::nullopt;
    }
    HashedUri uri{.url = *value->text("url"), .algorithm = {}, .hash = *value->bytes("hash")};
    if (const std::string* algorithm = value->text("alg")) {
        uri.algorithm = *algorithm;
    }
    return uri;
}

cbor::Value write_hashed_uri(std::string_view url, HashAlgorithm algorithm, Bytes hash) {
    return cbor::Map{
        {"url", url}, {"alg", hash_algorithm_name(algorithm)}, {"hash", to_buffer(hash)}};
}

std::string_view without_instance(std::string_view label) noexcept {
    const std::size_t at = label.rfind("__");
    if (at == std::string_view::npos || at + 2 == label.size()) {
        return label;
    }
    const std::string_view digits = label.substr(at + 2);
    const bool number = std::ranges::all_of(
        digits, [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
    return number ? label.substr(0, at) : label;
}

}  // namespace colophon::label::provenance
