// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"

#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/result.h"
#include "worker/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 1U << 20U;

Error system_error(std::string_view what, const std::string& path) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                           : errno == EACCES ? ErrorCode::kDenied
                                             : ErrorCode::kUnavailable;
    return Error{code, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

std::string folder_of(const std::string& path) {
    const fs::path folder = fs::path(path).parent_path();
    return folder.empty() ? "." : folder.string();
}

Result<void> walk_folder(const std::string& folder, std::vector<Input>& inputs) {
    std::error_code failure;
    std::vector<Input> found;
    fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied,
                                          failure);
    for (; !failure && each != fs::recursive_directory_iterator(); each.increment(failure)) {
        const fs::path& path = each->path();
        std::error_code ignored;
        if (path.filename().string().starts_with('.')) {
            if (each->is_directory(ignored)) {
                each.disable_recursion_pending();
            }
            continue;
        }
        if (each->is_regular_file(ignored)) {
            found.push_back({path.string(), path.lexically_relative(folder).string()});
        }
    }
    if (failure) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("cannot read the folder {}: {}", folder, failure.message())};
    }
    if (found.empty()) {
        return Error{ErrorCode::kNotFound, fmt::format("no file in the folder {}", folder)};
    }
    std::ranges::sort(found, {}, &Input::path);
    std::ranges::move(found, std::back_inserter(inputs));
    return {};
}

// Streams cannot be mapped: their bytes go into a file in memory.
Result<worker::Fd> buffer_stream(int from, const std::string& path) {
    worker::Fd memory(memfd_create("colophon-input", MFD_CLOEXEC));
    if (!memory.valid()) {
        return system_error("no memory for", path);
    }
    std::vector<char> block(kCopyBytes);
    for (;;) {
        const ssize_t got = read(from, block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_error("cannot read", path);
        }
        if (got == 0) {
            return memory;
        }
        if (!write_text(memory.get(), {block.data(), static_cast<std::size_t>(got)})) {
            return system_error("no memory for", path);
        }
    }
}

}  // namespace

Result<worker::Fd> hold_in_memory(Bytes bytes) {
    worker::Fd memory(memfd_create("colophon-fetched", MFD_CLOEXEC));
    if (!memory.valid() || !write_text(memory.get(), as_text(bytes))) {
        return system_error("no memory for", "what was fetched");
    }
    return memory;
}

namespace {

mode_t mode_for_new_file(const std::string& path) {
    struct stat facts{};
    if (stat(path.c_str(), &facts) == 0) {
        return facts.st_mode & 07777U;
    }
    // umask() can only be read by setting it, so it is read once, before threads could notice.
    static const mode_t kMask = [] {
        const mode_t now = umask(0);
        umask(now);
        return now;
    }();
    return 0666U & ~kMask;
}

}  // namespace

Result<std::vector<Input>> collect_inputs(const std::vector<std::string>& paths) {
    std::vector<Input> inputs;
    for (const std::string& path : paths) {
        if (path != kStandardStream && is_folder(path)) {
            TRY(walk_folder(path, inputs));
        } else {
            // A path that is not there fails when its turn comes, and the others go on.
            inputs.push_back({path, fs::path(path).filename().string()});
        }
    }
    return inputs;
}

std::string credential_path(const std::string& path) {
    return path + ".c2pa";
}

Result<worker::Fd> open_credential(const std::string& named, const Input& input) {
    if (!named.empty()) {
        return open_input(named);
    }
    const std::string beside = credential_path(input.path);
    std::error_code ignored;
    if (input.path == kStandardStream || !fs::is_regular_file(beside, ignored)) {
        return worker::Fd();
    }
    return open_input(beside);
}

void leave_out_credentials(std::vector<Input>& inputs) {
    std::set<std::string> beside;
    for (const Input& each : inputs) {
        beside.insert(credential_path(each.path));
    }
    std::erase_if(inputs, [&](const Input& each) { return beside.contains(each.path); });
}

