// SPDX-License-Identifier: Apache-2.0
// From registration to standing, with providers over real sockets and databases on disk.

#include "identity/subjects.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/random.h"
#include "http/client.h"
#include "identity/identity_fixture.h"
#include "identity/provider.h"
#include "identity/provider_template.h"
#include "identity/resident_id.h"
#include "support/http_peer.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;
using storage::code_of;
using storage::Engine;
using storage::good;
using test::HttpPeer;
using test::PeerRequest;

constexpr std::string_view kMother = "11010519491231002X";
constexpr std::string_view kMobile = "+8613800001234";

// A number with this region, day of birth and sequence.
std::string resident(std::string_view seventeen) {
    for (const char check : std::string_view("0123456789X")) {
        const std::string number = std::string(seventeen) + check;
        if (parse_resident_id(
                number, std::chrono::year_month_day(std::chrono::year(2100), std::chrono::month(1),
                                                    std::chrono::day(1)))
                .ok()) {
            return number;
        }
    }
    FAIL("no check character fits");
    return {};
}

// Answers "1" but for what the test sets.
struct World : Fixture {
    std::atomic<const char*> result = "1";
    std::atomic<int> status = 200;
    std::function<void()> during = [] {};
    HttpPeer peer;
    Provider provider;
    Subjects subjects;
    TenantId owner;

    explicit World(Engine engine = Engine::kSqlite, const SubjectPolicy& policy = {})
        : Fixture(engine),
          peer([this](const PeerRequest&) {
              during();
              return test::answer(status, std::string("{\"result\":\"") + result.load() + "\"}");
          }),
          provider(description(), good(http::make_client_exchange()), clock, random),
          subjects({.store = *database, .sealer = sealer, .clock = clock, .random = random},
                   {.index = to_buffer("index key"), .codes = to_buffer("code key")}, policy),
          owner(tenant()) {}

    ProviderTemplate description() const {
        return good(parse_provider_template(
            "name = 'p'\nmeans = ['resident_id','credit_code','network_identity']\n"
            "assurance = 'both'\n[request]\nurl = '" +
                peer.url("/") +
                "'\nretries = 0\n[request.json]\nkey = '{idempotency_key}'\n"
                "[answer]\noutcome = 'result'\n[answer.outcomes]\n1 = 'match'\n"
                "2 = 'mismatch'\n3 = 'no_record'\n4 = 'invalid_input'\n",
            [](std::string_view) -> Result<std::string> { return std::string("x"); }));
    }

    SubjectId person(std::string_view name) {
        return good(subjects.enrol(owner, name, SubjectKind::kPerson));
    }
    Result<VerificationState> verify(const SubjectId& subject, std::string_view number,
                                     std::string_view key) {
        return subjects.verify(owner, subject,
                               {.means = Means::kResidentId,
                                .name = "张三",
                                .number = std::string(number),
                                .consent_reference = "c",
                                .idempotency_key = std::string(key)},
                               provider);
    }
    std::size_t asked() const { return peer.requests().size(); }
};

void a_person_becomes_verified(Engine engine) {
    World world(engine);
    const SubjectId subject = world.person("user-1");
    CHECK(world.person("user-1") == subject);
    CHECK_FALSE(good(world.subjects.standing(world.owner, subject)).verified);
    CHECK(good(world.verify(subject, kMother, "k1")) == VerificationState::kVerified);
    const Standing standing = good(world.subjects.standing(world.owner, subject));
    CHECK(standing.verified);
    CHECK(standing.age == AgeClass::kAdult);
    CHECK_FALSE(standing.needs_guardian);
    REQUIRE(standing.verifications.size() == 1);
    CHECK(standing.verifications[0].shown == "110105********002X");
    CHECK(standing.verifications[0].provider == "p");
    CHECK(standing.verifications[0].checked == kStart);
}

// [DSP-9]
TEST_CASE("a person becomes verified by number and name") {
    SUBCASE("SQLite") {
        a_person_becomes_verified(Engine::kSqlite);
    }
    SUBCASE("PostgreSQL") {
        a_person_becomes_verified(Engine::kPostgres);
    }
}

