// SPDX-License-Identifier: Apache-2.0
#pragma once

// The structure of a ZIP archive (PKWARE APPNOTE 6.3): its central directory and where each file
// lies. Strict, because what lies between the files would be covered by no hash: files and
// directory fill the archive to the last byte, each file once. Contents are not inflated, except by
// inflate_file(). Archives that need ZIP64 or come in parts are refused.

#include "core/bytes.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::zip {

struct File {
    std::string name;          // as it stands, in whatever encoding
    std::uint64_t offset = 0;  // of its local header
    std::uint64_t size = 0;    // local header, data and descriptor together
    std::uint64_t data_offset = 0;
    std::uint64_t stored = 0;  // bytes of data as they stand
    std::uint64_t length = 0;  // bytes without compression, as the directory says
    std::uint32_t crc = 0;
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
    std::uint64_t header = 0;       // of its central directory header, in Archive::directory
    std::uint64_t header_size = 0;  // with name, extra field and comment
    bool headers_agree = true;      // local and central header say the same
    std::uint64_t local_extra = 0;  // bytes of the local header's extra field
};

struct Archive {
    std::vector<File> files;  // in the order of the directory
    Buffer directory;         // the central directory's headers
    std::uint64_t directory_offset = 0;
    Buffer end;  // the end of central directory record, with its comment
};

// Bytes of an archive that exists or will; the range lies inside.
using Read = std::function<Buffer(std::uint64_t offset, std::uint64_t size)>;

// kCorrupt names the byte; kLimit the limit; kUnsupported: ZIP64, several disks.
Result<Archive> read_archive(std::uint64_t size, const Read& read);
Result<Archive> read_archive(Bytes archive);

// The contents, stored or deflated. kLimit above `bytes_max`; kCorrupt when the checksum or the
// length is another; kUnsupported: encrypted, another method.
Result<std::string> inflate_file(Bytes archive, const File& file, std::uint64_t bytes_max);

std::uint32_t checksum(Bytes bytes);

// A file that is stored: its local header and the bytes, and its header in the central directory
// without the offset, which stands at kOffsetAt.
inline constexpr std::size_t kOffsetAt = 42;
Buffer make_file(std::string_view name, Bytes contents);
Buffer make_header(std::string_view name, Bytes contents);

}  // namespace colophon::label::zip
