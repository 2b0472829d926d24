// SPDX-License-Identifier: Apache-2.0
#include "worker/mapping.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace colophon::worker {
namespace {

// Below this a read and a write through memory are cheaper than one more system call. Above it the
// pages of the source are never touched here.
constexpr std::uint64_t kKernelCopyMin = 32U << 10U;
constexpr std::size_t kPendingMax = 256U << 10U;
// So much of a mapping is written at a time and then given back, so that copying a large file where
// the kernel cannot do it keeps little of it in memory.
constexpr std::size_t kWindowBytes = 8U << 20U;

constexpr std::size_t kPageBytes = 4096;

// The system calls take addresses without const, though none of them here writes to the memory.
std::uint8_t* writable(const std::uint8_t* data) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): see above
    return const_cast<std::uint8_t*>(data);
}

Error system_error(std::string_view what) {
    return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", what, std::strerror(errno))};
}

// A position in the output and the bytes that wait to be written there.
class Output {
public:
    explicit Output(int fd) : fd_(fd) {}

    Result<void> put(Bytes bytes) {
        append(pending_, bytes);
        return pending_.size() >= kPendingMax ? flush() : Result<void>();
    }

    Result<void> flush() {
        TRY(write_all(pending_));
        pending_.clear();
        return {};
    }

    Result<void> write_all(Bytes bytes) {
        TRY(write_at(fd_, static_cast<std::uint64_t>(offset_), bytes));
        offset_ += static_cast<off64_t>(bytes.size());
        return {};
    }

    // Copies inside the kernel; returns how much it did before it refused.
    std::uint64_t copy_range(int from, std::uint64_t offset, std::uint64_t size) {
        std::uint64_t done = 0;
        while (done < size) {
            auto at = static_cast<off64_t>(offset + done);
            const ssize_t copied = copy_file_range(from, &at, fd_, &offset_, size - done, 0);
            if (copied <= 0) {
                break;
            }
            done += static_cast<std::uint64_t>(copied);
        }
        return done;
    }

    Result<void> finish() {
        TRY(flush());
        if (ftruncate(fd_, offset_) != 0) {
            return system_error("cannot set the length of the output");
        }
        return {};
    }

private:
    int fd_;
    off64_t offset_ = 0;
    Buffer pending_;
};

// The slow way: through the mapping, a window at a time.
Result<void> copy_through_memory(Output& output, Bytes bytes) {
    while (!bytes.empty()) {
        const Bytes window = bytes.first(std::min(bytes.size(), kWindowBytes));
        TRY(output.write_all(window));
        // The pages stay in the file; dropping them only lowers what this process holds.
        const std::size_t into_page = reinterpret_cast<std::uintptr_t>(window.data()) % kPageBytes;
        (void)madvise(writable(window.data()) - into_page, window.size(), MADV_DONTNEED);
        bytes = bytes.subspan(window.size());
    }
    return {};
}

}  // namespace

Result<void> write_at(int to, std::uint64_t offset, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = pwrite(to, bytes.data(), bytes.size(), static_cast<off64_t>(offset));
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return system_error("cannot write");
        }
        offset += static_cast<std::uint64_t>(wrote);
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

Mapping::~Mapping() {
    if (data_ != nullptr) {
        munmap(writable(data_), size_);
    }
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Result<Mapping> Mapping::create(int fd) {
    struct stat facts{};
    if (fstat(fd, &facts) != 0) {
        return system_error("cannot look at the file");
    }
    if (!S_ISREG(facts.st_mode)) {
        return Error{ErrorCode::kInvalidArgument, "not a regular file"};
    }
    const auto size = static_cast<std::size_t>(facts.st_size);
    if (size == 0) {
        return Mapping();
    }
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return system_error("cannot map the file");
    }
    return Mapping(static_cast<const std::uint8_t*>(data), size);
}

void release_pages(Bytes part) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t last = (begin + part.size()) / page * page;
    if (first < last) {
        // A failure costs memory, nothing else.
        static_cast<void>(
            madvise(writable(part.data()) + (first - begin), last - first, MADV_DONTNEED));
    }
}

Result<void> write_splice(int from, Bytes source, const Splice& splice, int to) {
    Output output(to);
    for (const SplicePiece& piece : splice.pieces()) {
        if (piece.source_size == 0) {
            TRY(output.put(piece.bytes));
            continue;
        }
        const auto range = slice(source, piece.source_offset, piece.source_size);
        COLOPHON_ASSERT(range.has_value());
        if (range->size() < kKernelCopyMin) {
            TRY(output.put(*range));
            continue;
        }
        TRY(output.flush());
        const std::uint64_t done = output.copy_range(from, piece.source_offset, piece.source_size);
        TRY(copy_through_memory(output, range->subspan(static_cast<std::size_t>(done))));
    }
    return output.finish();
}

}  // namespace colophon::worker
