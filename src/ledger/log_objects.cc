// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_objects.h"

#include "core/bytes.h"
#include "core/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::ledger {
namespace {

constexpr std::string_view kTemporary = ".part";
constexpr const char* kHeadName = "head";
constexpr off_t kObjectBytesMax = 1LL << 30;

Error failed(std::string_view what, std::string_view path, int number) {
    return {ErrorCode::kUnavailable,
            fmt::format("{}: {}: {}", path, what, std::generic_category().message(number))};
}

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File(File&&) = delete;
    File& operator=(File&&) = delete;
    int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

// Segments of [A-Za-z0-9._-], none of them "." or ".." or a file of ours that is not finished.
bool is_object_name(std::string_view name) {
    if (name.empty()) {
        return false;
    }
    while (true) {
        const std::string_view segment = name.substr(0, name.find('/'));
        const bool plain = std::ranges::all_of(segment, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == '-';
        });
        if (segment.empty() || !plain || segment == "." || segment == ".." ||
            segment.ends_with(kTemporary)) {
            return false;
        }
        if (segment.size() == name.size()) {
            return true;
        }
        name.remove_prefix(segment.size() + 1);
    }
}

Result<std::string> path_of(const std::string& folder, std::string_view name) {
    if (!is_object_name(name)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no name of an object", name)};
    }
    return folder + "/" + std::string(name);
}

Result<void> write_all(int descriptor, Bytes content, std::string_view path) {
    while (!content.empty()) {
        const ssize_t wrote = write(descriptor, content.data(), content.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return failed("cannot be written", path, errno);
        }
        content = content.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<void> make_folder(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
        return failed("the folder cannot be made", path, error.value());
    }
    return {};
}

Result<Buffer> read_all(const File& file, const std::string& path) {
    struct stat info{};
    if (fstat(file.get(), &info) != 0) {
        return failed("cannot be read", path, errno);
    }
    if (info.st_size > kObjectBytesMax) {
        return Error{ErrorCode::kLimit, path + ": more than a gigabyte"};
    }
    Buffer content(static_cast<std::size_t>(info.st_size));
    std::size_t have = 0;
    while (have < content.size()) {
        const ssize_t got = ::read(file.get(), content.data() + have, content.size() - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed("cannot be read", path, errno);
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    content.resize(have);
    return content;
}

}  // namespace

Result<void> LogObjects::put_all(std::span<const NamedObject> objects) {
    for (const NamedObject& each : objects) {
        TRY(put(each.name, each.content));
    }
    return {};
}

Result<void> MemoryObjects::put(std::string_view name, Bytes content) {
    const std::lock_guard lock(mutex_);
    objects_[std::string(name)] = to_buffer(content);
    return {};
}

Result<std::optional<Buffer>> MemoryObjects::get(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(name);
    return found == objects_.end() ? std::optional<Buffer>() : std::optional(found->second);
}

Result<void> MemoryObjects::remove(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const std::string below = std::string(name) + "/";
    for (auto each = objects_.begin(); each != objects_.end();) {
        const bool named = each->first == name || each->first.starts_with(below);
        each = named ? objects_.erase(each) : std::next(each);
    }
    return {};
}

std::map<std::string, Buffer, std::less<>> MemoryObjects::all() const {
    const std::lock_guard lock(mutex_);
    return objects_;
}

Result<std::optional<std::string>> MemoryHead::read() {
    const std::lock_guard lock(mutex_);
    return head_;
}

Result<void> MemoryHead::swap(const std::optional<std::string>& expected, const std::string& next) {
    const std::lock_guard lock(mutex_);
    if (head_ != expected) {
        return Error{ErrorCode::kConflict, "another writer signed a head of this log"};
    }
    head_ = next;
    return {};
}

Result<std::unique_ptr<DirectoryObjects>> DirectoryObjects::create(const std::string& folder) {
    TRY(make_folder(folder));
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return failed("the folder cannot be opened", folder, errno);
    }
    return std::unique_ptr<DirectoryObjects>(new DirectoryObjects(  // tidy: allow(ban) private
        folder, descriptor));
}

DirectoryObjects::~DirectoryObjects() {
    close(descriptor_);
}

Result<void> DirectoryObjects::put(std::string_view name, Bytes content) {
    const std::string path = TRY(path_of(folder_, name));
    TRY(make_folder(std::filesystem::path(path).parent_path().string()));
    const std::string temporary = path + std::string(kTemporary);
    const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) {
        return failed("cannot be made", temporary, errno);
    }
    TRY(write_all(file.get(), content, temporary));
    if (rename(temporary.c_str(), path.c_str()) != 0) {
        return failed("cannot take its name", path, errno);
    }
    return {};
}

Result<std::optional<Buffer>> DirectoryObjects::get(std::string_view name) {
    const std::string path = TRY(path_of(folder_, name));
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::optional<Buffer>();
        }
        return failed("cannot be opened", path, errno);
    }
    return std::optional(TRY(read_all(file, path)));
}

Result<void> DirectoryObjects::remove(std::string_view name) {
    const std::string path = TRY(path_of(folder_, name));
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) {
        return failed("cannot be removed", path, error.value());
    }
    return {};
}

Result<void> DirectoryObjects::flush() {
    if (syncfs(descriptor_) != 0) {
        return failed("cannot be made durable", folder_, errno);
    }
    return {};
}

Result<std::unique_ptr<DirectoryHead>> DirectoryHead::create(const std::string& folder) {
    auto objects = TRY(DirectoryObjects::create(folder));
    const std::string path = folder + "/lock";
    const int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        return failed("cannot be made", path, errno);
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        const int number = errno;
        close(lock);
        if (number == EWOULDBLOCK) {
            return Error{ErrorCode::kConflict,
                         folder + ": another process writes this log; only one may"};
        }
        return failed("cannot be locked", path, number);
    }
    return std::unique_ptr<DirectoryHead>(new DirectoryHead(  // tidy: allow(ban) private
        std::move(objects), lock));
}

DirectoryHead::~DirectoryHead() {
    close(lock_);
}

Result<std::optional<std::string>> DirectoryHead::read() {
    const auto head = TRY(objects_->get(kHeadName));
    return head ? std::optional(std::string(as_text(*head))) : std::optional<std::string>();
}

Result<void> DirectoryHead::swap(const std::optional<std::string>& expected,
                                 const std::string& next) {
    if (TRY(read()) != expected) {
        return Error{ErrorCode::kConflict, "another writer signed a head of this log"};
    }
    TRY(objects_->put(kHeadName, as_bytes(next)));
    return objects_->flush();
}

}  // namespace colophon::ledger
