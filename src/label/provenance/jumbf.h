// SPDX-License-Identifier: Apache-2.0
#pragma once

// JUMBF superboxes (ISO/IEC 19566-5) as Content Credentials nest them: a description box that says
// type and label, then content boxes and further superboxes.
//
//   superbox    = LBox:u32 "jumb" description *(superbox / content)
//   description = LBox:u32 "jumd" type:16 toggles:u8 label NUL [salt]
//   salt        = LBox:u32 "c2sh" bytes:16 or 32
//
// Sizes are exact on every level: nothing lies between or behind boxes.

#include "core/bytes.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::jumbf {

// The types of C2PA are "<four letters>-0011-0010-8000-00AA00389B71".
using TypeId = std::array<std::uint8_t, 16>;
TypeId type_id(std::string_view four) noexcept;
// The four letters when it is such a type, otherwise empty.
std::string type_letters(const TypeId& id);

struct ContentBox {
    std::string type;  // four characters: "cbor", "json", "bidb", "bfdb", "free"
    Bytes data;
};

struct Superbox {
    TypeId type{};
    std::string label;
    std::uint8_t toggles = 0;
    Bytes salt;                // empty without
    std::uint64_t offset = 0;  // of the box in the store
    Bytes whole;               // with the box header
    Bytes hashed;              // what hashed URIs cover: without the box header
    std::vector<Superbox> children;
    std::vector<ContentBox> contents;

    const Superbox* find(std::string_view child_label) const noexcept;
    std::string letters() const { return type_letters(type); }
    // The data of the first content box of that type.
    std::optional<Bytes> content(std::string_view box_type) const noexcept;
};

// One superbox and nothing behind it. kCorrupt names the byte in `bytes`; kLimit above
// limits::kContainerDepthMax levels or limits::kProvenanceBoxesMax boxes.
Result<Superbox> parse(Bytes bytes);

// Appends a superbox of C2PA type `four` around `content`, which is boxes one behind the other.
// Smaller than 4 GB (asserted). `toggles` 0x03: requestable, with label.
void append_superbox(Buffer& out, std::string_view four, std::string_view label, Bytes content);
// Appends a box.
void append_box(Buffer& out, std::string_view type, Bytes data);

}  // namespace colophon::label::jumbf
