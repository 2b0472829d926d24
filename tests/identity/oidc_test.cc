// SPDX-License-Identifier: Apache-2.0
// Sign-in by OpenID Connect against a provider over real HTTP, with real keys. It makes its tokens
// by the definitions of RFC 7515 and checks what it is sent, as a provider would.
#include "identity/oidc.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/json.h"
#include "http/client.h"
#include "identity/id_token.h"
#include "identity/identity_fixture.h"
#include "identity/staff.h"
#include "support/http_peer.h"

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;
using storage::code_of;
using storage::good;
using test::answer;
using test::HttpPeer;
using test::PeerRequest;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

class SigningKey {
public:
    SigningKey(std::string key_id, bool elliptic)
        : id(std::move(key_id)),
          elliptic_(elliptic),
          key_(elliptic ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)) {}

    std::string algorithm() const { return elliptic_ ? "ES256" : "RS256"; }
    json::Object jwk() const {
        if (!elliptic_) {
            return {{"kty", "RSA"},
                    {"kid", id},
                    {"use", "sig"},
                    {"n", number("n")},
                    {"e", number("e")}};
        }
        Buffer point(65);
        std::size_t size = 0;
        EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size(), &size);
        REQUIRE(size == 65);
        return {{"kty", "EC"},
                {"kid", id},
                {"crv", "P-256"},
                {"x", to_base64url(Bytes(point).subspan(1, 32))},
                {"y", to_base64url(Bytes(point).subspan(33, 32))}};
    }
    Buffer sign(std::string_view message) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                              EVP_MD_CTX_free);
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
        std::size_t size = 1024;
        Buffer out(size);
        const Bytes bytes = as_bytes(message);
        EVP_DigestSign(context.get(), out.data(), &size, bytes.data(), bytes.size());
        out.resize(size);
        return elliptic_ ? raw(out) : out;
    }
    std::string id;

private:
    std::string number(const char* name) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        Buffer bytes(static_cast<std::size_t>(BN_num_bytes(value)));
        BN_bn2bin(value, bytes.data());
        BN_free(value);
        return to_base64url(bytes);
    }
    static Buffer raw(const Buffer& der) {
        const unsigned char* at = der.data();
        ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
        Buffer out(64);
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.data(), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.data() + 32, 32);
        ECDSA_SIG_free(signature);
        return out;
    }

    bool elliptic_;
    std::unique_ptr<EVP_PKEY, FreeKey> key_;
};

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::map<std::string, std::string> fields_of(std::string_view form) {
    std::map<std::string, std::string> fields;
    while (!form.empty()) {
        const std::size_t end = std::min(form.find('&'), form.size());
        const std::string_view each = form.substr(0, end);
        const std::size_t equals = each.find('=');
        fields[std::string(each.substr(0, equals))] = unescape(each.substr(equals + 1));
        form.remove_prefix(std::min(end + 1, form.size()));
    }
    return fields;
}

// What a test may bend.
struct Bend {
    std::function<void(json::Object& claims)> claims = [](json::Object&) {};
    std::function<void(json::Object& header)> header = [](json::Object&) {};
    std::function<std::string(const std::string& token)> token = [](const std::string& text) {
        return text;
    };
};

void set(json::Object& object, const std::string& name, json::Value value) {
    std::erase_if(object, [&](const json::Member& member) { return member.first == name; });
    object.emplace_back(name, std::move(value));
}

class IdentityProvider {
public:
    explicit IdentityProvider(Clock& clock)
        : clock_(clock), peer_([this](const PeerRequest& request) { return take(request); }) {}

    std::string issuer() const { return peer_.url(""); }
    // The person signs in there: the code that the browser brings back.
    std::map<std::string, std::string> visit(const std::string& url) {
        REQUIRE(url.starts_with(peer_.url("/authorize")));
        auto fields = fields_of(url.substr(url.find('?') + 1));
        CHECK(fields["response_type"] == "code");
        CHECK(fields["scope"] == "openid");
        CHECK(fields["code_challenge_method"] == "S256");
        CHECK(fields["client_id"] == "colophon-1");
        const std::lock_guard lock(mutex_);
        asked_ = fields;
        return fields;
    }
    std::size_t key_fetches() const {
        std::size_t count = 0;
        for (const PeerRequest& each : peer_.requests()) {
            count += each.target == "/keys" ? 1U : 0U;
        }
        return count;
    }

