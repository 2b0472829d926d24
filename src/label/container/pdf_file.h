// SPDX-License-Identifier: Apache-2.0
#pragma once

// The structure of a PDF file (ISO 32000-1, 7.5): cross-reference tables and streams with all their
// updates, hybrid and linearized files, object streams. What the tables say counts: a file whose
// tables are wrong is an error, not searched for objects.
//
// Encrypted files are refused. All costs are bounded: sections, objects, inflated bytes.

#include "core/bytes.h"
#include "label/container/pdf_syntax.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::pdf {

// One object. The views hold as long as the File and its bytes.
struct Object {
    std::string_view text;          // the value; of a stream its dictionary
    std::uint64_t offset = 0;       // in the file; of an object in an object stream, that stream's
    std::optional<Bytes> stream;    // as stored
    std::uint64_t data_offset = 0;  // of `stream`, in the file
};

class File {
public:
    // kCorrupt names the byte; kLimit the limit; kUnsupported: encrypted, or a filter of a table
    // that is not known here.
    static Result<File> create(Bytes file);

    Bytes bytes() const noexcept { return file_; }
    // Of the newest section; Root is a reference.
    const Dictionary& trailer() const noexcept { return trailer_; }
    // Where the newest cross-reference section stands, and whether it is a stream.
    std::uint64_t newest_section() const noexcept { return newest_; }
    bool has_table_streams() const noexcept { return table_streams_; }
    // One more than the highest number of an object.
    std::uint32_t next_number() const noexcept { return next_number_; }

    // kCorrupt when the object is not where the tables say; its text is "null" when it is free or
    // in no table.
    Result<Object> object(Reference reference);
    // The object that a value refers to, or the value itself.
    Result<Object> resolve(std::string_view value);
    // The stream's data without its filters, which are none or FlateDecode. kUnsupported: others.
    Result<std::string> decode(const Object& stream);

    Result<Dictionary> catalog();

private:
    struct Row {
        std::uint32_t number = 0;
        std::uint32_t second = 0;  // generation, or index in the object stream
        std::uint64_t place = 0;   // offset, or number of the object stream
        std::uint8_t kind = 0;     // 0 free, 1 in the file, 2 in an object stream
        std::uint32_t age = 0;  // of rows with one number the youngest, which is read first, counts
    };
    struct Section {
        Dictionary trailer;
        std::vector<Row> rows;
        bool stream = false;
    };
    // The contents of an object stream, and where its objects begin.
    struct Packed {
        std::string text;
        std::vector<std::pair<std::uint32_t, std::size_t>> objects;
        std::uint64_t offset = 0;
    };

    explicit File(Bytes file) : file_(file) {}
    Result<void> read_sections();
    Result<Section> read_section(std::uint64_t offset);
    Result<Section> read_table(std::size_t at);
    Result<void> read_subsection(std::size_t& at, std::vector<Row>& rows) const;
    Result<Section> read_table_stream(std::uint64_t offset);
    Result<void> read_rows(const Dictionary& dictionary, Bytes data, std::vector<Row>& rows) const;
    Result<void> add_rows(std::vector<Row>&& rows);
    Result<Object> object_at(std::uint64_t offset, std::optional<std::uint32_t> number);
    Result<Object> with_stream(Object object, std::size_t at);
    Result<std::uint64_t> stream_length(const Dictionary& dictionary);
    Result<Object> packed_object(const Row& row);
    Result<const Packed*> open_packed(std::uint32_t number);
    const Row* find(std::uint32_t number) const noexcept;

    Bytes file_;
    Dictionary trailer_;
    std::uint64_t newest_ = 0;
    bool table_streams_ = false;
    std::uint32_t next_number_ = 1;
    std::vector<Row> rows_;  // by number, once all sections are read
    std::map<std::uint32_t, std::unique_ptr<Packed>> packed_;
    std::uint64_t inflated_ = 0;
    int lengths_open_ = 0;
};

// Another update at the end of a file (7.5.6): no byte of the file is changed.
class Update {
public:
    explicit Update(const File& file) : file_(file), next_(file.next_number()) {}

    // A number that is not used yet.
    Reference reserve() { return {.number = next_++, .generation = 0}; }
    // The object, new or instead of the one of that number. Numbers come once each.
    void put(Reference reference, std::string text) {
        parts_.push_back({.reference = reference, .text = std::move(text), .stream = {}});
    }
    // A stream; `dictionary` holds its Length.
    void put_stream(Reference reference, std::string dictionary, Bytes data) {
        parts_.push_back(
            {.reference = reference, .text = std::move(dictionary), .stream = to_buffer(data)});
    }
    // Instead of the trailer's entry of that name.
    void set_trailer(std::string name, std::string value) {
        trailer_.emplace_back(std::move(name), std::move(value));
    }

    // The bytes to append, and where the data of the first stream lies in the new file. kLimit: the
    // file is longer than a cross-reference table can say.
    struct Written {
        Buffer bytes;
        std::uint64_t stream_offset = 0;
    };
    Result<Written> finish();

private:
    struct Part {
        Reference reference;
        std::string text;
        std::optional<Buffer> stream;
    };
    struct Place {
        Reference reference;
        std::uint64_t offset = 0;
    };
    std::string trailer_entries(std::uint32_t size) const;
    void append_table(const std::vector<Place>& places, Buffer& out) const;
    void append_table_stream(std::vector<Place> places, Buffer& out);

    const File& file_;
    std::uint32_t next_;
    std::vector<Part> parts_;
    std::vector<std::pair<std::string, std::string>> trailer_;
};

// The dictionary with some entries replaced, added, or, with an empty value, left out.
std::string rewrite(const Dictionary& dictionary,
                    const std::vector<std::pair<std::string, std::string>>& changes);

std::string write_reference(Reference reference);

}  // namespace colophon::label::pdf
