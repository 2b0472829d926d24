// SPDX-License-Identifier: Apache-2.0
// Callbacks of providers: what is believed, and what an order is good for.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "identity/identity_fixture.h"
#include "identity/provider.h"
#include "identity/provider_template.h"
#include "identity/subjects.h"
#include "identity/verification.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

using storage::code_of;
using storage::Engine;
using storage::good;

constexpr std::string_view kMother = "11010519491231002X";

std::string file(std::string_view callback) {
    return "name = 'p'\nmeans = ['resident_id']\n[request]\nurl = 'https://p.example/'\n"
           "[request.json]\norder = '{order}'\n[answer]\noutcome = 'r'\n[answer.outcomes]\n"
           "later = 'pending'\n" +
           std::string(callback);
}

constexpr std::string_view kCallback =
    "[callback]\nsecret = 'env:S'\nmessage = '{timestamp}|{nonce}|{body}'\nsignature = 'X-Sign'\n"
    "timestamp = 'X-Time'\nnonce = 'X-Nonce'\norder = 'order'\noutcome = 'r'\n"
    "[callback.outcomes]\n1 = 'match'\n2 = 'mismatch'\n";

Result<ProviderTemplate> parse(std::string_view text) {
    return parse_provider_template(
        text, [](std::string_view) -> Result<std::string> { return std::string("secret"); });
}

struct World : Fixture {
    Provider provider;
    Subjects subjects;
    TenantId owner;
    std::string order;  // of the last ask

    explicit World(Engine engine)
        : Fixture(engine),
          provider(
              good(parse(file(kCallback))),
              [](const HttpRequest&) -> Result<HttpResponse> {
                  return Error{ErrorCode::kUnavailable, "nobody"};
              },
              clock, random),
          subjects({.store = *database, .sealer = sealer, .clock = clock, .random = random},
                   {.index = to_buffer("index key"), .codes = to_buffer("code key")}),
          owner(tenant()) {}

    SubjectId pending(std::string_view name) {
        const SubjectId subject = good(subjects.enrol(owner, name, SubjectKind::kPerson));
        CHECK(ask(subject) == VerificationState::kPending);
        return subject;
    }
    VerificationState ask(const SubjectId& subject) {
        return good(subjects.verify(owner, subject,
                                    {.means = Means::kResidentId,
                                     .name = "张三",
                                     .number = std::string(kMother),
                                     .consent_reference = "c",
                                     .idempotency_key = "k"},
                                    [this](const VerificationRequest& request) {
                                        order = request.order;
                                        VerificationAnswer answer;
                                        answer.outcome = Outcome::kPending;
                                        answer.provider = "p";
                                        answer.checked_at = clock.now();
                                        answer.wait = std::chrono::minutes(30);
                                        return answer;
                                    }));
    }
    VerificationAnswer answer(Outcome outcome) {
        VerificationAnswer said;
        said.outcome = outcome;
        said.provider = "p";
        said.checked_at = clock.now();
        return said;
    }
    bool verified(const SubjectId& subject) {
        return good(subjects.standing(owner, subject)).verified;
    }
    VerificationState state(const SubjectId& subject) {
        return good(subjects.standing(owner, subject)).verifications.at(0).state;
    }

    // Signed over these values; `sent` may differ from them.
    struct Sent {
        std::string time;
        std::string nonce = "n-1";
        std::string body = R"({"order":"00ff","r":"1"})";
    };
    std::string signature(const Sent& sent, std::string_view secret = "secret") const {
        return to_hex(hmac(HmacHash::kSha256, as_bytes(secret),
                           as_bytes(sent.time + "|" + sent.nonce + "|" + sent.body)));
    }
    Result<Provider::CallbackAnswer> read(const Sent& sent, const std::string& signature) const {
        const std::map<std::string, std::string, std::less<>> headers{
            {"x-sign", signature}, {"x-time", sent.time}, {"x-nonce", sent.nonce}};
        return provider.read_callback({.method = "POST",
                                       .path = "/api/providers/p/callbacks",
                                       .header =
                                           [&](std::string_view name) {
                                               const auto found = headers.find(name);
                                               return found == headers.end()
                                                          ? std::string_view()
                                                          : std::string_view(found->second);
                                           },
                                       .body = as_bytes(sent.body)});
    }
};

template <class F>
void each(F test) {
    SUBCASE("SQLite") {
        World world(Engine::kSqlite);
        test(world);
    }
    SUBCASE("PostgreSQL") {
        World world(Engine::kPostgres);
        test(world);
    }
}

}  // namespace

