// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_objects.h"

#include "core/bytes.h"
#include "core/random.h"
#include "storage/files.h"
#include "storage/limits.h"
#include "storage/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::string_view kPartFolder = ".part";
// Folders that are known to be on the disk; forgetting them costs an fsync each.
constexpr std::size_t kKnownFoldersMax = 65'536;
constexpr int kOpenAttempts = 8;

Error failed(std::string_view what, std::string_view path, std::int64_t code) {
    const int number = static_cast<int>(-code);
    const ErrorCode kind = number == ENOENT                        ? ErrorCode::kNotFound
                           : number == EACCES || number == EPERM   ? ErrorCode::kDenied
                           : number == ENOTDIR || number == EISDIR ? ErrorCode::kConflict
                                                                   : ErrorCode::kUnavailable;
    return Error{kind, fmt::format("cannot {} {}: {}", what, path, std::strerror(number))};
}

bool disk_is_full(int code) {
    // NOLINTNEXTLINE(misc-include-cleaner): EDQUOT is of <cerrno>, which is there
    return code == -ENOSPC || code == -EDQUOT;
}

class Handle {
public:
    Handle(Files& files, int fd) : files_(&files), fd_(fd) {}
    ~Handle() { (void)close(); }
    Handle(Handle&& other) noexcept : files_(other.files_), fd_(std::exchange(other.fd_, -1)) {}
    Handle& operator=(Handle&&) = delete;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    int get() const noexcept { return fd_; }
    // Network file systems report here what they could not write.
    int close() {
        const int fd = std::exchange(fd_, -1);
        return fd >= 0 ? files_->close(fd) : 0;
    }

private:
    Files* files_;
    int fd_;
};

std::string parent_of(const std::string& path) {
    return path.substr(0, path.find_last_of('/'));
}

class DirectoryWriter;

class DirectoryObjects final : public ObjectStore {
public:
    DirectoryObjects(std::string root, Files& files) : root_(std::move(root)), files_(files) {}
    ~DirectoryObjects() override {
        if (!own_.empty()) {
            (void)files_.remove_folder(own_);
        }
    }
    DirectoryObjects(const DirectoryObjects&) = delete;
    DirectoryObjects& operator=(const DirectoryObjects&) = delete;
    DirectoryObjects(DirectoryObjects&&) = delete;
    DirectoryObjects& operator=(DirectoryObjects&&) = delete;

    Result<void> open(Random& random);

    Result<void> put_all(std::span<const NamedBytes> objects) override;
    Result<std::unique_ptr<ObjectWriter>> write(std::string_view name, Existing existing) override;
    Result<Buffer> get(std::string_view name, std::uint64_t bytes_max) override;
    Result<Buffer> get_range(std::string_view name, std::uint64_t offset,
                             std::uint64_t size) override;
    Result<std::optional<std::uint64_t>> size(std::string_view name) override;
    Result<void> list(std::string_view prefix,
                      const std::function<bool(std::string_view name)>& each) override;
    Result<void> remove(std::string_view name) override;

    Files& files() { return files_; }
    std::string path_of(std::string_view name) const { return fmt::format("{}/{}", root_, name); }

    // Gives the synced file at `part` its name, durable once its folder is synced. `part` is gone
    // afterwards, whatever happens.
    Result<void> place(const std::string& part, const std::string& path, Existing existing);
    Result<void> sync_folder(const std::string& folder);
    // Error{kUnavailable} after an fsync has failed.
    Result<void> check_usable() const;
    void fail() { failed_ = true; }

private:
    Result<void> make_root();
    Result<void> recover();
    void clear_abandoned(const std::string& folder);
    Result<void> make_own_folder(Random& random);
    Result<void> make_parents(const std::string& path);
    Result<std::unique_ptr<DirectoryWriter>> writer_to(std::string_view name, Existing existing);
    struct Opened {
        Handle file;
        std::uint64_t bytes;
    };
    Result<Opened> open_object(std::string_view name);
    Result<Buffer> read(const Handle& file, std::string_view name, std::uint64_t offset,
                        std::uint64_t size);
    Result<bool> walk(const std::string& folder, std::string_view prefix,
                      const std::function<bool(std::string_view)>& each);

    std::string root_;
    Files& files_;
    std::string own_;             // ROOT/.part/RANDOM
    std::optional<Handle> lock_;  // on own_
    std::atomic<std::uint64_t> next_part_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::set<std::string> known_folders_;  // guarded by mutex_
};

