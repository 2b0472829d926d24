// SPDX-License-Identifier: Apache-2.0
// PDF (C2PA 2.4, A.4): the store is an embedded file stream, whose file specification the catalog
// names in AF, with the relationship C2PA_Manifest, and in its name tree EmbeddedFiles. It comes as
// an update at the end of the file, so every byte that was there stays; of a store that was there
// before, only the older revision still speaks. Only the stream's data are left out of the hash.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/pdf_file.h"
#include "label/container/pdf_syntax.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kRelationship = "C2PA_Manifest";
constexpr std::string_view kKey = "content_credential.c2pa";
// In a tree of several leaves the last key: no text begins like this.
constexpr std::string_view kLastKey =
    "\xFF\xFF"
    "content_credential.c2pa";
constexpr std::size_t kFileSpecificationsMax = 4096;

struct Associated {
    std::vector<std::string_view> others;  // elements of AF, as they stand
    std::vector<std::string_view> ours;    // those that are manifests
};

Result<bool> is_manifest(pdf::File& file, std::string_view value) {
    const pdf::Object object = TRY(file.resolve(value));
    if (!object.text.starts_with("<<")) {
        return false;
    }
    const pdf::Dictionary specification = TRY(pdf::Dictionary::parse(object.text, object.offset));
    return pdf::to_name(specification.find("AFRelationship")) == kRelationship;
}

Result<Associated> read_associated(pdf::File& file, const pdf::Dictionary& catalog) {
    Associated found;
    std::string_view value = catalog.find("AF");
    if (value.empty()) {
        return found;
    }
    // An array, itself perhaps elsewhere; the draft once said a single one.
    std::vector<std::string_view> each{value};
    const pdf::Object resolved = TRY(file.resolve(value));
    if (resolved.text.starts_with('[')) {
        each = TRY(pdf::parse_array(resolved.text, resolved.offset));
    }
    if (each.size() > kFileSpecificationsMax) {
        return Error{ErrorCode::kLimit, fmt::format("a PDF with more than {} associated files",
                                                    kFileSpecificationsMax)};
    }
    for (const std::string_view one : each) {
        (TRY(is_manifest(file, one)) ? found.ours : found.others).push_back(one);
    }
    return found;
}

// The stream that a file specification names.
Result<std::optional<pdf::Object>> embedded_stream(pdf::File& file, std::string_view value) {
    const pdf::Object object = TRY(file.resolve(value));
    const pdf::Dictionary specification = TRY(pdf::Dictionary::parse(object.text, object.offset));
    const pdf::Object files = TRY(file.resolve(specification.find("EF")));
    if (!files.text.starts_with("<<")) {
        return std::optional<pdf::Object>();
    }
    const pdf::Dictionary embedded = TRY(pdf::Dictionary::parse(files.text, files.offset));
    const std::string_view usual = embedded.find("F");
    pdf::Object stream = TRY(file.resolve(usual.empty() ? embedded.find("UF") : usual));
    return stream.stream ? std::optional(stream) : std::nullopt;
}

bool one_of(const std::vector<std::string_view>& values, std::string_view value) {
    const auto reference = pdf::to_reference(value);
    return reference && std::ranges::any_of(values, [&](std::string_view each) {
               return pdf::to_reference(each) == reference;
           });
}

// A root of the name tree that holds its pairs itself, ours among them in the order of the keys.
std::string in_leaf(const pdf::Dictionary& root, const std::vector<std::string_view>& pairs,
                    const std::vector<std::string_view>& gone, const std::string& reference) {
    std::string key(kKey);
    const auto taken = [&] {
        for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
            if (!one_of(gone, pairs[i + 1]) && pdf::to_string(pairs[i]) == key) {
                return true;
            }
        }
        return false;
    };
    while (taken()) {
        key += '~';
    }
    std::string names = "[";
    bool placed = false;
    const std::string own = fmt::format(" {} {}", pdf::write_string(key), reference);
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
        if (one_of(gone, pairs[i + 1])) {
            continue;
        }
        if (!placed && pdf::to_string(pairs[i]).value_or("") > key) {
            names += own;
            placed = true;
        }
        names += fmt::format(" {} {}", pairs[i], pairs[i + 1]);
    }
    names += placed ? " ]" : own + " ]";
    return pdf::rewrite(root, {{"Names", names}, {"Limits", ""}});
}

// A leaf that holds nothing but manifests that go.
Result<bool> is_spent(pdf::File& file, std::string_view kid,
                      const std::vector<std::string_view>& gone) {
    const pdf::Object object = TRY(file.resolve(kid));
    const pdf::Dictionary leaf = TRY(pdf::Dictionary::parse(object.text, object.offset));
    const std::string_view names = leaf.find("Names");
    if (names.empty()) {
        return false;
    }
    const pdf::Object listed = TRY(file.resolve(names));
    const auto pairs = TRY(pdf::parse_array(listed.text, listed.offset));
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
        if (!one_of(gone, pairs[i + 1])) {
            return false;
        }
    }
    return !pairs.empty();
}

