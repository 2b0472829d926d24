// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace colophon {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) {
        return Error{ErrorCode::kInvalidArgument, "odd"};
    }
    return number / 2;
}

Result<int> quarter(int number) {
    const int once = TRY(half(number));
    return TRY(half(once));
}

Result<void> must_be_even(int number) {
    TRY(half(number));
    return {};
}

Result<std::unique_ptr<int>> boxed(int number) {
    return std::make_unique<int>(TRY(half(number)));
}

Result<int> unboxed(int number) {
    const std::unique_ptr<int> box = TRY(boxed(number));
    TRY(must_be_even(*box));
    return *box;
}

Result<std::vector<std::string>> words() {
    return std::vector<std::string>{"a long enough word to live on the heap",
                                    "another one like it"};
}

TEST_CASE("TRY goes on with the value and passes the first error up") {
    CHECK(quarter(12).value() == 3);
    CHECK(quarter(6).error().code == ErrorCode::kInvalidArgument);
    CHECK(quarter(5).error().what == "odd");
    CHECK(must_be_even(4).ok());
    CHECK_FALSE(must_be_even(3).ok());
}

TEST_CASE("TRY moves values that cannot be copied") {
    CHECK(unboxed(8).value() == 4);
    CHECK_FALSE(unboxed(6).ok());
    CHECK_FALSE(unboxed(7).ok());
    CHECK(*std::move(boxed(2)).value() == 1);
}

TEST_CASE("a result is a value or an error and says which") {
    const Result<int> good = 4;
    const Result<int> bad = Error{ErrorCode::kLimit, "too much"};
    CHECK(good.ok());
    CHECK(static_cast<bool>(good));
    CHECK(*good == 4);
    CHECK_FALSE(bad.ok());
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.error().what == "too much");
    Result<std::string> text = std::string("ab");
    text->push_back('c');
    *text += 'd';
    text.value() += 'e';
    CHECK(text.value() == "abcde");
    CHECK(std::as_const(text)->size() == 5);
    static_assert(!std::is_convertible_v<Result<int>, bool>);
    static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
}

TEST_CASE("the value of a result that nobody holds may be walked over") {
    // value() of a temporary hands out the value itself; a reference would dangle in this loop.
    static_assert(std::is_same_v<decltype(words().value()), std::vector<std::string>>);
    static_assert(std::is_same_v<decltype(*words()), std::vector<std::string>>);
    static_assert(std::is_same_v<decltype(words().error()), Error>);
    std::string all;
    for (const std::string& word : words().value()) {
        all += word.substr(0, 1);
    }
    CHECK(all == "aa");
}

TEST_CASE("context comes before the message and keeps the code") {
    const Error error = with_context(Error{ErrorCode::kCorrupt, "no IEND"}, "cat.png");
    CHECK(error.code == ErrorCode::kCorrupt);
    CHECK(error.what == "cat.png: no IEND");
}

TEST_CASE("each error code has the name that JSON and messages use") {
    const std::vector<std::pair<ErrorCode, std::string>> rows{
        {ErrorCode::kInvalidArgument, "invalid_argument"},
        {ErrorCode::kNotFound, "not_found"},
        {ErrorCode::kConflict, "conflict"},
        {ErrorCode::kDenied, "denied"},
        {ErrorCode::kCorrupt, "corrupt"},
        {ErrorCode::kUnsupported, "unsupported"},
        {ErrorCode::kLimit, "limit"},
        {ErrorCode::kUnavailable, "unavailable"},
    };
    for (const auto& [code, name] : rows) {
        CHECK(error_code_name(code) == name);
    }
}

}  // namespace
}  // namespace colophon