class DirectoryWriter final : public ObjectWriter {
public:
    DirectoryWriter(DirectoryObjects& store, Handle file, std::string part, std::string path,
                    Existing existing)
        : store_(store),
          file_(std::move(file)),
          part_(std::move(part)),
          path_(std::move(path)),
          existing_(existing) {}
    ~DirectoryWriter() override {
        if (!part_.empty()) {
            (void)store_.files().unlink(part_);
        }
    }
    DirectoryWriter(const DirectoryWriter&) = delete;
    DirectoryWriter& operator=(const DirectoryWriter&) = delete;
    DirectoryWriter(DirectoryWriter&&) = delete;
    DirectoryWriter& operator=(DirectoryWriter&&) = delete;

    Result<void> append(Bytes piece) override {
        while (!piece.empty()) {
            const std::int64_t done = store_.files().write(file_.get(), piece);
            if (done == -EINTR) {
                continue;
            }
            if (done <= 0) {
                return failed("write", path_, done == 0 ? -EIO : done);
            }
            piece = piece.subspan(static_cast<std::size_t>(done));
        }
        return {};
    }

    Result<void> commit() override {
        TRY(place());
        // Also when it was there: whoever made it may not have got to this line yet.
        return store_.sync_folder(parent_of(path_));
    }

    // As commit(), but the folder is still to be synced.
    Result<void> place() {
        TRY(store_.check_usable());
        const int synced = store_.files().sync(file_.get());
        if (synced != 0) {
            if (!disk_is_full(synced)) {
                store_.fail();
            }
            return failed("keep", path_, synced);
        }
        if (const int closed = file_.close(); closed != 0) {
            return failed("write", path_, closed);
        }
        return store_.place(std::exchange(part_, {}), path_, existing_);
    }
    const std::string& path() const noexcept { return path_; }

private:
    DirectoryObjects& store_;
    Handle file_;
    std::string part_;
    std::string path_;
    Existing existing_;
};

Result<void> DirectoryObjects::check_usable() const {
    if (failed_) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the disk of {} failed to keep what was written; nothing more is "
                                 "written until the store is opened again",
                                 root_)};
    }
    return {};
}

Result<void> DirectoryObjects::sync_folder(const std::string& folder) {
    const int fd = files_.open_folder(folder);
    if (fd < 0) {
        return failed("open the folder", folder, fd);
    }
    const Handle handle(files_, fd);
    // Always fatal: what was renamed is visible already, but nobody knows whether it is on the
    // disk.
    if (const int synced = files_.sync(handle.get()); synced != 0) {
        fail();
        return failed("keep the folder", folder, synced);
    }
    return {};
}