TEST_CASE("what the provider says is the state, and doubt is no state of the person") {
    struct Row {
        const char* result;
        int status;
        VerificationState state;
    };
    for (const Row& row :
         {Row{"2", 200, VerificationState::kMismatch}, Row{"3", 200, VerificationState::kNoRecord},
          Row{"4", 200, VerificationState::kInvalid}, Row{"9", 200, VerificationState::kUnverified},
          Row{"1", 500, VerificationState::kUnverified},
          Row{"1", 429, VerificationState::kUnverified}}) {
        World world;
        world.result = row.result;
        world.status = row.status;
        const SubjectId subject = world.person("u");
        CHECK(state_name(good(world.verify(subject, kMother, "k"))) == state_name(row.state));
        CHECK_FALSE(good(world.subjects.standing(world.owner, subject)).verified);
    }
}

TEST_CASE("malformed claims are refused before anybody is asked") {
    World world;
    const SubjectId subject = world.person("u");
    CHECK(code_of(world.verify(subject, "110105194912310021", "k")) == ErrorCode::kInvalidArgument);
    CHECK(code_of(world.verify(subject, kMother, "")) == ErrorCode::kInvalidArgument);
    CHECK(code_of(world.verify(subject, kMother, "a b")) == ErrorCode::kInvalidArgument);
    CHECK(code_of(world.verify(SubjectId{}, kMother, "k")) == ErrorCode::kNotFound);
    CHECK(code_of(world.subjects.verify(world.owner, subject,
                                        {.means = Means::kCreditCode,
                                         .name = "x",
                                         .number = "91350100M000100Y43",
                                         .consent_reference = "",
                                         .idempotency_key = "k"},
                                        world.provider)) == ErrorCode::kConflict);
    CHECK(world.asked() == 0);
}

TEST_CASE("an organisation is verified by its credit code") {
    World world;
    const SubjectId company =
        good(world.subjects.enrol(world.owner, "corp", SubjectKind::kOrganisation));
    CHECK(good(world.subjects.verify(world.owner, company,
                                     {.means = Means::kCreditCode,
                                      .name = "示例（北京）3 公司",
                                      .number = "91350100m000100y43",
                                      .consent_reference = "",
                                      .idempotency_key = "k"},
                                     world.provider)) == VerificationState::kVerified);
    CHECK(good(world.subjects.standing(world.owner, company)).verified);
    CHECK(code_of(world.subjects.begin_mobile(world.owner, company, kMobile)) ==
          ErrorCode::kConflict);
}

TEST_CASE("a token of the network identity service is a means and is never shown") {
    World world;
    const SubjectId subject = world.person("u");
    CHECK(good(world.subjects.verify(world.owner, subject,
                                     {.means = Means::kNetworkIdentity,
                                      .name = "",
                                      .number = "token-of-the-service",
                                      .consent_reference = "",
                                      .idempotency_key = "k"},
                                     world.provider)) == VerificationState::kVerified);
    const Standing standing = good(world.subjects.standing(world.owner, subject));
    CHECK(standing.verified);
    CHECK(standing.verifications.at(0).shown.empty());
}

TEST_CASE("a mobile number is proven by the code that was sent to it") {
    World world;
    const SubjectId subject = world.person("u");
    const std::string code = good(world.subjects.begin_mobile(world.owner, subject, kMobile));
    const std::string wrong = code == "00000000" ? "00000001" : "00000000";
    CHECK(code_of(world.subjects.confirm_mobile(world.owner, subject, kMobile, wrong)) ==
          ErrorCode::kDenied);
    CHECK(code_of(world.subjects.confirm_mobile(world.owner, subject, "13800001235", code)) ==
          ErrorCode::kDenied);
    CHECK(code_of(world.subjects.confirm_mobile(world.owner, world.person("other"), kMobile,
                                                code)) == ErrorCode::kDenied);
    CHECK(good(world.subjects.confirm_mobile(world.owner, subject, "138 0000 1234", code)) ==
          VerificationState::kVerified);
    CHECK(code_of(world.subjects.confirm_mobile(world.owner, subject, kMobile, code)) ==
          ErrorCode::kDenied);
    const Standing standing = good(world.subjects.standing(world.owner, subject));
    CHECK(standing.verified);
    CHECK(standing.age == AgeClass::kUnknown);
    CHECK(standing.verifications.at(0).shown == "138****1234");
}

