// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hash algorithms of Content Credentials (C2PA 2.4, 13.1): SHA-256, SHA-384, SHA-512.

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
// the file can give its pages back. Never told of memory that is no part of the source.
using PageRelease = std::function<void(Bytes)>;

// A file that is there, or that a splice will make: read in pieces, without making it.
class FileView {
public:
    explicit FileView(Bytes file, PageRelease release = {})
        : source_(file), size_(file.size()), release_(std::move(release)) {}
    FileView(Bytes source, const Splice& splice, PageRelease release = {})
        : source_(source), splice_(&splice), size_(splice.size()), release_(std::move(release)) {}

    std::uint64_t size() const noexcept { return size_; }
    // Hands over the bytes of a range in order, in pieces of any size. The range lies inside
    // (asserted).
    void feed(const ByteRange& range, ContentHasher& hasher) const;
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
};

// The hash of everything but the ranges, which are in order, apart and inside (asserted).
Buffer hash_without(HashAlgorithm algorithm, const FileView& file,
                    const std::vector<ByteRange>& ranges);

}  // namespace colophon::label::provenance