// [DSP-9]
TEST_CASE("a callback is believed when every signed part is as it was signed, and of this time") {
    World world(Engine::kSqlite);
    const auto seconds = [&](std::chrono::seconds off) {
        return std::to_string(
            std::chrono::floor<std::chrono::seconds>(world.clock.now() + off).time_since_epoch() /
            std::chrono::seconds(1));
    };
    const World::Sent sent{.time = seconds(std::chrono::seconds(0))};
    const auto read = good(world.read(sent, world.signature(sent)));
    CHECK(read.order == "00ff");
    CHECK(read.answer.outcome == Outcome::kMatch);
    std::string upper = world.signature(sent);
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    CHECK(world.read(sent, upper).ok());
    // Every single bit of time, nonce, body and signature.
    for (int part = 0; part < 4; ++part) {
        World::Sent other = sent;
        std::string sign = world.signature(sent);
        std::string& text = part == 0   ? other.time
                            : part == 1 ? other.nonce
                            : part == 2 ? other.body
                                        : sign;
        for (std::size_t at = 0; at < text.size(); ++at) {
            for (int bit = 0; bit < 8; ++bit) {
                const char before = text[at];
                text[at] = static_cast<char>(static_cast<unsigned char>(before) ^ (1U << bit));
                // A hexadecimal digit may be a capital.
                if (part != 3 || std::tolower(text[at]) != std::tolower(before)) {
                    CHECK(code_of(world.read(other, sign)) == ErrorCode::kDenied);
                }
                text[at] = before;
            }
        }
    }
    for (const int off : {-301, 301, -100'000}) {
        const World::Sent old{.time = seconds(std::chrono::seconds(off))};
        CHECK(code_of(world.read(old, world.signature(old))) == ErrorCode::kDenied);
    }
    for (const char* time : {"", "x", "-1", "99999999999999999999", " 1"}) {
        const World::Sent odd{.time = time};
        CHECK(code_of(world.read(odd, world.signature(odd))) == ErrorCode::kDenied);
    }
    CHECK(code_of(world.read(sent, world.signature(sent, "other"))) == ErrorCode::kDenied);
    CHECK(code_of(world.read(sent, "")) == ErrorCode::kDenied);
    for (const char* body : {"", "[]", "{", R"({"order":"../x","r":"1"})", R"({"r":"1"})",
                             R"({"order":"00ff","order":"00ff","r":"1"})"}) {
        const World::Sent odd{.time = sent.time, .body = body};
        CHECK(code_of(world.read(odd, world.signature(odd))) == ErrorCode::kInvalidArgument);
    }
    const World::Sent unknown{.time = sent.time, .body = R"({"order":"00ff","r":"7"})"};
    CHECK(good(world.read(unknown, world.signature(unknown))).answer.outcome ==
          Outcome::kProviderError);
}

TEST_CASE("an order is answered once, by its provider, in its time") {
    each([](World& world) {
        const SubjectId subject = world.pending("u");
        CHECK(world.state(subject) == VerificationState::kPending);
        VerificationAnswer other = world.answer(Outcome::kMatch);
        other.provider = "q";
        CHECK(code_of(world.subjects.take_callback(world.order, other)) == ErrorCode::kNotFound);
        CHECK(code_of(world.subjects.take_callback("00ff", world.answer(Outcome::kMatch))) ==
              ErrorCode::kNotFound);
        CHECK(good(world.subjects.take_callback(world.order, world.answer(Outcome::kPending))) ==
              VerificationState::kPending);
        CHECK_FALSE(world.verified(subject));
        CHECK(good(world.subjects.take_callback(world.order, world.answer(Outcome::kMatch))) ==
              VerificationState::kVerified);
        CHECK(world.verified(subject));
        CHECK(good(world.subjects.standing(world.owner, subject)).age == AgeClass::kAdult);
        CHECK(code_of(world.subjects.take_callback(
                  world.order, world.answer(Outcome::kMismatch))) == ErrorCode::kNotFound);
        CHECK(world.verified(subject));
    });
}

TEST_CASE("an order that nobody answered is over, and its late answer is worth nothing") {
    each([](World& world) {
        const SubjectId subject = world.pending("u");
        const std::string first = world.order;
        world.clock.advance(std::chrono::minutes(31));
        CHECK(world.state(subject) == VerificationState::kUnverified);
        CHECK(code_of(world.subjects.take_callback(first, world.answer(Outcome::kMatch))) ==
              ErrorCode::kNotFound);
        CHECK(world.ask(subject) == VerificationState::kPending);
        CHECK(world.order != first);
        world.clock.advance(
            -std::chrono::minutes(31));  // a clock that goes back opens nothing again
        CHECK(code_of(world.subjects.take_callback(first, world.answer(Outcome::kMatch))) ==
              ErrorCode::kNotFound);
        CHECK_FALSE(world.verified(subject));
    });
}

TEST_CASE("an account that was closed or erased while a provider took its time stays unverified") {
    each([](World& world) {
        const SubjectId closed = world.pending("u");
        good(world.subjects.close(world.owner, closed));
        CHECK(code_of(world.subjects.take_callback(world.order, world.answer(Outcome::kMatch))) ==
              ErrorCode::kConflict);
        CHECK_FALSE(world.verified(closed));
        const SubjectId erased = world.pending("v");
        good(world.subjects.erase(world.owner, erased));
        CHECK(code_of(world.subjects.take_callback(world.order, world.answer(Outcome::kMatch))) ==
              ErrorCode::kNotFound);
    });
}

TEST_CASE("a file says who signs callbacks, over what, and by which order they are found") {
    CHECK(parse(file(kCallback)).ok());
    const auto without = [](std::string_view line) {
        std::string text(kCallback);
        const std::size_t at = text.find(line);
        REQUIRE(at != std::string::npos);
        return text.erase(at, text.find('\n', at) + 1 - at);
    };
    for (const char* line :
         {"secret", "message", "signature", "timestamp = ", "order", "outcome", "1 = "}) {
        CAPTURE(std::string(line));
        CHECK(code_of(parse(file(without(line)))) == ErrorCode::kInvalidArgument);
    }
    CHECK(code_of(parse(file(""))) == ErrorCode::kInvalidArgument);  // pending without a callback
    const auto with = [](std::string_view from, std::string_view to) {
        std::string text = file(kCallback);
        return text.replace(text.find(from), from.size(), to);
    };
    CHECK_FALSE(parse(with("'env:S'", "'plain'")).ok());
    CHECK_FALSE(parse(with("|{body}", "")).ok());       // a body that nobody signed
    CHECK_FALSE(parse(with("{timestamp}|", "")).ok());  // a time that nobody signed
    CHECK_FALSE(parse(with("'{order}'", "'o'")).ok());  // an order that nobody sends
    CHECK_FALSE(parse(with("{nonce}", "{number}")).ok());
    CHECK_FALSE(parse(with("[callback]\n", "[callback]\nodd = 1\n")).ok());
}

}  // namespace colophon::identity