// The name tree of embedded files with ours in it and without those that go.
Result<std::string> embedded_files(pdf::File& file, pdf::Update& update, std::string_view old,
                                   const std::vector<std::string_view>& gone,
                                   const std::string& reference) {
    if (old.empty()) {
        return fmt::format("<< /Names [ {} {} ] >>", pdf::write_string(kKey), reference);
    }
    const pdf::Object object = TRY(file.resolve(old));
    const pdf::Dictionary root = TRY(pdf::Dictionary::parse(object.text, object.offset));
    const std::string_view kids = root.find("Kids");
    if (kids.empty()) {
        const std::string_view names = root.find("Names");
        std::vector<std::string_view> pairs;
        if (!names.empty()) {
            const pdf::Object listed = TRY(file.resolve(names));
            pairs = TRY(pdf::parse_array(listed.text, listed.offset));
        }
        return in_leaf(root, pairs, gone, reference);
    }
    const pdf::Object listed = TRY(file.resolve(kids));
    const auto leaves = TRY(pdf::parse_array(listed.text, listed.offset));
    if (leaves.size() > kFileSpecificationsMax) {
        return Error{ErrorCode::kLimit, fmt::format("a PDF with more than {} associated files",
                                                    kFileSpecificationsMax)};
    }
    std::string kept = "[";
    for (const std::string_view each : leaves) {
        if (!TRY(is_spent(file, each, gone))) {
            kept += fmt::format(" {}", each);
        }
    }
    const pdf::Reference leaf = update.reserve();
    const std::string key = pdf::write_string(kLastKey);
    update.put(leaf,
               fmt::format("<< /Limits [ {} {} ] /Names [ {} {} ] >>", key, key, key, reference));
    return pdf::rewrite(
        root, {{"Kids", fmt::format("{} {} ]", kept, pdf::write_reference(leaf))}, {"Limits", ""}});
}

// A certifying signature forbids what we do to the catalog, and would be called broken.
Result<void> check_permissions(pdf::File& file, const pdf::Dictionary& catalog) {
    const pdf::Object object = TRY(file.resolve(catalog.find("Perms")));
    if (!object.text.starts_with("<<")) {
        return {};
    }
    const pdf::Dictionary permissions = TRY(pdf::Dictionary::parse(object.text, object.offset));
    if (!permissions.find("DocMDP").empty()) {
        return Error{ErrorCode::kUnsupported,
                     "a PDF with a certifying signature, which a change would break; --detached "
                     "writes Content Credentials beside the file"};
    }
    return {};
}

std::string specification_of(pdf::Reference stream) {
    const std::string name = pdf::write_string(kKey);
    const std::string reference = pdf::write_reference(stream);
    return fmt::format(
        "<< /Type /Filespec /F {} /UF {} /Desc (Content Credentials) /Subtype /application#2Fc2pa "
        "/AFRelationship /{} /EF << /F {} /UF {} >> >>",
        name, name, kRelationship, reference, reference);
}

}  // namespace

Result<std::optional<FoundStore>> find_in_pdf(Bytes file) {
    pdf::File document = TRY(pdf::File::create(file));
    const pdf::Dictionary catalog = TRY(document.catalog());
    const Associated associated = TRY(read_associated(document, catalog));
    if (associated.ours.empty()) {
        return std::optional<FoundStore>();
    }
    FoundStore found{
        .store = {}, .ranges = {}, .where = "pdf embedded file", .problem = {}, .code = {}};
    const auto stream = TRY(embedded_stream(document, associated.ours.front()));
    if (associated.ours.size() > 1) {
        found.problem = "the PDF names more than one manifest store";
    } else if (!stream) {
        found.problem = "the PDF names a manifest store that is not in it";
    }
    if (stream) {
        const pdf::Dictionary dictionary =
            TRY(pdf::Dictionary::parse(stream->text, stream->offset));
        found.ranges = {{.offset = stream->data_offset, .size = stream->stream->size()}};
        if (!dictionary.find("Filter").empty()) {
            found.problem = "the manifest store of the PDF is compressed";
        } else {
            found.store = to_buffer(*stream->stream);
        }
    }
    return std::optional(std::move(found));
}

Result<Placement> place_in_pdf(Bytes file, Bytes store) {
    pdf::File document = TRY(pdf::File::create(file));
    const pdf::Reference root = *pdf::to_reference(document.trailer().find("Root"));
    const pdf::Dictionary catalog = TRY(document.catalog());
    TRY(check_permissions(document, catalog));
    const Associated associated = TRY(read_associated(document, catalog));
    Placement placement;
    placement.splice.copy(0, file.size());
    if (associated.ours.size() == 1) {
        const auto there = TRY(embedded_stream(document, associated.ours.front()));
        if (there && std::ranges::equal(*there->stream, store)) {
            placement.ranges = {{.offset = there->data_offset, .size = store.size()}};
            return placement;
        }
    }
    pdf::Update update(document);
    const pdf::Reference specification = update.reserve();
    const pdf::Reference stream = update.reserve();
    const std::string reference = pdf::write_reference(specification);
    std::string files = "[";
    for (const std::string_view each : associated.others) {
        files += fmt::format(" {}", each);
    }
    const pdf::Object named = TRY(document.resolve(catalog.find("Names")));
    const bool has_names = named.text.starts_with("<<");
    const pdf::Dictionary names =
        TRY(pdf::Dictionary::parse(has_names ? named.text : "<< >>", named.offset));
    const std::string tree = TRY(
        embedded_files(document, update, names.find("EmbeddedFiles"), associated.ours, reference));
    update.put(root,
               pdf::rewrite(catalog, {{"AF", fmt::format("{} {} ]", files, reference)},
                                      {"Names", pdf::rewrite(names, {{"EmbeddedFiles", tree}})}}));
    update.put(specification, specification_of(stream));
    update.put_stream(
        stream,
        fmt::format("<< /Type /EmbeddedFile /Subtype /application#2Fc2pa /Length {} >>",
                    store.size()),
        store);
    const pdf::Update::Written written = TRY(update.finish());
    placement.ranges = {{.offset = written.stream_offset, .size = store.size()}};
    placement.splice.insert(written.bytes);
    return placement;
}

}  // namespace colophon::label::provenance::internal