    std::shared_ptr<SigningKey> key = std::make_shared<SigningKey>("k1", false);
    std::vector<std::shared_ptr<SigningKey>> published{key};
    Bend bend;

private:
    test::PeerAnswer take(const PeerRequest& request) {
        const std::lock_guard lock(mutex_);
        if (request.target == "/.well-known/openid-configuration") {
            return answer(
                200, json::write(json::Object{{"issuer", issuer()},
                                              {"authorization_endpoint", peer_.url("/authorize")},
                                              {"token_endpoint", peer_.url("/token")},
                                              {"jwks_uri", peer_.url("/keys")}}));
        }
        if (request.target == "/keys") {
            json::Array keys;
            for (const auto& each : published) {
                keys.emplace_back(each->jwk());
            }
            return answer(200, json::write(json::Object{{"keys", std::move(keys)}}));
        }
        if (request.target != "/token") {
            return answer(404, "");
        }
        auto fields = fields_of(request.body);
        const bool mine =
            request.header("authorization") ==
                "Basic " + to_base64(as_bytes("colophon-1:hush%20hush")) &&
            fields["code"] == "code-1" && fields["redirect_uri"] == asked_["redirect_uri"] &&
            to_base64url(sha256(as_bytes(fields["code_verifier"]))) == asked_["code_challenge"];
        if (!mine) {
            return answer(400, R"({"error":"invalid_grant"})");
        }
        return answer(200, json::write(json::Object{{"id_token", bend.token(make_token())},
                                                    {"token_type", "Bearer"}}));
    }
    std::string make_token() {
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch())
                .count();
        json::Object header{{"alg", key->algorithm()}, {"kid", key->id}};
        json::Object claims{{"iss", issuer()},
                            {"sub", "person-17"},
                            {"aud", "colophon-1"},
                            {"exp", static_cast<std::int64_t>(now + 300)},
                            {"iat", static_cast<std::int64_t>(now)},
                            {"nonce", asked_["nonce"]},
                            {"amr", json::Array{"pwd", "mfa"}}};
        bend.header(header);
        bend.claims(claims);
        const std::string part = to_base64url(as_bytes(json::write(header))) + "." +
                                 to_base64url(as_bytes(json::write(claims)));
        return part + "." + to_base64url(key->sign(part));
    }

    Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, std::string> asked_;  // guarded by mutex_
    HttpPeer peer_;
};

struct Desk : Fixture {
    IdentityProvider provider{clock};
    std::unique_ptr<Oidc> oidc;

    explicit Desk(storage::Engine engine = storage::Engine::kSqlite,
                  const std::string& required = "mfa")
        : Fixture(engine) {
        oidc = good(Oidc::create({.store = *database,
                                  .exchange = good(http::make_client_exchange()),
                                  .clock = clock,
                                  .random = random},
                                 {.issuer = provider.issuer(),
                                  .client_id = "colophon-1",
                                  .client_secret = "hush hush",
                                  .redirect_url = "https://colophon.example/console/signed-in",
                                  .required_method = required}));
    }
    Result<ExternalIdentity> sign_in() {
        const Oidc::Begun begun = good(oidc->begin());
        auto fields = provider.visit(begun.url);
        return oidc->finish(
            {.state = fields["state"], .code = "code-1", .issuer = {}, .browser = begun.browser});
    }
    ErrorCode with(Bend bend) {
        provider.bend = std::move(bend);
        const auto result = sign_in();
        provider.bend = {};
        return result.ok() ? ErrorCode::kInvalidArgument : result.error().code;
    }
};

}  // namespace

TEST_CASE("somebody signs in by a provider, with keys of either kind, on either engine") {
    for (const auto engine : {storage::Engine::kSqlite, storage::Engine::kPostgres}) {
        Desk desk(engine);
        const ExternalIdentity who = good(desk.sign_in());
        CHECK(who.subject == "person-17");
        CHECK(who.issuer == desk.provider.issuer());
        desk.provider.key = std::make_shared<SigningKey>("k2", true);
        desk.provider.published.push_back(desk.provider.key);
        desk.clock.advance(2min);
        CHECK(good(desk.sign_in()).subject == "person-17");
    }
}

TEST_CASE("an answer of another browser, another flow, late or twice is refused") {
    Desk desk;
    const Oidc::Begun first = good(desk.oidc->begin());
    auto fields = desk.provider.visit(first.url);
    const Oidc::Returned right{
        .state = fields["state"], .code = "code-1", .issuer = {}, .browser = first.browser};
    Oidc::Returned other = right;
    other.state = "";
    CHECK(code_of(desk.oidc->finish(other)) == ErrorCode::kDenied);
    other.state = std::string(5000, 'x');
    CHECK(code_of(desk.oidc->finish(other)) == ErrorCode::kDenied);
    CHECK(desk.oidc->finish(right).ok());
    CHECK(code_of(desk.oidc->finish(right)) == ErrorCode::kDenied);  // replayed

    for (const int bent : {0, 1, 2, 3}) {
        const Oidc::Begun begun = good(desk.oidc->begin());
        fields = desk.provider.visit(begun.url);
        Oidc::Returned returned{
            .state = fields["state"], .code = "code-1", .issuer = {}, .browser = begun.browser};
        if (bent == 0) {
            returned.browser = first.browser;
        } else if (bent == 1) {
            returned.issuer = "https://evil.example";
        } else if (bent == 2) {
            returned.code = "code-2";
        } else {
            desk.clock.advance(11min);
        }
        CHECK_MESSAGE(code_of(desk.oidc->finish(returned)) == ErrorCode::kDenied, bent);
    }
    // The code of one flow under the verifier of another.
    const Oidc::Begun mine = good(desk.oidc->begin());
    auto my_fields = desk.provider.visit(mine.url);
    desk.provider.visit(good(desk.oidc->begin()).url);
    CHECK(code_of(desk.oidc->finish({.state = my_fields["state"],
                                     .code = "code-1",
                                     .issuer = {},
                                     .browser = mine.browser})) == ErrorCode::kDenied);
}