// Every folder between the root and the object, each durable in its parent. One that is there may
// have been made by somebody who has not synced it yet, so that it is synced once by us too.
Result<void> DirectoryObjects::make_parents(const std::string& path) {
    const std::string folder = parent_of(path);
    {
        const std::lock_guard guard(mutex_);
        if (known_folders_.contains(folder)) {
            return {};
        }
    }
    for (std::size_t slash = path.find('/', root_.size() + 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
        const std::string step = path.substr(0, slash);
        const int made = files_.make_folder(step);
        if (made != 0 && made != -EEXIST) {
            return failed("make the folder", step, made);
        }
        TRY(sync_folder(parent_of(step)));
    }
    const std::lock_guard guard(mutex_);
    if (known_folders_.size() >= kKnownFoldersMax) {
        known_folders_.clear();
    }
    known_folders_.insert(folder);
    return {};
}

Result<void> DirectoryObjects::place(const std::string& part, const std::string& path,
                                     Existing existing) {
    Result<void> ready = make_parents(path);
    if (!ready.ok()) {
        (void)files_.unlink(part);
        return std::move(ready).error();
    }
    if (existing == Existing::kReplace) {
        if (const int renamed = files_.rename(part, path); renamed != 0) {
            (void)files_.unlink(part);
            return failed("write", path, renamed);
        }
        return {};
    }
    const int linked = files_.link(part, path);
    (void)files_.unlink(part);
    if (linked != 0 && linked != -EEXIST) {
        return failed("write", path, linked);
    }
    if (linked == -EEXIST) {
        const bool is_object =
            TRY(size(std::string_view(path).substr(root_.size() + 1))).has_value();
        if (existing == Existing::kRefuse || !is_object) {
            return Error{ErrorCode::kConflict, path + " is there already"};
        }
    }
    return {};
}

Result<void> DirectoryObjects::make_root() {
    const int made = files_.make_folder(root_);
    if (made != 0 && made != -EEXIST) {
        return failed("make the folder", root_, made);
    }
    if (made == 0) {
        const std::string parent = parent_of(root_);
        TRY(sync_folder(parent.empty() ? "/" : parent));
    }
    const std::string parts = path_of(kPartFolder);
    const int parts_made = files_.make_folder(parts);
    if (parts_made != 0 && parts_made != -EEXIST) {
        return failed("make the folder", parts, parts_made);
    }
    return {};
}

// Best effort: what cannot be removed is only space, and another process may be removing it too.
void DirectoryObjects::clear_abandoned(const std::string& folder) {
    const int fd = files_.open_folder(folder);
    if (fd < 0) {
        return;
    }
    const Handle handle(files_, fd);
    if (files_.lock(handle.get()) != 0) {
        return;
    }
    std::vector<Files::Entry> left;
    if (files_.list(folder, left) == 0) {
        for (const Files::Entry& entry : left) {
            (void)files_.unlink(folder + "/" + entry.name);
        }
    }
    (void)files_.remove_folder(folder);
}

Result<void> DirectoryObjects::recover() {
    const std::string parts = path_of(kPartFolder);
    std::vector<Files::Entry> owners;
    if (const int listed = files_.list(parts, owners); listed != 0) {
        return failed("read the folder", parts, listed);
    }
    for (const Files::Entry& owner : owners) {
        if (owner.folder) {
            clear_abandoned(parts + "/" + owner.name);
        }
    }
    return {};
}

Result<void> DirectoryObjects::make_own_folder(Random& random) {
    for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
        std::array<std::uint8_t, 8> name{};
        TRY(random.fill(name));
        const std::string folder = fmt::format("{}/{}", path_of(kPartFolder), to_hex(name));
        const int made = files_.make_folder(folder);
        if (made == -EEXIST) {
            continue;
        }
        if (made != 0) {
            return failed("make the folder", folder, made);
        }
        const int fd = files_.open_folder(folder);
        if (fd < 0) {
            continue;
        }
        Handle handle(files_, fd);
        // Between its making and its lock another process may have taken the folder for abandoned.
        if (files_.lock(handle.get()) == 0 && files_.same(handle.get(), folder) == 1) {
            own_ = folder;
            lock_.emplace(std::move(handle));
            return {};
        }
    }
    return Error{ErrorCode::kUnavailable, "cannot make a folder of its own in " + root_};
}

Result<void> DirectoryObjects::open(Random& random) {
    TRY(make_root());
    TRY(recover());
    return make_own_folder(random);
}

Result<std::unique_ptr<DirectoryWriter>> DirectoryObjects::writer_to(std::string_view name,
                                                                     Existing existing) {
    TRY(check_object_name(name));
    TRY(check_usable());
    std::string part = fmt::format("{}/{}", own_, next_part_++);
    const int fd = files_.create(part);
    if (fd < 0) {
        return failed("write", path_of(name), fd);
    }
    return std::make_unique<DirectoryWriter>(*this, Handle(files_, fd), std::move(part),
                                             path_of(name), existing);
}

Result<std::unique_ptr<ObjectWriter>> DirectoryObjects::write(std::string_view name,
                                                              Existing existing) {
    return std::unique_ptr<ObjectWriter>(TRY(writer_to(name, existing)));
}

// Each folder is synced once.
Result<void> DirectoryObjects::put_all(std::span<const NamedBytes> objects) {
    std::set<std::string> folders;
    for (const NamedBytes& each : objects) {
        TRY(check_put_bytes(each.content));
        const auto writer = TRY(writer_to(each.name, Existing::kReplace));
        TRY(writer->append(each.content));
        TRY(writer->place());
        folders.insert(parent_of(writer->path()));
    }
    for (const std::string& folder : folders) {
        TRY(sync_folder(folder));
    }
    return {};
}

Result<DirectoryObjects::Opened> DirectoryObjects::open_object(std::string_view name) {
    TRY(check_object_name(name));
    const Error absent{ErrorCode::kNotFound, fmt::format("there is no object {}", name)};
    const int fd = files_.open(path_of(name));
    // "a/b" where "a" is an object is simply not there.
    if (fd == -ENOENT || fd == -ENOTDIR) {
        return absent;
    }
    if (fd < 0) {
        return failed("read", path_of(name), fd);
    }
    Handle file(files_, fd);
    const std::int64_t bytes = files_.size(file.get());
    if (bytes == -EISDIR) {
        return absent;
    }
    if (bytes < 0) {
        return failed("read", path_of(name), bytes);
    }
    return Opened{std::move(file), static_cast<std::uint64_t>(bytes)};
}

