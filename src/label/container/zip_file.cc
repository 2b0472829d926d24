// SPDX-License-Identifier: Apache-2.0
#include "label/container/zip_file.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

#include <fmt/format.h>
#include <zconf.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::zip {
namespace {

constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kHeaderBytes = 46;
constexpr std::uint64_t kCommentMax = 0xFFFF;
constexpr std::uint16_t kEncrypted = 0x0001;
constexpr std::uint16_t kDescriptor = 0x0008;  // sizes and checksum stand behind the data
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kFirstDay = 0x0021;  // 1980-01-01

Error zip64() {
    return Error{ErrorCode::kUnsupported, "a ZIP archive in parts or of more than 4 GB"};
}

// The end record: the last one whose comment ends where the archive does.
Result<std::uint64_t> find_end(std::uint64_t size, const Read& read, Buffer& end) {
    const std::uint64_t tail = std::min(size, kEndBytes + kCommentMax);
    const Buffer bytes = read(size - tail, tail);
    for (std::size_t at = bytes.size(); at-- > 0;) {
        const Bytes rest = Bytes(bytes).subspan(at);
        if (rest.size() >= kEndBytes && starts_with(rest, "PK\x05\x06") &&
            load_le16(rest.subspan(20)) == rest.size() - kEndBytes) {
            end = to_buffer(rest);
            return size - rest.size();
        }
    }
    return corrupt_at("a ZIP archive without a directory at its end", size - tail);
}

// One header of the central directory, at `at` in it.
Result<File> read_header(Bytes directory, std::uint64_t at, std::uint64_t base) {
    ByteReader reader(directory.subspan(static_cast<std::size_t>(at)), base + at);
    const Bytes fixed = TRY(reader.take(kHeaderBytes, "a ZIP directory header"));
    if (!starts_with(fixed, "PK\x01\x02")) {
        return corrupt_at("no ZIP directory header", base + at);
    }
    File file;
    file.flags = load_le16(fixed.subspan(8));
    file.method = load_le16(fixed.subspan(10));
    file.crc = load_le32(fixed.subspan(16));
    file.stored = load_le32(fixed.subspan(20));
    file.length = load_le32(fixed.subspan(24));
    file.offset = load_le32(fixed.subspan(42));
    if (file.stored == UINT32_MAX || file.length == UINT32_MAX || file.offset == UINT32_MAX ||
        load_le16(fixed.subspan(34)) != 0) {
        return zip64();
    }
    const std::uint64_t extra = load_le16(fixed.subspan(30));
    const std::uint64_t comment = load_le16(fixed.subspan(32));
    file.name = as_text(TRY(reader.take(load_le16(fixed.subspan(28)), "a name in a ZIP")));
    TRY(reader.skip(extra + comment, "a ZIP directory header"));
    file.header = at;
    file.header_size = reader.position();
    return file;
}

// What the local header says, and that the file fills its place: between `file.offset` and `next`.
Result<void> read_local(File& file, std::uint64_t next, const Read& read) {
    if (file.offset > next || next - file.offset < kLocalBytes) {
        return corrupt_at("files of a ZIP that overlap", file.offset);
    }
    const Buffer fixed = read(file.offset, kLocalBytes);
    const Bytes local(fixed);
    if (!starts_with(local, "PK\x03\x04")) {
        return corrupt_at("no file of a ZIP where its directory says", file.offset);
    }
    file.size = next - file.offset;
    file.local_extra = load_le16(local.subspan(28));
    const std::uint64_t name = load_le16(local.subspan(26));
    const std::uint64_t head = kLocalBytes + name + file.local_extra;
    if (head > file.size || file.stored > file.size - head) {
        return corrupt_at("files of a ZIP that overlap", file.offset);
    }
    file.data_offset = file.offset + head;
    // A descriptor has its signature or has it not (4.3.9).
    const std::uint64_t behind = file.size - head - file.stored;
    const bool described = (file.flags & kDescriptor) != 0;
    if (behind != 0 && !(described && (behind == 12 || behind == 16))) {
        return corrupt_at("bytes of a ZIP that belong to none of its files",
                          file.data_offset + file.stored);
    }
    const Buffer named = read(file.offset + kLocalBytes, name);
    if (as_text(named) != file.name) {
        return corrupt_at("a file of a ZIP under two names", file.offset);
    }
    file.headers_agree = load_le16(local.subspan(6)) == file.flags &&
                         load_le16(local.subspan(8)) == file.method &&
                         (described || (load_le32(local.subspan(14)) == file.crc &&
                                        load_le32(local.subspan(18)) == file.stored &&
                                        load_le32(local.subspan(22)) == file.length));
    return {};
}

Result<void> place_files(Archive& archive, const Read& read) {
    std::vector<File*> in_order;
    in_order.reserve(archive.files.size());
    for (File& each : archive.files) {
        in_order.push_back(&each);
    }
    std::ranges::sort(in_order, {}, &File::offset);
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        File& file = *in_order[i];
        if (file.offset != begin) {
            return corrupt_at("bytes of a ZIP that belong to none of its files", begin);
        }
        const std::uint64_t next =
            i + 1 < in_order.size() ? in_order[i + 1]->offset : archive.directory_offset;
        TRY(read_local(file, next, read));
        begin = next;
    }
    if (begin != archive.directory_offset) {
        return corrupt_at("bytes of a ZIP that belong to none of its files", begin);
    }
    return {};
}