Result<worker::Fd> open_input(const std::string& path) {
    if (path == kStandardStream) {
        struct stat facts{};
        if (fstat(0, &facts) == 0 && S_ISREG(facts.st_mode) && lseek(0, 0, SEEK_CUR) == 0) {
            return worker::Fd(fcntl(0, F_DUPFD_CLOEXEC, 16));
        }
        return buffer_stream(0, "standard input");
    }
    worker::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd.valid()) {
        return system_error("cannot open", path);
    }
    struct stat facts{};
    if (fstat(fd.get(), &facts) != 0) {
        return system_error("cannot look at", path);
    }
    if (S_ISDIR(facts.st_mode)) {
        return Error{ErrorCode::kInvalidArgument, path + " is a folder"};
    }
    return S_ISREG(facts.st_mode) ? Result<worker::Fd>(std::move(fd))
                                  : buffer_stream(fd.get(), path);
}

Result<OutputFile> OutputFile::create(const std::string& path) {
    if (path == kStandardStream) {
        worker::Fd memory(memfd_create("colophon-output", MFD_CLOEXEC));
        if (!memory.valid()) {
            return system_error("no memory for", "standard output");
        }
        return OutputFile(path, std::move(memory), "");
    }
    const std::string folder = folder_of(path);
    worker::Fd unnamed(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (unnamed.valid()) {
        return OutputFile(path, std::move(unnamed), "");
    }
    std::string temporary = folder + "/.colophon-XXXXXX";
    worker::Fd named(mkostemp(temporary.data(), O_CLOEXEC));
    if (!named.valid()) {
        return system_error("cannot write in", folder);
    }
    return OutputFile(path, std::move(named), temporary);
}

OutputFile::~OutputFile() {
    if (!temporary_.empty() && fd_.valid()) {
        unlink(temporary_.c_str());
    }
}

Result<void> OutputFile::commit_stream() {
    if (lseek(fd_.get(), 0, SEEK_SET) < 0) {
        return system_error("cannot write to", "standard output");
    }
    std::vector<char> block(kCopyBytes);
    for (;;) {
        const ssize_t got = read(fd_.get(), block.data(), block.size());
        if (got < 0) {
            return system_error("cannot write to", "standard output");
        }
        if (got == 0) {
            return {};
        }
        if (!write_text(1, {block.data(), static_cast<std::size_t>(got)})) {
            return system_error("cannot write to", "standard output");
        }
    }
}

// Gives the unnamed file a name: the final one when that is free, otherwise one beside it.
Result<void> OutputFile::link_unnamed() {
    const std::string self = fmt::format("/proc/self/fd/{}", fd_.get());
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return system_error("cannot write", path_);
    }
    for (unsigned attempt = 0; attempt < 100; ++attempt) {
        const std::string name =
            fmt::format("{}/.colophon-{}-{}-{}", folder_of(path_), getpid(), fd_.get(), attempt);
        if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
            temporary_ = name;
            return {};
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return system_error("cannot write", path_);
}

Result<void> OutputFile::commit() {
    if (path_ == kStandardStream) {
        return commit_stream();
    }
    if (fchmod(fd_.get(), mode_for_new_file(path_)) != 0) {
        return system_error("cannot set the mode of", path_);
    }
    if (temporary_.empty()) {
        TRY(link_unnamed());
    }
    if (!temporary_.empty()) {
        if (rename(temporary_.c_str(), path_.c_str()) != 0) {
            return system_error("cannot write", path_);
        }
        temporary_.clear();
    }
    return {};
}

Result<void> make_folders(const std::string& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("cannot make the folder {}: {}", path, failure.message())};
    }
    return {};
}

bool is_folder(const std::string& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
    const worker::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
        return system_error("cannot open", path);
    }
    std::string text;
    std::array<char, 4096> block{};
    for (;;) {
        const ssize_t got = read(fd.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_error("cannot read", path);
        }
        if (got == 0) {
            return text;
        }
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > bytes_max) {
            return Error{ErrorCode::kLimit,
                         fmt::format("{} is larger than {} bytes", path, bytes_max)};
        }
    }
}

Result<void> write_secret_file(const std::string& path, std::string_view text) {
    const worker::Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) {
        if (errno == EEXIST) {
            return Error{ErrorCode::kConflict, path + " is there already"};
        }
        return system_error("cannot write", path);
    }
    // The name, too, has to survive: what a key protects is worth nothing without it.
    const std::string parent = fs::path(path).parent_path().string();
    const worker::Fd folder(
        open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!write_text(fd.get(), text) || fsync(fd.get()) != 0 || !folder.valid() ||
        fsync(folder.get()) != 0) {
        const Error error = system_error("cannot write", path);
        unlink(path.c_str());
        return error;
    }
    return {};
}

}  // namespace colophon::cli
