// SPDX-License-Identifier: Apache-2.0
#include "http/sse.h"

#include "http/limits.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::http {
namespace {

std::vector<std::string> events_of(std::string_view stream, std::size_t cut) {
    SseReader reader;
    std::vector<std::string> events;
    for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
        reader.feed(piece);
        for (;;) {
            auto event = reader.next();
            REQUIRE(event.ok());
            if (!*event) {
                break;
            }
            events.push_back((*event)->name + "|" + (*event)->data);
        }
    }
    return events;
}

}  // namespace

TEST_CASE("events are read wherever the stream is cut") {
    const std::string stream =
        "\xEF\xBB\xBF: a comment\n\ndata: one\n\nevent: x\r\ndata: two\r\ndata:  lines\r\n\r\n"
        "data\r\rid: 7\ndata: [DONE]\n\ndata: never whole";
    const std::vector<std::string> expected{"|one", "x|two\n lines", "|", "|[DONE]"};
    for (std::size_t cut = 3; cut <= stream.size(); ++cut) {
        CAPTURE(cut);
        CHECK(events_of(stream, cut) == expected);
    }
}

TEST_CASE("an event without end is refused at its limit") {
    SseReader reader;
    reader.feed("data: " + std::string(kSseEventBytesMax, 'x'));
    CHECK_FALSE(reader.next().ok());
}

TEST_CASE("what is written is read again") {
    const std::string written = write_sse("name", "a\nb");
    CHECK(events_of(written, 5) == std::vector<std::string>{"name|a\nb"});
}

}  // namespace colophon::http
