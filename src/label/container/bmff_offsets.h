// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changing an ISO base media file without breaking it: what is inserted or removed moves everything
// behind it, and many tables hold absolute places in the file. FileEdits collects the changes and
// corrects the sizes of the boxes around them; Moves says where an old byte is now; shift_offsets
// corrects every table that points into the file (ISO/IEC 14496-12):
//
//   stco, co64          chunks of a track                     8.7.5
//   saio                sample auxiliary information          8.7.9
//   tfhd, trun          fragments: base and data offsets      8.8.7, 8.8.8
//   mfra/tfra           random access to fragments            8.8.10
//   sidx                segment index (relative)              8.16.3
//   iloc                items of a meta box                   8.11.3

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export
#include "core/splice.h"
#include "label/container/bmff_boxes.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace colophon::label::bmff {

// A map from places in the old file to places in the new one. A byte that was replaced maps into
// its replacement. Cost: logarithmic in the number of edits that change a size.
class Moves {
public:
    std::uint64_t operator()(std::uint64_t offset) const noexcept;
    bool empty() const noexcept { return steps_.empty(); }

private:
    friend class FileEdits;
    struct Step {
        std::uint64_t begin = 0;  // of what was replaced, in the old file
        std::uint64_t end = 0;
        std::uint64_t new_begin = 0;
        std::uint64_t new_end = 0;
    };
    std::vector<Step> steps_;
};

class FileEdits {
public:
    // file[offset, offset + size) becomes `bytes`. `around`: the boxes that enclose the place,
    // whose size fields follow. Insertions at one place keep the order of the calls.
    void replace(std::uint64_t offset, std::uint64_t size, Buffer bytes,
                 std::span<const Box> around);
    // The same for a change that keeps the size.
    void overwrite(std::uint64_t offset, Buffer bytes);
    // States that `box`, which lasts to the end of the file, ends where it ends now, so that
    // something may follow it.
    void close_box(const Box& box);
    // By how much `box` has grown so far.
    std::int64_t growth(const Box& box) const;

    Moves moves() const;

    // The new file. kCorrupt when two changes overlap, because the structures of the file do;
    // kLimit when a box of 32-bit size grows beyond 4 GB.
    Result<Splice> finish(Bytes file) const;

private:
    struct Edit {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
        Buffer bytes;
    };
    struct Grown {
        Box box;
        std::int64_t by = 0;
        bool close = false;
    };
    Result<std::optional<Edit>> size_edit(const Grown& grown) const;
    std::vector<const Edit*> sorted() const;

    std::vector<Edit> edits_;
    std::map<std::uint64_t, Grown> grown_;  // by offset of the box
};

// Adds to `edits` what every table needs after the changes collected so far. The 'iloc' at
// `skip_iloc` is left to the caller. kLimit when a 32-bit table cannot hold a new place, with
// advice.
Result<void> shift_offsets(Bytes file, FileEdits& edits,
                           std::optional<std::uint64_t> skip_iloc = std::nullopt);

// Lets `box` grow or shrink into the 'free' or 'skip' box right behind it, where there is
// one that is large enough, so that nothing further back moves.
Result<void> consume_free(Bytes file, FileEdits& edits, const Box& box);

}  // namespace colophon::label::bmff
