// SPDX-License-Identifier: Apache-2.0
#include "label/container/vorbis_comment.h"

#include "core/bytes.h"
#include "core/limits.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {
Result<VorbisComments> read_vorbis_comments(Bytes list, std::uint64_t base) {
    ByteReader reader(list, base);
    VorbisComments comments;
    const std::uint32_t vendor_size = TRY(reader.le32("length of the vendor string"));
    comments.vendor = as_text(TRY(reader.take(vendor_size, "vendor string")));
    comments.count_offset = reader.position();
    const std::uint32_t count = TRY(reader.le32("number of comments"));
    // No memory is reserved by the number: each comment must first be there.
    for (std::uint32_t i = 0; i < count; ++i) {
        if (i >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " Vorbis comments (kContainerItemsMax)"};
        }
        VorbisComment comment;
        comment.offset = reader.position();
        const std::uint32_t size = TRY(reader.le32("length of a comment"));
        const std::string_view text = as_text(TRY(reader.take(size, "comment")));
        comment.end = reader.position();
        const std::size_t equals = text.find('=');
        comment.name =
            equals == std::string_view::npos ? std::string_view{} : text.substr(0, equals);
        comment.value = equals == std::string_view::npos ? text : text.substr(equals + 1);
        comments.comments.push_back(comment);
    }
    comments.end = reader.position();
    return comments;
}

}  // namespace colophon::label