TEST_CASE("a code is lost after five wrong attempts, after its time, and to the next one") {
    World world;
    const SubjectId subject = world.person("u");
    const auto confirm = [&](std::string_view code) {
        return world.subjects.confirm_mobile(world.owner, subject, kMobile, code);
    };
    const std::string first = good(world.subjects.begin_mobile(world.owner, subject, kMobile));
    const std::string second = good(world.subjects.begin_mobile(world.owner, subject, kMobile));
    if (first != second) {
        CHECK_FALSE(confirm(first).ok());
    }
    for (int i = 0; i < 5; ++i) {
        CHECK_FALSE(confirm("no").ok());
    }
    CHECK_FALSE(confirm(second).ok());
    const std::string third = good(world.subjects.begin_mobile(world.owner, subject, kMobile));
    world.clock.advance(5min);
    CHECK_FALSE(confirm(third).ok());
    // Three codes a day for one number.
    CHECK(code_of(world.subjects.begin_mobile(world.owner, subject, kMobile)) == ErrorCode::kLimit);
    world.clock.advance(24h);
    CHECK(confirm(good(world.subjects.begin_mobile(world.owner, subject, kMobile))).ok());
}

TEST_CASE("a verification ends after a year and can be made again") {
    World world;
    const SubjectId subject = world.person("u");
    good(world.verify(subject, kMother, "k1"));
    world.clock.advance(24h * 365 - 1ms);
    CHECK(good(world.subjects.standing(world.owner, subject)).verified);
    world.clock.advance(1ms);
    const Standing over = good(world.subjects.standing(world.owner, subject));
    CHECK_FALSE(over.verified);
    CHECK(over.verifications.at(0).state == VerificationState::kExpired);
    CHECK(good(world.verify(subject, kMother, "k2")) == VerificationState::kVerified);
    CHECK(good(world.subjects.standing(world.owner, subject)).verified);
}

TEST_CASE("the same key asks once; other keys are bounded for the person and for the number") {
    World world;
    world.result = "2";
    const SubjectId subject = world.person("u");
    CHECK(good(world.verify(subject, kMother, "k1")) == VerificationState::kMismatch);
    CHECK(good(world.verify(subject, kMother, "k1")) == VerificationState::kMismatch);
    CHECK(world.asked() == 1);
    good(world.verify(subject, kMother, "k2"));
    good(world.verify(subject, kMother, "k3"));
    CHECK(code_of(world.verify(subject, kMother, "k4")) == ErrorCode::kLimit);
    CHECK(code_of(world.verify(world.person("w"), kMother, "k5")) == ErrorCode::kLimit);
    good(world.verify(subject, resident("11010119800101123"), "k6"));
    good(world.verify(subject, resident("11010119800101125"), "k7"));
    CHECK(code_of(world.verify(subject, resident("11010119800101127"), "k8")) == ErrorCode::kLimit);
    CHECK(world.asked() == 5);
    world.clock.advance(24h);
    CHECK(world.verify(subject, kMother, "k9").ok());
}

TEST_CASE("a busy provider costs nobody an ask") {
    World world;
    world.status = 429;
    const SubjectId subject = world.person("u");
    for (int i = 0; i < 8; ++i) {
        CHECK(good(world.verify(subject, kMother, "k")) == VerificationState::kUnverified);
    }
    world.status = 200;
    CHECK(good(world.verify(subject, kMother, "k")) == VerificationState::kVerified);
}

TEST_CASE("what is verified stands while it is asked anew and whatever a broken provider says") {
    World world(Engine::kSqlite, {.asks_per_subject_a_day = 100, .asks_per_value_a_day = 100});
    const SubjectId subject = world.person("u");
    good(world.verify(subject, kMother, "k1"));
    const auto verified = [&] {
        return good(world.subjects.standing(world.owner, subject)).verified;
    };
    world.during = [&] { CHECK(verified()); };
    world.status = 500;
    CHECK(good(world.verify(subject, kMother, "k2")) == VerificationState::kUnverified);
    CHECK(verified());
    world.status = 200;
    world.result = "2";
    CHECK(good(world.verify(subject, resident("11010119800101123"), "k3")) ==
          VerificationState::kMismatch);
    CHECK(verified());
    CHECK(good(world.verify(subject, kMother, "k4")) == VerificationState::kMismatch);
    CHECK_FALSE(verified());
}

