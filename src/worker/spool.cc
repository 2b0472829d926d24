// SPDX-License-Identifier: Apache-2.0
#include "worker/spool.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "worker/channel.h"
#include "worker/mapping.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::worker {
namespace {

constexpr std::size_t kPieceBytes = 256U << 10U;

Error failed(std::string_view what) {
    return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", what, std::strerror(errno))};
}

Result<Fd> memory_file() {
    Fd file(::memfd_create("colophon", MFD_CLOEXEC));
    if (!file.valid()) {
        return failed("no file in memory");
    }
    return file;
}

Result<Fd> disk_file(const std::string& folder) {
    Fd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.valid()) {
        return file;
    }
    // Not every file system has files without a name.
    std::string name = folder + "/colophon-XXXXXX";
    Fd named(::mkostemp(name.data(), O_CLOEXEC));
    if (!named.valid() || ::unlink(name.c_str()) != 0) {
        return failed(fmt::format("no file can be made in {}", folder));
    }
    return named;
}

}  // namespace

struct SpooledFile::Place {
    Spool::Options options;
    std::atomic<std::uint64_t> held{0};

    bool take(std::uint64_t bytes) noexcept {
        std::uint64_t now = held.load();
        do {
            if (bytes > options.bytes_max || now > options.bytes_max - bytes) {
                return false;
            }
        } while (!held.compare_exchange_weak(now, now + bytes));
        return true;
    }
};

SpooledFile::SpooledFile(std::shared_ptr<Place> place, Fd fd, bool on_disk)
    : place_(std::move(place)), fd_(std::move(fd)), on_disk_(on_disk) {}

SpooledFile::~SpooledFile() {
    let_go();
}

SpooledFile::SpooledFile(SpooledFile&& other) noexcept
    : place_(std::move(other.place_)),
      fd_(std::move(other.fd_)),
      on_disk_(other.on_disk_),
      size_(std::exchange(other.size_, 0)),
      charged_(std::exchange(other.charged_, 0)) {}

SpooledFile& SpooledFile::operator=(SpooledFile&& other) noexcept {
    if (this != &other) {
        let_go();
        place_ = std::move(other.place_);
        fd_ = std::move(other.fd_);
        on_disk_ = other.on_disk_;
        size_ = std::exchange(other.size_, 0);
        charged_ = std::exchange(other.charged_, 0);
    }
    return *this;
}

void SpooledFile::let_go() noexcept {
    if (place_ != nullptr) {
        place_->held -= charged_;
        charged_ = 0;
    }
}

Result<SpooledFile> SpooledFile::of(Bytes content) {
    SpooledFile file(nullptr, TRY(memory_file()), false);
    TRY(file.append(content));
    return file;
}

Result<void> SpooledFile::move_to_disk() {
    Fd file = TRY(disk_file(place_->options.folder));
    const Buffer so_far = TRY(content());
    TRY(write_at(file.get(), 0, so_far));
    fd_ = std::move(file);
    on_disk_ = true;
    return {};
}

Result<void> SpooledFile::append(Bytes bytes) {
    if (place_ != nullptr) {
        if (!place_->take(bytes.size())) {
            return Error{ErrorCode::kLimit,
                         fmt::format("files on their way have more than {} bytes together",
                                     place_->options.bytes_max)};
        }
        charged_ += bytes.size();
        if (!on_disk_ && size_ + bytes.size() > place_->options.memory_bytes_max) {
            TRY(move_to_disk());
        }
    }
    TRY(write_at(fd_.get(), size_, bytes));
    size_ += bytes.size();
    return {};
}

Result<void> SpooledFile::settle() {
    struct stat facts{};
    if (::fstat(fd_.get(), &facts) != 0) {
        return failed("a file on its way cannot be read");
    }
    size_ = static_cast<std::uint64_t>(facts.st_size);
    if (place_ != nullptr) {
        // It is there already, so it counts whether there is room for it or not.
        place_->held += size_;
        place_->held -= charged_;
        charged_ = size_;
    }
    return {};
}

Result<std::size_t> SpooledFile::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t count = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                      static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed("a file on its way cannot be read");
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    return done;
}

Result<Buffer> SpooledFile::content() const {
    Buffer all(static_cast<std::size_t>(size_));
    if (TRY(read(0, all)) != all.size()) {
        return Error{ErrorCode::kUnavailable, "a file on its way became shorter"};
    }
    return all;
}

Result<Digest256> SpooledFile::sha256() const {
    Hasher hasher(DigestAlgorithm::kSha256);
    Buffer piece(static_cast<std::size_t>(std::min<std::uint64_t>(size_, kPieceBytes)));
    for (std::uint64_t at = 0; at < size_;) {
        const std::size_t count = TRY(read(at, piece));
        if (count == 0) {
            return Error{ErrorCode::kUnavailable, "a file on its way became shorter"};
        }
        hasher.update(Bytes(piece).first(count));
        at += count;
    }
    return hasher.finish();
}

Result<Spool> Spool::create(Options options) {
    const auto tried = disk_file(options.folder);
    if (!tried.ok()) {
        return Error{ErrorCode::kInvalidArgument, tried.error().what};
    }
    auto place = std::make_shared<SpooledFile::Place>();
    place->options = std::move(options);
    return Spool(std::move(place));
}

Result<SpooledFile> Spool::file(std::uint64_t expected) const {
    const bool on_disk = expected > place_->options.memory_bytes_max;
    Fd fd = TRY(on_disk ? disk_file(place_->options.folder) : memory_file());
    return SpooledFile(place_, std::move(fd), on_disk);
}

Result<SpooledFile> Spool::hold(Bytes content) const {
    SpooledFile held = TRY(file(content.size()));
    TRY(held.append(content));
    return held;
}

std::uint64_t Spool::held() const noexcept {
    return place_->held.load();
}

}  // namespace colophon::worker
