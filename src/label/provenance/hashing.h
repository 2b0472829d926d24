// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hash algorithms of Content Credentials (C2PA 2.4, 13.1): SHA-256, SHA-384, SHA-512.
//
// What is large is read once: it is written by a HashingOutput, which hashes its parts as they lie
// in the new file. Whoever then signs and checks that file is told these hashes by PartDigests, and
// reads the rest.

#include "core/bytes.h"
#include "core/splice.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {

enum class HashAlgorithm : std::uint8_t { kSha256, kSha384, kSha512 };

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name) noexcept;
std::string_view hash_algorithm_name(HashAlgorithm algorithm) noexcept;  // "sha256"

class ContentHasher {
public:
    explicit ContentHasher(HashAlgorithm algorithm);
    ~ContentHasher();
    ContentHasher(ContentHasher&&) noexcept;
    ContentHasher& operator=(ContentHasher&&) noexcept;
    ContentHasher(const ContentHasher&) = delete;
    ContentHasher& operator=(const ContentHasher&) = delete;

    void update(Bytes bytes);
    Buffer finish();  // once

private:
    struct State;
    std::unique_ptr<State> state_;
};

Buffer hash(HashAlgorithm algorithm, Bytes bytes);

// A range of a file.
struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    std::uint64_t end() const noexcept { return offset + size; }
    bool operator==(const ByteRange&) const = default;
};

// Told of each part of a source that was read once and will not be needed soon, so that who mapped
// the file can give its pages back. Never told of memory that is no part of the source. Several
// threads may tell at a time.
using PageRelease = std::function<void(Bytes)>;

// Hashes of parts of one file. They must have been taken from that file, whose parts have not
// changed since.
struct PartDigests {
    HashAlgorithm algorithm = HashAlgorithm::kSha256;
    std::vector<ByteRange> parts;  // in order and apart
    std::vector<Buffer> digests;   // of each

    // nullptr unless this very range was hashed by that algorithm.
    const Buffer* find(HashAlgorithm wanted, const ByteRange& range) const noexcept;
};

// A file that is there, or that a splice will make: read in pieces, without making it.
class FileView {
public:
    // `known`, of this file, outlives the view; nullptr: nothing is known yet.
    explicit FileView(Bytes file, PageRelease release = {}, const PartDigests* known = nullptr)
        : source_(file), size_(file.size()), release_(std::move(release)), known_(known) {}
    FileView(Bytes source, const Splice& splice, PageRelease release = {})
        : source_(source), splice_(&splice), size_(splice.size()), release_(std::move(release)) {}

    std::uint64_t size() const noexcept { return size_; }
    // Hands over the bytes of a range in order, in pieces of any size. The range lies inside
    // (asserted).
    void feed(const ByteRange& range, ContentHasher& hasher) const;
    // The hashes of ranges, each inside (asserted): those that are known, the others by several
    // threads.
    std::vector<Buffer> digests(HashAlgorithm algorithm,
                                const std::vector<ByteRange>& ranges) const;
    // A copy of a short range.
    Buffer read(const ByteRange& range) const;
    // The file itself, which must be there (asserted): nothing that a splice will make.
    Bytes whole() const;
    bool is_there() const noexcept { return splice_ == nullptr; }

private:
    enum class Origin : std::uint8_t { kSource, kInserted };
    template <class Take>
    void pieces(const ByteRange& range, Take take) const;

    Bytes source_;
    const Splice* splice_ = nullptr;
    std::uint64_t size_;
    PageRelease release_;
    const PartDigests* known_ = nullptr;
};

// A new file that was hashed while it was written.
struct WrittenFile {
    Bytes bytes;
    PartDigests known;
};

// Where such files are written.
class HashingOutput {
public:
    virtual ~HashingOutput() = default;
    // The file that `splice` makes of `source`, readable until the output goes, and the hashes of
    // `parts` of it, in order and apart: of the bytes that the new file gives back, not of those
    // that were meant to be written.
    virtual Result<WrittenFile> write_hashed(Bytes source, const Splice& splice,
                                             HashAlgorithm algorithm,
                                             std::vector<ByteRange> parts) = 0;
    // Other bytes in the place of some of that file; none of the parts (whoever calls sees to it).
    virtual Result<void> overwrite(std::uint64_t offset, Bytes bytes) = 0;
};

// The hash of everything but the ranges, which are in order, apart and inside (asserted).
Buffer hash_without(HashAlgorithm algorithm, const FileView& file,
                    const std::vector<ByteRange>& ranges);

}  // namespace colophon::label::provenance