TEST_CASE("many threads with one key ask the provider once") {
    World world;
    const SubjectId subject = world.person("u");
    std::atomic<int> verified{0};
    std::atomic<int> busy{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            const auto state = world.verify(subject, kMother, "k");
            verified += state.ok() && *state == VerificationState::kVerified ? 1 : 0;
            busy += !state.ok() && state.error().code == ErrorCode::kConflict ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(world.asked() == 1);
    CHECK(verified >= 1);
    CHECK(verified + busy == 8);
}

TEST_CASE("an account that is closed while it is verified stays unverified") {
    World world;
    const SubjectId subject = world.person("u");
    world.during = [&] { good(world.subjects.close(world.owner, subject)); };
    CHECK(code_of(world.verify(subject, kMother, "k")) == ErrorCode::kConflict);
    world.during = [] {};
    CHECK_FALSE(good(world.subjects.standing(world.owner, subject)).verified);
    CHECK(good(world.subjects.standing(world.owner, subject)).closed);
    CHECK(code_of(world.verify(subject, kMother, "k2")) == ErrorCode::kConflict);
    CHECK(code_of(world.subjects.begin_mobile(world.owner, subject, kMobile)) ==
          ErrorCode::kConflict);
}

TEST_CASE("accounts of one person find each other, up to their number") {
    World world(Engine::kSqlite, {.accounts_per_identity_max = 2, .asks_per_value_a_day = 100});
    const SubjectId one = world.person("one");
    const SubjectId two = world.person("two");
    const SubjectId three = world.person("three");
    good(world.verify(one, kMother, "k"));
    CHECK(good(world.subjects.twins(world.owner, one)).empty());
    good(world.verify(two, kMother, "k"));
    CHECK(good(world.subjects.twins(world.owner, one)) == std::vector{two});
    CHECK(good(world.subjects.twins(world.owner, two)) == std::vector{one});
    CHECK(code_of(world.verify(three, kMother, "k")) == ErrorCode::kConflict);
    CHECK(world.asked() == 2);
    good(world.subjects.close(world.owner, one));
    CHECK(good(world.verify(three, kMother, "k2")) == VerificationState::kVerified);
}

TEST_CASE("children are told from adults, need a guardian, and grow up by themselves") {
    World world;
    const SubjectId child = world.person("child");
    const SubjectId mother = world.person("mother");
    // Fourteen on 25 November 2026, counted from the day after.
    good(world.verify(child, resident("11010120121124112"), "k"));
    Standing standing = good(world.subjects.standing(world.owner, child));
    CHECK(standing.verified);
    CHECK(standing.age == AgeClass::kUnder14);
    CHECK(standing.needs_guardian);
    CHECK(code_of(world.subjects.set_guardian(world.owner, child, mother)) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(world.subjects.set_guardian(world.owner, child, child)) ==
          ErrorCode::kInvalidArgument);
    good(world.verify(mother, kMother, "k"));
    good(world.subjects.set_guardian(world.owner, child, mother));
    CHECK_FALSE(good(world.subjects.standing(world.owner, child)).needs_guardian);
    good(world.subjects.close(world.owner, mother));
    CHECK(good(world.subjects.standing(world.owner, child)).needs_guardian);
    world.clock.advance(48h);
    standing = good(world.subjects.standing(world.owner, child));
    CHECK(standing.age == AgeClass::kMinor);
    CHECK_FALSE(standing.needs_guardian);
}

TEST_CASE("one tenant sees nothing of another") {
    World world;
    const TenantId other = world.tenant("Other");
    const SubjectId subject = world.person("u");
    good(world.verify(subject, kMother, "k"));
    CHECK_FALSE(good(world.subjects.find(other, "u")));
    CHECK(code_of(world.subjects.standing(other, subject)) == ErrorCode::kNotFound);
    CHECK(code_of(world.subjects.close(other, subject)) == ErrorCode::kNotFound);
    CHECK(code_of(world.subjects.begin_mobile(other, subject, kMobile)) == ErrorCode::kNotFound);
    const SubjectId same_person = good(world.subjects.enrol(other, "u", SubjectKind::kPerson));
    CHECK(same_person != subject);
    CHECK(good(world.subjects.twins(other, same_person)).empty());
    CHECK(code_of(world.subjects.enrol(TenantId{}, "u", SubjectKind::kPerson)) !=
          ErrorCode::kCorrupt);
}

TEST_CASE("a person whose key was destroyed cannot be read any more") {
    World world;
    const SubjectId subject = world.person("u");
    good(world.verify(subject, kMother, "k"));
    world.erased.insert(to_string(subject));
    CHECK(code_of(world.subjects.standing(world.owner, subject)) == ErrorCode::kNotFound);
}

// All the ways in which a value could lie in a file or a message.
std::vector<std::string> traces_of(const std::string& value) {
    const Bytes bytes = as_bytes(value);
    std::string upper = to_hex(bytes);
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::string utf16;
    for (const char c : value) {
        utf16 += c;
        utf16 += '\0';
    }
    const Digest256 digest = sha256(bytes);
    const Digest256 sm = sm3(bytes);
    std::string base64 = test::run_tool_ok({"openssl", "base64", "-A"}, value);
    base64.resize(base64.size() - base64.size() % 4);
    return {value,
            to_hex(bytes),
            upper,
            utf16,
            base64.substr(0, base64.size() - 4),
            to_hex(digest),
            std::string(as_text(digest)),
            to_hex(sm),
            std::string(as_text(sm))};
}

TEST_CASE("neither the database nor an error holds a number, a name or a reference") {
    World world;
    const std::vector<std::string> values = {"13900007777",   "11010519491231002X",  "欧阳测试",
                                             "customer-4711", "network-token-90210", "1949-12-31",
                                             "19491231"};
    const SubjectId subject = world.person(values[3]);
    std::string said;
    const auto hear = [&](const auto& result) { said += result.ok() ? "" : result.error().what; };
    const auto claim = [&](Means means, const std::string& number, const char* key) {
        return world.subjects.verify(world.owner, subject,
                                     {.means = means,
                                      .name = values[2],
                                      .number = number,
                                      .consent_reference = "",
                                      .idempotency_key = key},
                                     world.provider);
    };
    const std::string code = good(world.subjects.begin_mobile(world.owner, subject, values[0]));
    hear(world.subjects.confirm_mobile(world.owner, subject, values[0], "wrong"));
    hear(world.subjects.confirm_mobile(world.owner, subject, values[0], code));
    hear(claim(Means::kResidentId, values[1], "k1"));
    hear(claim(Means::kNetworkIdentity, values[4], "k2"));
    hear(claim(Means::kResidentId, values[1].substr(0, 17) + "0", "k3"));
    hear(claim(Means::kCreditCode, values[1], "k4"));
    hear(claim(Means::kMobile, values[0] + "1", "k5"));
    for (int i = 0; i < 5; ++i) {
        hear(world.subjects.begin_mobile(world.owner, subject, values[0]));
    }
    CHECK(good(world.subjects.standing(world.owner, subject)).verifications.size() == 3);
    CHECK_FALSE(said.empty());
    std::string everything = said;
    std::size_t files = 0;
    const std::filesystem::path folder =
        std::filesystem::path(world.database.address()).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            ++files;
            everything += as_text(test::read_file(entry.path()));
        }
    }
    CHECK(files >= 2);  // the database and its log
    CHECK(everything.find("verifications") != std::string::npos);
    for (const std::string& value : values) {
        for (const std::string& trace : traces_of(value)) {
            CAPTURE(value);
            CHECK(everything.find(trace) == std::string::npos);
        }
    }
    CHECK(everything.find(code) == std::string::npos);
}

}  // namespace
}  // namespace colophon::identity