TEST_CASE("a token that breaks one rule is refused, whatever else is right") {
    Desk desk;
    const auto claim = [&](const std::string& name, const json::Value& value) {
        Bend bend;
        bend.claims = [=](json::Object& claims) { set(claims, name, value); };
        return desk.with(std::move(bend));
    };
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(desk.clock.now().time_since_epoch())
            .count();
    const auto at = [&](std::int64_t offset) {
        return json::Value(static_cast<std::int64_t>(now + offset));
    };
    CHECK(claim("iss", "https://evil.example") == ErrorCode::kDenied);
    CHECK(claim("aud", "somebody-else") == ErrorCode::kDenied);
    CHECK(claim("aud", json::Array{"colophon-1", "somebody-else"}) == ErrorCode::kDenied);
    CHECK(claim("azp", "somebody-else") == ErrorCode::kDenied);
    CHECK(claim("aud", nullptr) == ErrorCode::kDenied);
    CHECK(claim("exp", at(-61)) == ErrorCode::kDenied);
    CHECK(claim("exp", "soon") == ErrorCode::kDenied);
    CHECK(claim("iat", at(61)) == ErrorCode::kDenied);
    CHECK(claim("iat", at(-601)) == ErrorCode::kDenied);
    CHECK(claim("iat", nullptr) == ErrorCode::kDenied);
    CHECK(claim("nonce", "another") == ErrorCode::kDenied);
    CHECK(claim("nonce", "") == ErrorCode::kDenied);
    CHECK(claim("sub", "") == ErrorCode::kDenied);
    CHECK(claim("sub", std::string(300, 'x')) == ErrorCode::kDenied);
    CHECK(claim("amr", json::Array{"pwd"}) == ErrorCode::kDenied);
    CHECK(claim("amr", "mfa") == ErrorCode::kDenied);
    CHECK(desk.sign_in().ok());
}

TEST_CASE("no algorithm, a public key as a secret, and a signature by anybody else are refused") {
    Desk desk;
    const std::string modulus = desk.provider.key->jwk()[3].second.if_string()->c_str();
    const auto header = [&](const std::string& name, const json::Value& value) {
        Bend bend;
        bend.header = [=](json::Object& fields) { set(fields, name, value); };
        return bend;
    };
    Bend none = header("alg", "none");
    none.token = [](const std::string& token) { return token.substr(0, token.rfind('.') + 1); };
    CHECK(desk.with(std::move(none)) == ErrorCode::kDenied);
    Bend secret = header("alg", "HS256");
    secret.token = [&](const std::string& token) {
        const std::string part = token.substr(0, token.rfind('.'));
        return part + "." + to_base64url(hmac_sha256(as_bytes(modulus), as_bytes(part)));
    };
    CHECK(desk.with(std::move(secret)) == ErrorCode::kDenied);
    CHECK(desk.with(header("alg", "ES256")) == ErrorCode::kDenied);
    CHECK(desk.with(header("alg", "RS512")) == ErrorCode::kDenied);
    CHECK(desk.with(header("crit", json::Array{"x"})) == ErrorCode::kDenied);
    CHECK(desk.with(header("kid", "k9")) == ErrorCode::kDenied);
    // Its own key, under the name of the right one.
    const auto real = std::exchange(desk.provider.key, std::make_shared<SigningKey>("k1", false));
    CHECK(desk.with({}) == ErrorCode::kDenied);
    desk.provider.key = real;
    Bend bit;
    bit.token = [](std::string token) {
        char& c = token[token.find('.') + 10];
        c = c == 'A' ? 'B' : 'A';
        return token;
    };
    CHECK(desk.with(std::move(bit)) != ErrorCode::kInvalidArgument);
    for (const std::string_view text :
         {"", "a", "a.b", "a.b.c.d", "e30.e30.", "....", "e30=.e30.AA"}) {
        Bend whole;
        whole.token = [=](const std::string&) { return std::string(text); };
        CHECK_MESSAGE(desk.with(std::move(whole)) != ErrorCode::kInvalidArgument, text);
    }
    Bend twice;
    twice.claims = [](json::Object& claims) { claims.emplace_back("sub", "admin"); };
    CHECK(desk.with(std::move(twice)) == ErrorCode::kCorrupt);
    CHECK(desk.sign_in().ok());
}

