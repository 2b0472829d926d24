// SPDX-License-Identifier: Apache-2.0
#include "cli/fragments.h"

#include "cli/files.h"
#include "core/result.h"
#include "label/provenance/credential.h"
#include "worker/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace colophon::cli {
namespace {

namespace fs = std::filesystem;

Error system_error(std::string_view what, std::string_view path) {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// "seg9" before "seg10".
bool comes_before(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty()) {
        if (!is_digit(a.front()) || !is_digit(b.front())) {
            if (a.front() != b.front()) {
                return a.front() < b.front();
            }
            a.remove_prefix(1);
            b.remove_prefix(1);
            continue;
        }
        const auto take = [](std::string_view& text) {
            const auto end = std::ranges::find_if_not(text, is_digit);
            std::string_view number = text.substr(0, static_cast<std::size_t>(end - text.begin()));
            text.remove_prefix(number.size());
            const std::size_t zeros = std::min(number.find_first_not_of('0'), number.size());
            number.remove_prefix(zeros);
            return number;
        };
        const std::string_view left = take(a);
        const std::string_view right = take(b);
        if (left != right) {
            return left.size() != right.size() ? left.size() < right.size() : left < right;
        }
    }
    return a.size() < b.size();
}

Result<void> add_matches(const std::string& name, std::vector<std::string>& paths) {
    std::error_code ignored;
    if (fs::exists(name, ignored)) {
        paths.push_back(name);
        return {};
    }
    glob_t found{};
    const int code = glob(name.c_str(), GLOB_NOSORT, nullptr, &found);
    for (std::size_t i = 0; code == 0 && i < found.gl_pathc; ++i) {
        paths.emplace_back(found.gl_pathv[i]);
    }
    globfree(&found);
    if (code != 0) {
        return Error{ErrorCode::kNotFound, fmt::format("no fragment is called {}", name)};
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> find_fragments(const std::vector<std::string>& names,
                                                const std::string& init) {
    std::vector<std::string> paths;
    for (const std::string& each : names) {
        TRY(add_matches(each, paths));
    }
    std::error_code ignored;
    std::erase_if(paths,
                  [&](const std::string& each) { return fs::equivalent(each, init, ignored); });
    std::ranges::sort(paths, [](const std::string& a, const std::string& b) {
        return comes_before(a, b) || (!comes_before(b, a) && a < b);
    });
    const auto twice = std::ranges::unique(paths);
    paths.erase(twice.begin(), twice.end());
    if (paths.empty()) {
        return Error{ErrorCode::kNotFound, "--fragments names no other file than the beginning"};
    }
    if (paths.size() > label::provenance::kFragmentsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("{} fragments; at most {} are taken together", paths.size(),
                                 label::provenance::kFragmentsMax)};
    }
    return paths;
}

Result<worker::Fd> open_unnamed(const std::string& folder) {
    worker::Fd fd(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!fd.valid()) {
        std::string name = folder + "/.colophon-XXXXXX";
        fd = worker::Fd(mkostemp(name.data(), O_CLOEXEC));
        if (fd.valid()) {
            unlink(name.c_str());
        }
    }
    if (!fd.valid()) {
        return system_error("cannot write in", folder);
    }
    return fd;
}

Result<void> copy_bytes(int from, std::uint64_t size, int to) {
    constexpr std::size_t kPart = 1U << 20U;
    std::vector<char> buffer;
    while (size > 0) {
        if (buffer.empty()) {
            const ssize_t moved = copy_file_range(
                from, nullptr, to, nullptr,
                static_cast<std::size_t>(std::min<std::uint64_t>(size, kPart << 6U)), 0);
            if (moved > 0) {
                size -= static_cast<std::uint64_t>(moved);
                continue;
            }
            buffer.resize(kPart);  // it cannot do that here
        }
        const ssize_t got = read(from, buffer.data(),
                                 static_cast<std::size_t>(std::min<std::uint64_t>(size, kPart)));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return Error{ErrorCode::kUnavailable, "a fragment ended while it was copied"};
        }
        for (ssize_t done = 0; done < got;) {
            const ssize_t wrote =
                write(to, buffer.data() + done, static_cast<std::size_t>(got - done));
            if (wrote < 0 && errno == EINTR) {
                continue;
            }
            if (wrote <= 0) {
                return system_error("cannot write", "a fragment");
            }
            done += wrote;
        }
        size -= static_cast<std::uint64_t>(got);
    }
    return {};
}

Result<Fragments> Fragments::gather(const std::vector<std::string>& paths,
                                    const std::string& folder) {
    Fragments fragments;
    std::error_code missing;
    const std::string temporary = fs::temp_directory_path(missing).string();
    if (folder.empty() && missing) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("there is no folder for temporary files: {}", missing.message())};
    }
    fragments.fd_ = TRY(open_unnamed(folder.empty() ? temporary : folder));
    for (const std::string& path : paths) {
        const worker::Fd in = TRY(open_input(path));
        struct stat facts{};
        if (fstat(in.get(), &facts) != 0) {
            return system_error("cannot look at", path);
        }
        const auto size = static_cast<std::uint64_t>(facts.st_size);
        TRY(copy_bytes(in.get(), size, fragments.fd_.get()));
        fragments.sizes_.push_back(size);
    }
    return fragments;
}

}  // namespace colophon::cli
