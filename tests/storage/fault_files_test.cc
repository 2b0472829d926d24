// SPDX-License-Identifier: Apache-2.0
#include "storage/fault_files.h"

#include "core/bytes.h"
#include "core/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

MemoryFiles::MemoryFiles() : root_(std::make_shared<Node>()) {
    root_->folder = true;
}

MemoryFiles::Child MemoryFiles::find(const std::string& path) const {
    Child at = root_;
    std::size_t start = 1;
    while (at && start < path.size()) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const auto child = at->children.find(path.substr(start, end - start));
        at = child == at->children.end() ? nullptr : child->second;
        start = end + 1;
    }
    return at;
}

MemoryFiles::Child MemoryFiles::parent(const std::string& path, std::string& name) const {
    const std::size_t slash = path.find_last_of('/');
    name = path.substr(slash + 1);
    return find(path.substr(0, slash));
}

int MemoryFiles::add(Child node) {
    open_[next_] = std::move(node);
    return next_++;
}

int MemoryFiles::create(const std::string& path) {
    std::string name;
    const Child folder = parent(path, name);
    if (!folder) {
        return -ENOENT;
    }
    if (folder->children.contains(name)) {
        return -EEXIST;
    }
    return add(folder->children[name] = std::make_shared<Node>());
}

int MemoryFiles::open(const std::string& path) {
    const Child node = find(path);
    return node ? add(node) : -ENOENT;
}

int MemoryFiles::open_folder(const std::string& path) {
    const Child node = find(path);
    return !node ? -ENOENT : !node->folder ? -ENOTDIR : add(node);
}

int MemoryFiles::close(int fd) {
    locks_.erase(fd);
    return open_.erase(fd) == 1 ? 0 : -EBADF;
}

std::int64_t MemoryFiles::write(int fd, Bytes bytes) {
    append(open_.at(fd)->content, bytes);
    return static_cast<std::int64_t>(bytes.size());
}

std::int64_t MemoryFiles::read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
    const Buffer& content = open_.at(fd)->content;
    const std::size_t from = std::min<std::size_t>(offset, content.size());
    const std::size_t count = std::min(out.size(), content.size() - from);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(from), count, out.begin());
    return static_cast<std::int64_t>(count);
}

std::int64_t MemoryFiles::size(int fd) {
    const Node& node = *open_.at(fd);
    return node.folder ? -EISDIR : static_cast<std::int64_t>(node.content.size());
}

int MemoryFiles::sync(int fd) {
    Node& node = *open_.at(fd);
    node.synced = node.content;
    node.synced_children = node.children;
    return 0;
}

int MemoryFiles::lock(int fd) {
    Node* node = open_.at(fd).get();
    for (const auto& [holder, held] : locks_) {
        if (held == node && holder != fd) {
            return -EWOULDBLOCK;
        }
    }
    locks_[fd] = node;
    return 0;
}

int MemoryFiles::same(int fd, const std::string& path) {
    return open_.at(fd) == find(path) ? 1 : 0;
}

int MemoryFiles::link(const std::string& from, const std::string& to) {
    std::string name;
    const Child folder = parent(to, name);
    const Child node = find(from);
    if (!folder || !node) {
        return -ENOENT;
    }
    return folder->children.try_emplace(name, node).second ? 0 : -EEXIST;
}

int MemoryFiles::rename(const std::string& from, const std::string& to) {
    std::string from_name;
    std::string to_name;
    const Child from_folder = parent(from, from_name);
    const Child to_folder = parent(to, to_name);
    const Child node = find(from);
    if (!from_folder || !to_folder || !node) {
        return -ENOENT;
    }
    const Child there = find(to);
    if (there && there->folder) {
        return -EISDIR;
    }
    from_folder->children.erase(from_name);
    to_folder->children[to_name] = node;
    return 0;
}

