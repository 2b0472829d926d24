// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/jumbf.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::jumbf {
namespace {

constexpr std::array<std::uint8_t, 12> kC2paTail{0x00, 0x11, 0x00, 0x10, 0x80, 0x00,
                                                 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};
constexpr std::uint8_t kRequestable = 0x01;
constexpr std::uint8_t kHasLabel = 0x02;
constexpr std::uint8_t kHasId = 0x04;
constexpr std::uint8_t kHasHash = 0x08;
constexpr std::uint8_t kHasPrivate = 0x10;
constexpr std::size_t kLabelBytesMax = 1024;

struct RawBox {
    std::string type;
    std::uint64_t offset = 0;
    Bytes whole;
    Bytes payload;
};

class Parser {
public:
    explicit Parser(Bytes store) : store_(store) {}

    Result<RawBox> box_at(Bytes within, std::uint64_t base) {
        if (++boxes_ > limits::kProvenanceBoxesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a manifest store of more than {} boxes",
                                                        limits::kProvenanceBoxesMax)};
        }
        ByteReader reader(within, base);
        std::uint64_t size = TRY(reader.be32("a JUMBF box"));
        const std::string type(as_text(TRY(reader.take(4, "a JUMBF box type"))));
        if (size == 1) {
            size = TRY(reader.be64("a JUMBF box size"));
        } else if (size == 0) {
            return corrupt_at("a JUMBF box of open size", base);
        }
        if (size < reader.position() || size > within.size()) {
            return corrupt_at(
                fmt::format("a JUMBF box of {} bytes where {} are left", size, within.size()),
                base);
        }
        const Bytes whole = within.first(static_cast<std::size_t>(size));
        return RawBox{.type = type,
                      .offset = base,
                      .whole = whole,
                      .payload = whole.subspan(reader.position())};
    }

    Result<Superbox> superbox(const RawBox& raw, std::size_t depth) {
        if (depth > limits::kContainerDepthMax) {
            return Error{ErrorCode::kLimit, fmt::format("JUMBF boxes in more than {} levels",
                                                        limits::kContainerDepthMax)};
        }
        Superbox box;
        box.offset = raw.offset;
        box.whole = raw.whole;
        box.hashed = raw.payload;
        const std::uint64_t base = raw.offset + (raw.whole.size() - raw.payload.size());
        const RawBox description = TRY(box_at(raw.payload, base));
        if (description.type != "jumd") {
            return corrupt_at("a JUMBF superbox without a description", base);
        }
        TRY(describe(description, box));
        std::size_t at = description.whole.size();
        while (at < raw.payload.size()) {
            const RawBox child = TRY(box_at(raw.payload.subspan(at), base + at));
            at += child.whole.size();
            if (child.type == "jumb") {
                box.children.push_back(TRY(superbox(child, depth + 1)));
            } else {
                box.contents.push_back({.type = child.type, .data = child.payload});
            }
        }
        return box;
    }

private:
    Result<void> describe(const RawBox& raw, Superbox& box) {
        ByteReader reader(raw.payload, raw.offset + 8);
        const Bytes id = TRY(reader.take(16, "a JUMBF type"));
        std::ranges::copy(id, box.type.begin());
        box.toggles = TRY(reader.u8("JUMBF toggles"));
        if ((box.toggles & kHasLabel) != 0) {
            const Bytes rest = raw.payload.subspan(reader.position());
            const auto end = std::ranges::find(rest, std::uint8_t{0});
            const auto size = static_cast<std::size_t>(end - rest.begin());
            if (end == rest.end() || size > kLabelBytesMax) {
                return corrupt_at("a JUMBF label without an end", reader.offset());
            }
            box.label = as_text(rest.first(size));
            if (find_invalid_utf8(box.label)) {
                return corrupt_at("a JUMBF label that is not UTF-8", reader.offset());
            }
            TRY(reader.skip(size + 1, "a JUMBF label"));
        }
        if ((box.toggles & kHasId) != 0) {
            TRY(reader.skip(4, "a JUMBF number"));
        }
        if ((box.toggles & kHasHash) != 0) {
            TRY(reader.skip(32, "a JUMBF hash"));
        }
        if ((box.toggles & kHasPrivate) != 0) {
            const std::uint64_t base = reader.offset();
            const RawBox salt = TRY(box_at(raw.payload.subspan(reader.position()), base));
            if (salt.type == "c2sh") {
                box.salt = salt.payload;
            }
            TRY(reader.skip(salt.whole.size(), "a JUMBF private box"));
        }
        if (!reader.done() || (box.toggles & 0xE0U) != 0) {
            return corrupt_at("a JUMBF description with more than it says", reader.offset());
        }
        return {};
    }

    Bytes store_;
    std::size_t boxes_ = 0;
};

}  // namespace

TypeId type_id(std::string_view four) noexcept {
    TypeId id{};
    for (std::size_t i = 0; i < 4; ++i) {
        id[i] = static_cast<std::uint8_t>(four[i]);
    }
    std::ranges::copy(kC2paTail, id.begin() + 4);
    return id;
}

std::string type_letters(const TypeId& id) {
    if (!std::ranges::equal(kC2paTail, Bytes(id).subspan(4))) {
        return {};
    }
    return std::string(as_text(Bytes(id).first(4)));
}

const Superbox* Superbox::find(std::string_view child_label) const noexcept {
    const auto row = std::ranges::find(children, child_label, &Superbox::label);
    return row == children.end() ? nullptr : &*row;
}

std::optional<Bytes> Superbox::content(std::string_view box_type) const noexcept {
    const auto row = std::ranges::find(contents, box_type, &ContentBox::type);
    return row == contents.end() ? std::nullopt : std::optional(row->data);
}

Result<Superbox> parse(Bytes bytes) {
    Parser parser(bytes);
    const RawBox raw = TRY(parser.box_at(bytes, 0));
    if (raw.type != "jumb") {
        return corrupt_at("no JUMBF superbox", 0);
    }
    if (raw.whole.size() != bytes.size()) {
        return corrupt_at("bytes behind the JUMBF superbox", raw.whole.size());
    }
    return parser.superbox(raw, 1);
}

void append_box(Buffer& out, std::string_view type, Bytes data) {
    COLOPHON_ASSERT(type.size() == 4 && data.size() < 0xFFFFFFF0U);
    append_be32(out, static_cast<std::uint32_t>(data.size() + 8));
    append(out, type);
    append(out, data);
}

void append_superbox(Buffer& out, std::string_view four, std::string_view label, Bytes content) {
    Buffer description = to_buffer(Bytes(type_id(four)));
    description.push_back(kRequestable | kHasLabel);
    append(description, label);
    description.push_back(0);
    Buffer payload;
    append_box(payload, "jumd", description);
    append(payload, content);
    append_box(out, "jumb", payload);
}

}  // namespace colophon::label::jumbf
