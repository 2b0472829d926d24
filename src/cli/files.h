// SPDX-License-Identifier: Apache-2.0
#pragma once

// Input files, folders and standard input; output files that appear complete or not at all.

#include "core/bytes.h"
#include "core/result.h"
#include "worker/channel.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {

inline constexpr std::string_view kStandardStream = "-";

struct Input {
    std::string path;      // as the user would name it; "-" for standard input
    std::string relative;  // below the folder that was given, or the file's own name
};

// Folders are walked (hidden files and folders are left out), in the order of their names. A folder
// without any file is kNotFound; a path that does not exist is found out by open_input().
Result<std::vector<Input>> collect_inputs(const std::vector<std::string>& paths);

// A descriptor to read and seek. Standard input and other streams are first put into a memory file.
Result<worker::Fd> open_input(const std::string& path);

// A file that is written beside its final name, without a name where the system can do that, and
// takes its name in one step when commit() is called. Dropped without commit, nothing remains.
class OutputFile {
public:
    // "-" writes to standard output at commit(). The folder must exist.
    static Result<OutputFile> create(const std::string& path);
    ~OutputFile();
    OutputFile(OutputFile&&) noexcept = default;
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    int descriptor() const noexcept { return fd_.get(); }
    Result<void> commit();

private:
    OutputFile(std::string path, worker::Fd fd, std::string temporary)
        : path_(std::move(path)), fd_(std::move(fd)), temporary_(std::move(temporary)) {}
    Result<void> commit_stream();
    Result<void> link_unnamed();

    std::string path_;
    worker::Fd fd_;
    std::string temporary_;  // empty: the file has no name yet
};

// Where the Content Credentials of a file lie that does not carry them: FILE.c2pa.
std::string credential_path(const std::string& path);

// The credential that was named, or the one that lies beside the input; an empty descriptor when
// there is none.
Result<worker::Fd> open_credential(const std::string& named, const Input& input);
// Bytes as a file without a name.
Result<worker::Fd> hold_in_memory(Bytes bytes);
// A credential that lies beside a file of the same run is looked at with that file.
void leave_out_credentials(std::vector<Input>& inputs);

Result<void> make_folders(const std::string& path);
bool is_folder(const std::string& path);

// The whole of a small file that belongs to the user: a key, a configuration. kLimit above the
// size.
Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max);
// A file that only its owner may read; kConflict when it is there already.
Result<void> write_secret_file(const std::string& path, std::string_view text);

}  // namespace colophon::cli