int MemoryFiles::unlink(const std::string& path) {
    std::string name;
    const Child folder = parent(path, name);
    const Child node = find(path);
    if (!folder || !node) {
        return -ENOENT;
    }
    if (node->folder) {
        return -EISDIR;
    }
    folder->children.erase(name);
    return 0;
}

int MemoryFiles::make_folder(const std::string& path) {
    std::string name;
    const Child folder = parent(path, name);
    if (!folder) {
        return -ENOENT;
    }
    if (!folder->folder) {
        return -ENOTDIR;
    }
    if (folder->children.contains(name)) {
        return -EEXIST;
    }
    (folder->children[name] = std::make_shared<Node>())->folder = true;
    return 0;
}

int MemoryFiles::remove_folder(const std::string& path) {
    std::string name;
    const Child folder = parent(path, name);
    const Child node = find(path);
    if (!folder || !node) {
        return -ENOENT;
    }
    if (!node->children.empty()) {
        return -ENOTEMPTY;
    }
    folder->children.erase(name);
    return 0;
}

int MemoryFiles::list(const std::string& path, std::vector<Entry>& entries) {
    entries.clear();
    const Child node = find(path);
    if (!node) {
        return -ENOENT;
    }
    if (!node->folder) {
        return -ENOTDIR;
    }
    for (const auto& [name, child] : node->children) {
        entries.push_back({name, child->folder});
    }
    return 0;
}

namespace {

bool coin(Random& random) {
    return random.next().value() % 2 == 0;
}

}  // namespace

void MemoryFiles::crash_folder(Node& folder, Random& random, std::set<Node*>& seen) {
    std::set<std::string> names;
    for (const auto& [name, child] : folder.children) {
        names.insert(name);
    }
    for (const auto& [name, child] : folder.synced_children) {
        names.insert(name);
    }
    std::map<std::string, Child> left;
    for (const std::string& name : names) {
        const auto now = folder.children.find(name);
        const auto then = folder.synced_children.find(name);
        const Child new_child = now == folder.children.end() ? nullptr : now->second;
        const Child old_child = then == folder.synced_children.end() ? nullptr : then->second;
        const Child child = new_child == old_child || coin(random) ? new_child : old_child;
        if (child) {
            left[name] = child;
        }
    }
    folder.children = left;
    folder.synced_children = left;
    for (const auto& [name, child] : left) {
        if (!seen.insert(child.get()).second) {
            continue;
        }
        if (child->folder) {
            crash_folder(*child, random, seen);
        } else if (child->content != child->synced && coin(random)) {
            child->content = child->synced;
        } else if (child->content != child->synced && coin(random)) {
            // Torn: a beginning reached the disk, what follows is whatever lay there.
            const std::size_t whole = random.next().value() % child->content.size();
            std::fill(child->content.begin() + static_cast<std::ptrdiff_t>(whole),
                      child->content.end(), std::uint8_t{0});
        }
        child->synced = child->content;
    }
}

void MemoryFiles::crash(Random& random) {
    open_.clear();
    locks_.clear();
    std::set<Node*> seen;
    crash_folder(*root_, random, seen);
}

void FaultyFiles::plan(std::uint64_t at, int code, bool sticky, Fault fault) {
    planned_ = true;
    at_ = at;
    code_ = code;
    sticky_ = sticky;
    fault_ = fault;
    calls_ = 0;
    hit_.clear();
    sync_failed_ = false;
    syncs_after_failure_ = 0;
}

int FaultyFiles::strike(const char* call) {
    const std::uint64_t number = calls_++;
    if (!planned_ || fault_ == Fault::kShort || (sticky_ ? number < at_ : number != at_)) {
        return 0;
    }
    if (hit_.empty()) {
        hit_ = call;
    }
    return fault_ == Fault::kInterrupted ? -EINTR : -code_;
}

bool FaultyFiles::halves(const char* call) {
    if (planned_ && fault_ == Fault::kShort && (sticky_ ? calls_ - 1 >= at_ : calls_ - 1 == at_)) {
        hit_ = call;
        return true;
    }
    return false;
}

