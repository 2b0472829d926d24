// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.h"

#include "core/result.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

constexpr std::string_view kName = "Content-Disposition: form-data; name=\"a\"";

struct Scanned {
    Result<void> end;
    std::vector<FormPart> parts;
    std::vector<std::string> data;
};

// The body as it comes, `step` bytes at a time.
Scanned scan(std::string_view body, std::string_view boundary, std::size_t step) {
    FormScanner scanner(boundary);
    Scanned seen;
    std::string window;
    bool whole = false;
    for (;;) {
        auto event = scanner.next(window, whole);
        if (!event.ok()) {
            seen.end = event.error();
            return seen;
        }
        if (event->kind == FormEvent::Kind::kEnd) {
            return seen;
        }
        if (event->kind == FormEvent::Kind::kPart) {
            seen.parts.push_back(std::move(event->part));
            seen.data.emplace_back();
        } else if (event->kind == FormEvent::Kind::kData) {
            seen.data.back() += event->data;
        }
        window.erase(0, event->taken);
        // What waits is never more than a header or a boundary.
        CHECK(window.size() <= kFormHeadBytesMax + step);
        if (event->kind == FormEvent::Kind::kMore) {
            REQUIRE_FALSE(whole);
            const std::string_view piece = body.substr(0, step);
            window += piece;
            body.remove_prefix(piece.size());
            whole = piece.empty();
        }
    }
}

// However it comes, it is the same as when it is there.
void check_scan(std::string_view body, std::string_view boundary) {
    const auto parts = parse_form(body, boundary);
    for (const std::size_t step : {1U, 2U, 3U, 5U, 7U, 64U, 4095U, 1'000'000U}) {
        CAPTURE(step);
        const Scanned seen = scan(body, boundary, step);
        REQUIRE(seen.end.ok() == parts.ok());
        if (!parts.ok()) {
            CHECK(seen.end.error().code == parts.error().code);
            CHECK(seen.end.error().what == parts.error().what);
            continue;
        }
        REQUIRE(seen.parts.size() == parts->size());
        for (std::size_t i = 0; i < parts->size(); ++i) {
            CHECK(seen.parts[i].name == (*parts)[i].name);
            CHECK(seen.parts[i].file_name == (*parts)[i].file_name);
            CHECK(seen.parts[i].media_type == (*parts)[i].media_type);
            CHECK(seen.data[i] == (*parts)[i].data);
        }
    }
}

std::string form(std::string_view head, std::string_view data) {
    return "--b\r\n" + std::string(head) + "\r\n\r\n" + std::string(data) + "\r\n--b--\r\n";
}

}  // namespace

TEST_CASE("the parts of a form come in their order, whatever bytes they have") {
    const std::string bytes("\0\r\n--\xFF--b\r\n", 11);
    std::string body = "--b\r\n" + std::string(kName) + "\r\n\r\none\r\n";
    body +=
        "--b\r\ncontent-disposition: FORM-DATA; filename=\"p.png\"; name=\"image[]\"\r\n"
        "Content-Type: image/png\r\n\r\n" +
        bytes + "\r\n--b--";
    const auto parts = parse_form(body, "b");
    REQUIRE_MESSAGE(parts.ok(), parts.error().what);
    REQUIRE(parts->size() == 2);
    CHECK((*parts)[0].name == "a");
    CHECK((*parts)[0].data == "one");
    CHECK_FALSE((*parts)[0].file_name);
    CHECK((*parts)[1].name == "image[]");
    CHECK(*(*parts)[1].file_name == "p.png");
    CHECK((*parts)[1].media_type == "image/png");
    CHECK((*parts)[1].data == bytes);
    check_scan(body, "b");
    check_scan(body + "\r\n", "b");
    check_scan("--b--\r\n", "b");
    const std::string written = write_form(*parts, "other");
    const auto again = parse_form(written, "other");
    REQUIRE(again.ok());
    CHECK((*again)[1].data == bytes);
    CHECK(parse_form("--b--\r\n", "b")->empty());
}

TEST_CASE("a boundary comes from the type of the body, quoted or not") {
    CHECK(*form_boundary("multipart/form-data; boundary=x-1") == "x-1");
    CHECK(*form_boundary("Multipart/Form-Data;boundary=\"a:b\"; charset=utf-8") == "a:b");
    CHECK(form_boundary("application/json").error().code == ErrorCode::kUnsupported);
    for (const char* type :
         {"multipart/form-data",
          "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a b\"",
          "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=\"a"}) {
        CAPTURE(type);
        CHECK(form_boundary(type).error().code == ErrorCode::kCorrupt);
    }
    CHECK_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'a')).ok());
}

TEST_CASE("a form that two readers could understand differently is refused") {
    const std::string name(kName);
    CHECK(parse_form(form(name, "x"), "b").ok());
    for (const std::string& head :
         {std::string("X: y"), name + "; name=\"b\"", name + "; filename*=utf-8''x",
          name + "\r\n" + name, name + "\r\n folded",
          name + "\r\nContent-Transfer-Encoding: base64",
          std::string("Content-Disposition: form-data; name=\"a\\\"b\""),
          std::string("Content-Disposition: form-data; name=\"\""),
          std::string("Content-Disposition: attachment; name=\"a\""), name + "\nX: y",
          std::string("Content-Disposition: form-data; name=\"a"), std::string(4096, 'x')}) {
        CAPTURE(head);
        CHECK(parse_form(form(head, "x"), "b").error().code == ErrorCode::kCorrupt);
        check_scan(form(head, "x"), "b");
    }
    const std::string good = form(name, "x");
    for (const std::string& body :
         {"preamble\r\n" + good, good + "epilogue", std::string("--bx\r\n"), std::string(),
          std::string("--b\r\n"), good.substr(0, good.size() - 5), "--b \r\n" + good.substr(5)}) {
        CAPTURE(body);
        CHECK(parse_form(body, "b").error().code == ErrorCode::kCorrupt);
        check_scan(body, "b");
    }
    std::string many;
    for (std::size_t i = 0; i <= kFormPartsMax; ++i) {
        many += "--b\r\n" + name + "\r\n\r\nx\r\n";
    }
    CHECK(parse_form(many + "--b--", "b").error().code == ErrorCode::kLimit);
    check_scan(many + "--b--", "b");
}

}  // namespace colophon::http