TEST_CASE(
    "keys are changed by the provider without us, and unknown ones do not make us ask each time") {
    Desk desk;
    CHECK(desk.sign_in().ok());
    CHECK(desk.provider.key_fetches() == 1);
    desk.provider.key = std::make_shared<SigningKey>("k2", false);
    desk.provider.published = {desk.provider.key};
    for (int i = 0; i < 5; ++i) {
        CHECK(code_of(desk.sign_in()) == ErrorCode::kDenied);
    }
    CHECK(desk.provider.key_fetches() == 1);
    desk.clock.advance(61s);
    CHECK(desk.sign_in().ok());
    CHECK(desk.provider.key_fetches() == 2);
}

TEST_CASE(
    "a provider that is another, is not safe to reach or has no sense is an error, no sign-in") {
    Fixture fixture;
    const Oidc::Parts parts{.store = *fixture.database,
                            .exchange = good(http::make_client_exchange()),
                            .clock = fixture.clock,
                            .random = fixture.random};
    OidcSettings settings{.issuer = "http://idp.example",
                          .client_id = "c",
                          .client_secret = "s",
                          .redirect_url = "https://here.example/",
                          .required_method = {}};
    CHECK(code_of(Oidc::create(parts, settings)) == ErrorCode::kInvalidArgument);
    settings.issuer = "http://localhost.evil.example";
    CHECK(code_of(Oidc::create(parts, settings)) == ErrorCode::kInvalidArgument);
    settings.client_secret.clear();
    settings.issuer = "https://idp.example";
    CHECK(code_of(Oidc::create(parts, settings)) == ErrorCode::kInvalidArgument);
    settings.client_secret = "s";
    for (const std::string_view body :
         {"", "{}", R"({"issuer":"https://other.example"})", "[1]", "<html>"}) {
        HttpPeer peer([&](const PeerRequest&) { return answer(200, body); });
        settings.issuer = peer.url("");
        CHECK(code_of(good(Oidc::create(parts, settings))->begin()) == ErrorCode::kCorrupt);
    }
    HttpPeer down([](const PeerRequest&) { return answer(503, ""); });
    settings.issuer = down.url("");
    CHECK(code_of(good(Oidc::create(parts, settings))->begin()) == ErrorCode::kUnavailable);
}

TEST_CASE("an account that is linked signs in by its provider alone until it is reset") {
    Fixture fixture;
    const auto hasher = good(PasswordHasher::create());
    Staff staff({.store = *fixture.database,
                 .hasher = *hasher,
                 .sealer = fixture.sealer,
                 .clock = fixture.clock,
                 .random = fixture.random},
                as_bytes("throttle key"));
    const StaffSecrets wang = good(staff.create("wang.fang", 1));
    const StaffSecrets li = good(staff.create("li.wei", 1));
    const ExternalIdentity who{.issuer = "https://idp.example", .subject = "17"};
    CHECK(code_of(staff.sign_in(who)) == ErrorCode::kDenied);
    good(staff.link(wang.id, who));
    CHECK(code_of(staff.link(li.id, who)) == ErrorCode::kConflict);
    const StaffSession session = good(staff.session(good(staff.sign_in(who))));
    CHECK(session.name == "wang.fang");
    CHECK_FALSE(session.must_change);
    CHECK(code_of(staff.sign_in({.issuer = "https://idp.example", .subject = "18"})) ==
          ErrorCode::kDenied);
    CHECK(code_of(staff.sign_in({.issuer = "https://other.example", .subject = "17"})) ==
          ErrorCode::kDenied);
    CHECK(code_of(staff.sign_in(SignIn{.name = "wang.fang",
                                       .password = wang.password,
                                       .second = wang.recovery_codes[0],
                                       .address = "192.0.2.1"})) == ErrorCode::kDenied);
    good(staff.set_disabled(wang.id, true));
    CHECK(code_of(staff.sign_in(who)) == ErrorCode::kDenied);
    good(staff.set_disabled(wang.id, false));
    const StaffSecrets fresh = good(staff.reset(wang.id));
    CHECK(code_of(staff.sign_in(who)) == ErrorCode::kDenied);
    CHECK(staff
              .sign_in(SignIn{.name = "wang.fang",
                              .password = fresh.password,
                              .second = fresh.recovery_codes[0],
                              .address = "192.0.2.1"})
              .ok());
}

}  // namespace colophon::identity