int FaultyFiles::create(const std::string& path) {
    const int error = strike("create");
    return error != 0 ? error : below_.create(path);
}

int FaultyFiles::open(const std::string& path) {
    const int error = strike("open");
    return error != 0 ? error : below_.open(path);
}

int FaultyFiles::open_folder(const std::string& path) {
    const int error = strike("open_folder");
    return error != 0 ? error : below_.open_folder(path);
}

int FaultyFiles::close(int fd) {
    // A descriptor is gone whatever close() says.
    const int closed = below_.close(fd);
    const int error = strike("close");
    return error != 0 ? error : closed;
}

std::int64_t FaultyFiles::write(int fd, Bytes bytes) {
    const int error = strike("write");
    if (error != 0) {
        return error;
    }
    return below_.write(fd, halves("write") ? bytes.first((bytes.size() + 1) / 2) : bytes);
}

std::int64_t FaultyFiles::read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
    const int error = strike("read_at");
    if (error != 0) {
        return error;
    }
    return below_.read_at(fd, halves("read_at") ? out.first((out.size() + 1) / 2) : out, offset);
}

std::int64_t FaultyFiles::size(int fd) {
    const int error = strike("size");
    return error != 0 ? error : below_.size(fd);
}

int FaultyFiles::sync(int fd) {
    const int error = strike("sync");
    if (sync_failed_) {
        ++syncs_after_failure_;
    }
    if (error != 0) {
        sync_failed_ = true;
        return error;
    }
    return below_.sync(fd);
}

int FaultyFiles::lock(int fd) {
    const int error = strike("lock");
    return error != 0 ? error : below_.lock(fd);
}

int FaultyFiles::same(int fd, const std::string& path) {
    const int error = strike("same");
    return error != 0 ? error : below_.same(fd, path);
}

int FaultyFiles::link(const std::string& from, const std::string& to) {
    const int error = strike("link");
    return error != 0 ? error : below_.link(from, to);
}

int FaultyFiles::rename(const std::string& from, const std::string& to) {
    const int error = strike("rename");
    return error != 0 ? error : below_.rename(from, to);
}

int FaultyFiles::unlink(const std::string& path) {
    const int error = strike("unlink");
    return error != 0 ? error : below_.unlink(path);
}

int FaultyFiles::make_folder(const std::string& path) {
    const int error = strike("make_folder");
    return error != 0 ? error : below_.make_folder(path);
}

int FaultyFiles::remove_folder(const std::string& path) {
    const int error = strike("remove_folder");
    return error != 0 ? error : below_.remove_folder(path);
}

int FaultyFiles::list(const std::string& path, std::vector<Entry>& entries) {
    const int error = strike("list");
    return error != 0 ? error : below_.list(path, entries);
}

namespace {

TEST_CASE("the file system of the tests loses in a crash what was not synced, and only that") {
    SeededRandom random(3);
    int kept_names = 0;
    int kept_content = 0;
    for (int round = 0; round < 64; ++round) {
        MemoryFiles files;
        const int root = files.open_folder("/");
        const int safe = files.create("/safe");
        CHECK(files.write(safe, as_bytes("0123456789")) == 10);
        CHECK(files.sync(safe) == 0);
        const int late = files.create("/late");
        CHECK(files.sync(root) == 0);
        CHECK(files.write(late, as_bytes("0123456789")) == 10);
        CHECK(files.link("/late", "/other") == 0);
        files.crash(random);
        std::vector<Files::Entry> entries;
        CHECK(files.list("/", entries) == 0);
        kept_names += entries.size() == 3 ? 1 : 0;
        CHECK(files.size(files.open("/safe")) == 10);
        kept_content += files.size(files.open("/late")) == 10 ? 1 : 0;
    }
    CHECK(kept_names > 10);
    CHECK(kept_names < 54);
    CHECK(kept_content > 10);
    CHECK(kept_content < 54);
}

}  // namespace
}  // namespace colophon::storage