void append_common(Buffer& out, std::string_view name, Bytes contents) {
    append_le16(out, kVersion);
    append_le16(out, 0);  // flags
    append_le16(out, kStored);
    append_le16(out, 0);  // midnight
    append_le16(out, kFirstDay);
    append_le32(out, checksum(contents));
    append_le32(out, static_cast<std::uint32_t>(contents.size()));
    append_le32(out, static_cast<std::uint32_t>(contents.size()));
    append_le16(out, static_cast<std::uint16_t>(name.size()));
    append_le16(out, 0);  // extra field
}

Result<std::string> inflate_raw(Bytes stored, std::uint64_t length) {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return Error{ErrorCode::kUnavailable, "no memory to inflate a text"};
    }
    std::string out(static_cast<std::size_t>(length) + 1, '\0');
    // zlib takes a pointer to non-const input and does not write to it.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    stream.next_in = const_cast<Bytef*>(stored.data());
    stream.avail_in = static_cast<uInt>(stored.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int state = inflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    inflateEnd(&stream);
    if (state != Z_STREAM_END) {
        return Error{ErrorCode::kCorrupt, "a file of a ZIP that does not inflate"};
    }
    return out;
}

}  // namespace

Result<Archive> read_archive(std::uint64_t size, const Read& read) {
    Archive archive;
    const std::uint64_t end = TRY(find_end(size, read, archive.end));
    const Bytes record(archive.end);
    const std::uint64_t count = load_le16(record.subspan(10));
    const std::uint64_t bytes = load_le32(record.subspan(12));
    archive.directory_offset = load_le32(record.subspan(16));
    if (load_le16(record.subspan(4)) != 0 || load_le16(record.subspan(6)) != 0 ||
        load_le16(record.subspan(8)) != count || count == UINT16_MAX || bytes == UINT32_MAX ||
        archive.directory_offset == UINT32_MAX) {
        return zip64();
    }
    if (bytes > limits::kZipDirectoryBytesMax || count > limits::kZipEntriesMax) {
        return Error{
            ErrorCode::kLimit,
            fmt::format("a ZIP whose directory has {} bytes and {} files; at most {} "
                        "bytes and {} files are read",
                        bytes, count, limits::kZipDirectoryBytesMax, limits::kZipEntriesMax)};
    }
    if (archive.directory_offset > end || end - archive.directory_offset != bytes) {
        return corrupt_at("a ZIP directory that is not where its end says", end);
    }
    archive.directory = read(archive.directory_offset, bytes);
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        archive.files.push_back(TRY(read_header(archive.directory, at, archive.directory_offset)));
        at += archive.files.back().header_size;
    }
    if (at != bytes) {
        return corrupt_at("a ZIP directory with more in it than its files",
                          archive.directory_offset + at);
    }
    TRY(place_files(archive, read));
    return archive;
}

Result<Archive> read_archive(Bytes archive) {
    return read_archive(archive.size(), [archive](std::uint64_t offset, std::uint64_t size) {
        return to_buffer(
            archive.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
    });
}

Result<std::string> inflate_file(Bytes archive, const File& file, std::uint64_t bytes_max) {
    if (file.length > bytes_max) {
        return Error{ErrorCode::kLimit, fmt::format("a file of {} bytes in a ZIP; at most {} are "
                                                    "read",
                                                    file.length, bytes_max)};
    }
    const bool known = file.method == kStored || file.method == kDeflated;
    if (!known || (file.flags & kEncrypted) != 0) {
        return Error{ErrorCode::kUnsupported,
                     "a file of a ZIP that is encrypted or compressed by an unknown method"};
    }
    const Bytes stored = archive.subspan(static_cast<std::size_t>(file.data_offset),
                                         static_cast<std::size_t>(file.stored));
    std::string contents = file.method == kStored ? std::string(as_text(stored))
                                                  : TRY(inflate_raw(stored, file.length));
    if (contents.size() != file.length || checksum(as_bytes(contents)) != file.crc) {
        return corrupt_at("a file of a ZIP with another checksum", file.offset);
    }
    return contents;
}

std::uint32_t checksum(Bytes bytes) {
    uLong crc = crc32(0, nullptr, 0);
    while (!bytes.empty()) {
        const std::size_t part = std::min<std::size_t>(bytes.size(), 1U << 30U);
        crc = crc32(crc, bytes.data(), static_cast<uInt>(part));
        bytes = bytes.subspan(part);
    }
    return static_cast<std::uint32_t>(crc);
}

Buffer make_file(std::string_view name, Bytes contents) {
    Buffer out = to_buffer(std::string_view("PK\x03\x04"));
    append_common(out, name, contents);
    append(out, name);
    append(out, contents);
    return out;
}

Buffer make_header(std::string_view name, Bytes contents) {
    Buffer out = to_buffer(std::string_view("PK\x01\x02"));
    append_le16(out, kVersion);  // of the writer
    append_common(out, name, contents);
    append_le16(out, 0);  // comment
    append_le16(out, 0);  // disk
    append_le16(out, 0);  // internal attributes
    append_le32(out, 0);  // external attributes
    append_le32(out, 0);  // offset, set by who places the file
    append(out, name);
    return out;
}

}  // namespace colophon::label::zip