Result<Buffer> DirectoryObjects::read(const Handle& file, std::string_view name,
                                      std::uint64_t offset, std::uint64_t size) {
    Buffer content(static_cast<std::size_t>(size));
    std::size_t have = 0;
    while (have < content.size()) {
        const std::int64_t done =
            files_.read_at(file.get(), std::span(content).subspan(have), offset + have);
        if (done == -EINTR) {
            continue;
        }
        if (done < 0) {
            return failed("read", path_of(name), done);
        }
        if (done == 0) {
            return Error{ErrorCode::kCorrupt,
                         fmt::format("{} was cut while it was read", path_of(name))};
        }
        have += static_cast<std::size_t>(done);
    }
    return content;
}

Result<Buffer> DirectoryObjects::get(std::string_view name, std::uint64_t bytes_max) {
    const Opened object = TRY(open_object(name));
    const std::uint64_t allowed = std::min(bytes_max, kObjectInMemoryBytesMax);
    if (object.bytes > allowed) {
        return Error{ErrorCode::kLimit, fmt::format("the object {} has {} bytes, at most {} are "
                                                    "taken",
                                                    name, object.bytes, allowed)};
    }
    return read(object.file, name, 0, object.bytes);
}

Result<Buffer> DirectoryObjects::get_range(std::string_view name, std::uint64_t offset,
                                           std::uint64_t size) {
    if (size > kObjectInMemoryBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a range of {} bytes is too large", size)};
    }
    const Opened object = TRY(open_object(name));
    if (offset >= object.bytes) {
        return Buffer{};
    }
    return read(object.file, name, offset, std::min(size, object.bytes - offset));
}

Result<std::optional<std::uint64_t>> DirectoryObjects::size(std::string_view name) {
    Result<Opened> object = open_object(name);
    if (object.ok()) {
        return std::optional<std::uint64_t>(object->bytes);
    }
    if (object.error().code == ErrorCode::kNotFound) {
        return std::optional<std::uint64_t>();
    }
    return std::move(object).error();
}

// Depth first. A folder sorts as "name/", because that is how the names below it compare with the
// files beside it. False when `each` has had enough.
Result<bool> DirectoryObjects::walk(const std::string& folder, std::string_view prefix,
                                    const std::function<bool(std::string_view)>& each) {
    std::vector<Files::Entry> entries;
    const int listed = files_.list(folder.empty() ? root_ : path_of(folder), entries);
    if (listed == -ENOENT || listed == -ENOTDIR) {
        return true;  // removed meanwhile, or never there
    }
    if (listed != 0) {
        return failed("read the folder", path_of(folder), listed);
    }
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const Files::Entry& entry : entries) {
        names.push_back((folder.empty() ? "" : folder + "/") + entry.name +
                        (entry.folder ? "/" : ""));
    }
    std::ranges::sort(names);
    for (std::string& name : names) {
        const std::size_t common = std::min(name.size(), prefix.size());
        if (std::string_view(name).substr(0, common) != prefix.substr(0, common)) {
            continue;
        }
        const bool is_folder = name.back() == '/';
        if (is_folder) {
            name.pop_back();
        }
        // Foreign files and our own unfinished ones are no objects.
        if (!check_object_name(name).ok()) {
            continue;
        }
        if (is_folder ? !TRY(walk(name, prefix, each)) : name.starts_with(prefix) && !each(name)) {
            return false;
        }
    }
    return true;
}

Result<void> DirectoryObjects::list(std::string_view prefix,
                                    const std::function<bool(std::string_view name)>& each) {
    TRY(check_object_prefix(prefix));
    const std::size_t slash = prefix.find_last_of('/');
    TRY(walk(slash == std::string_view::npos ? "" : std::string(prefix.substr(0, slash)), prefix,
             each));
    return {};
}

Result<void> DirectoryObjects::remove(std::string_view name) {
    TRY(check_object_name(name));
    TRY(check_usable());
    const std::string path = path_of(name);
    const int removed = files_.unlink(path);
    if (removed == -ENOENT || removed == -ENOTDIR || removed == -EISDIR) {
        return {};
    }
    if (removed != 0) {
        return failed("remove", path, removed);
    }
    return sync_folder(parent_of(path));
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_directory_objects(std::string root, Files& files,
                                                            Random& random) {
    while (root.size() > 1 && root.ends_with('/')) {
        root.pop_back();
    }
    if (root.empty()) {
        return Error{ErrorCode::kInvalidArgument, "the folder of objects has no name"};
    }
    // So that every path has a parent by name.
    if (root.find('/') == std::string::npos) {
        root.insert(0, "./");
    }
    auto store = std::make_unique<DirectoryObjects>(std::move(root), files);
    TRY(store->open(random));
    return std::unique_ptr<ObjectStore>(std::move(store));
}

}  // namespace colophon::storage
