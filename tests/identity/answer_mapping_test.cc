// SPDX-License-Identifier: Apache-2.0
#include "identity/answer_mapping.h"

#include "core/bytes.h"
#include "core/json.h"
#include "identity/verification.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

std::string at(std::string_view text, std::string_view path) {
    const auto steps = parse_json_path(path);
    REQUIRE(steps.ok());
    return value_at(json::parse(text).value(), *steps).value_or("(none)");
}

TEST_CASE("a path finds texts, integers and booleans, and nothing ambiguous") {
    constexpr std::string_view kText =
        R"({"a":{"b":[{"c":"x"},7,true,null,1.5,{"d":{}}]},"two":1,"two":2,"data.x":3,"":4})";
    CHECK(at(kText, "a.b[0].c") == "x");
    CHECK(at(kText, "a.b[1]") == "7");
    CHECK(at(kText, "a.b[2]") == "true");
    CHECK(at(kText, "a.b[3]") == "(none)");
    CHECK(at(kText, "a.b[4]") == "(none)");
    CHECK(at(kText, "a.b[5].d") == "(none)");
    CHECK(at(kText, "a.b[6]") == "(none)");
    CHECK(at(kText, "a.b") == "(none)");
    CHECK(at(kText, "a.x") == "(none)");
    CHECK(at(kText, "a.b.c") == "(none)");
    CHECK(at(kText, "two") == "(none)");
    CHECK(at(kText, "a[0]") == "(none)");
    CHECK(at(R"([["y"]])", "[0][0]") == "y");
}

TEST_CASE("a path that is none is refused") {
    for (const std::string& bad :
         {std::string(), std::string("."), std::string("a."), std::string(".a"),
          std::string("a..b"), std::string("a["), std::string("a[x]"), std::string("a[-1]"),
          std::string("a[]"), std::string("a[1"), std::string("a[99999]"),
          std::string("a[18446744073709551616]"), std::string(300, 'a'),
          std::string("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q")}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_json_path(bad).ok());
    }
}

AnswerMapping mapping() {
    AnswerMapping map;
    map.required.emplace_back(parse_json_path("Code").value(), "200");
    map.outcome = parse_json_path("ResultObject.BizCode").value();
    map.outcomes = {{"1", Outcome::kMatch}, {"2", Outcome::kMismatch}, {"3", Outcome::kNoRecord}};
    map.error = parse_json_path("Code").value();
    map.errors = {{"Throttling", Outcome::kProviderBusy}, {"400", Outcome::kInvalidInput}};
    map.reference = parse_json_path("RequestId").value();
    return map;
}

// [DSP-9]
TEST_CASE("only the exact value in a good answer is a match") {
    struct Row {
        int status;
        std::string_view body;
        Outcome outcome;
    };
    constexpr Row kRows[] = {
        {200, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kMatch},
        {200, R"({"Code":200,"ResultObject":{"BizCode":1}})", Outcome::kMatch},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"2"}})", Outcome::kMismatch},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"3"}})", Outcome::kNoRecord},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"4"}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":" 1"}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":true}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":1.0}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":["1"]}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"2","BizCode":"1"}})",
         Outcome::kProviderError},
        {200, R"({"Code":"500","Code":"200","ResultObject":{"BizCode":"1"}})",
         Outcome::kProviderError},
        {200, R"({"Code":"401","ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
        {200, R"({"Code":"400","ResultObject":{"BizCode":"1"}})", Outcome::kInvalidInput},
        {200, R"({"Code":"Throttling"})", Outcome::kProviderBusy},
        {200, R"({"ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":null})", Outcome::kProviderError},
        {200, R"({"Code":"200"})", Outcome::kProviderError},
        {200, R"({})", Outcome::kProviderError},
        {200, R"([])", Outcome::kProviderError},
        {200, R"("1")", Outcome::kProviderError},
        {200, "", Outcome::kProviderError},
        {200, "<html>1</html>", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"1"}} trailing)", Outcome::kProviderError},
        {200, R"({"Code":"200","ResultObject":{"BizCode":"1"})", Outcome::kProviderError},
        {200,
         "{\"Code\":\"200\",\"Message\":\"\xB3\xC9\xB9\xA6\",\"ResultObject\":{\"BizCode\":"
         "\"1\"}}",
         Outcome::kProviderError},  // GBK
        {201, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kMatch},
        {302, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
        {400, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
        {400, R"({"Code":"400"})", Outcome::kInvalidInput},
        {401, "", Outcome::kProviderError},
        {403, "", Outcome::kProviderError},
        {404, "", Outcome::kProviderError},
        {408, "", Outcome::kTimeout},
        {429, "", Outcome::kProviderBusy},
        {429, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kProviderBusy},
        {500, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
        {500, R"({"Code":"Throttling"})", Outcome::kProviderBusy},
        {502, "bad gateway", Outcome::kProviderError},
        {503, "", Outcome::kProviderBusy},
        {504, "", Outcome::kTimeout},
        {0, R"({"Code":"200","ResultObject":{"BizCode":"1"}})", Outcome::kProviderError},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.status);
        CAPTURE(row.body);
        CHECK(outcome_name(map_answer(row.status, as_bytes(row.body), mapping()).outcome) ==
              outcome_name(row.outcome));
    }
}

TEST_CASE("every cut of a good answer is no match") {
    const std::string good = R"({"RequestId":"r","Code":"200","ResultObject":{"BizCode":"1"}})";
    REQUIRE(map_answer(200, as_bytes(good), mapping()).outcome == Outcome::kMatch);
    for (std::size_t size = 0; size < good.size(); ++size) {
        CHECK(map_answer(200, as_bytes(good.substr(0, size)), mapping()).outcome !=
              Outcome::kMatch);
    }
}

TEST_CASE("what a provider writes reaches nobody unless it is a plain code") {
    const auto clean = map_answer(
        200, as_bytes(R"({"RequestId":"A1-b_2.c","Code":"200","ResultObject":{"BizCode":"1"}})"),
        mapping());
    CHECK(clean.reference == "A1-b_2.c");
    CHECK(clean.code == "1");
    for (const std::string_view body :
         {R"({"RequestId":"张三 110105","Code":"x\ny"})", R"({"RequestId":"a b","Code":"<b>"})",
          R"({"RequestId":"a\u0000b","Code":"a:b"})"}) {
        const auto dirty = map_answer(200, as_bytes(body), mapping());
        CHECK(dirty.reference.empty());
        CHECK(dirty.code.empty());
    }
    const std::string longer = R"({"RequestId":")" + std::string(65, 'a') + R"(","Code":"1"})";
    CHECK(map_answer(200, as_bytes(longer), mapping()).reference.empty());
}

TEST_CASE("outcomes and means have their names both ways") {
    for (const char* name : {"match", "mismatch", "no_record", "invalid_input", "provider_busy",
                             "provider_error", "timeout"}) {
        CHECK(outcome_name(parse_outcome(name).value()) == name);
    }
    for (const char* name : {"mobile", "resident_id", "credit_code", "network_identity"}) {
        CHECK(means_name(parse_means(name).value()) == name);
    }
    CHECK_FALSE(parse_outcome("pass").ok());
    CHECK_FALSE(parse_means("face").ok());
    CHECK(is_judgement(Outcome::kNoRecord));
    CHECK_FALSE(is_judgement(Outcome::kTimeout));
}

}  // namespace
}  // namespace colophon::identity
