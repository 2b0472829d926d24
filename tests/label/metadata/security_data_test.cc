// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/security_data.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "label/metadata/aigc.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::read_file;
using test::run_tool_ok;
using test::TempDir;
using test::write_file;

constexpr std::string_view kStepFunKey =
    "3059301306072A8648CE3D020106082A811CCF5501822D034200045728F08C58D9C72150A705693EF7337859F8FF21"
    "6E802630041AFAE5C036F0A67CB1FDF8C57F5F8B623284AE09E4E545464B7140B26BBDA51BAE965F854C57AA";

struct Vector {
    std::string_view produce_id;
    std::string_view digest;
    std::string_view signature;
};
constexpr Vector kStepFun[] = {
    {"142569260085903360", "12c5e53351f1362807f314978bc1e4f4b75e1846afd826c0f34c32e15b53f51e",
     "3046022100AE6B84B3342128AE301A597596FCD9EECF3EA0FC2DB6C250BAF234E167298E9002210097223ABB647B7"
     "8"
     "6A90D0A1B93CB9382EA879563B2C7F025FA006BE16AE926C14"},
    {"147392816552226816", "773db28d219d682ad5406c306f0e73f880f5f5e931416a97aa2bcc4a5dd96344",
     "3045022100E816A5872275AE5414E7E0FD3D9B2C30F7B7FD68609D6486A38DF7CFAA1417B902201A510FBBE50819B"
     "A"
     "FF1FCC7B8527FF23CD40447D41A6776E6BCF1F773AE0DBBC"},
};

AigcLabel stepfun_label(const Vector& vector) {
    return {"1", "001191310104MACE0YX63918020", std::string(vector.produce_id), "", "", "", ""};
}

std::string data(std::string_view signature, std::string_view key,
                 std::string_view algorithm = "1.2.156.10197.1.501",
                 std::string_view target = "LabelMataData") {
    json::Array items{json::Object{{"Type", "DS"},
                                   {"AlgID", algorithm},
                                   {"TBSData", json::Object{{"Type", target}}},
                                   {"Signature", signature}}};
    if (!key.empty()) {
        items.push_back(json::Object{{"Type", "PubKey"}, {"AlgID", algorithm}, {"KeyValue", key}});
    }
    return json::write(json::Object{
        {"SecurityData", json::Object{{"Type", "TC260PG"}, {"Version", 1}, {"PubSD", items}}}});
}

std::string codes(const SignatureReading& reading) {
    std::string out(signature_state_name(reading.state));
    for (const Finding& finding : reading.findings) {
        out += " " + finding.code;
    }
    return out;
}

AigcLabel sample() {
    return {"1", "001191310104MACE0YX63918020", "42", "", "001191310104MACE0YX63918020", "42", ""};
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return text;
}

// r||s, 32 bytes each, out of the DER that OpenSSL makes.
Buffer raw_signature(const Buffer& der) {
    Buffer out;
    std::size_t at = 2;
    for (int i = 0; i < 2; ++i) {
        const std::size_t size = der[at + 1];
        Buffer number(der.begin() + static_cast<std::ptrdiff_t>(at + 2),
                      der.begin() + static_cast<std::ptrdiff_t>(at + 2 + size));
        while (number.size() > 32) {
            number.erase(number.begin());
        }
        out.insert(out.end(), 32 - number.size(), 0);
        append(out, number);
        at += 2 + size;
    }
    return out;
}

std::string public_pem(const TempDir& dir, const std::string& private_pem) {
    write_file(dir.file("key.pem"), as_bytes(private_pem));
    return run_tool_ok({"openssl", "pkey", "-in", dir.file("key.pem"), "-pubout"});
}

// [TC260-PG-202511A]
TEST_CASE("labels published by StepFun verify, over the digest of the message") {
    for (const Vector& vector : kStepFun) {
        AigcLabel label = stepfun_label(vector);
        CHECK(to_hex(sm3(as_bytes(signed_message(label)))) == vector.digest);
        label.reserved_code1 = data(vector.signature, kStepFunKey);
        const SignatureReading reading = verify_security_data(label, {});
        CHECK(codes(reading) == "valid signature.double_hash signature.untrusted_key");
        CHECK(reading.double_hash);
        CHECK_FALSE(reading.trusted);

        const TrustedKey trusted{"StepFun", from_hex(kStepFunKey).value()};
        CHECK(verify_security_data(label, {trusted}).trusted);

        label.produce_id.back() = '1';
        CHECK(codes(verify_security_data(label, {})) == "invalid signature.invalid");
    }
}

// [TC260-PG-202511A]
TEST_CASE("our own signature verifies, and one changed character is noticed") {
    const auto key = SigningKey::generate();
    REQUIRE(key.ok());
    AigcLabel label = sample();
    label.reserved_code1 = make_security_data(label, *key, "").value();
    CHECK(check_aigc(label).ok());
    const auto again = read_aigc(write_aigc(label, Wrapping::kBare));
    REQUIRE(again.ok());
    const SignatureReading reading = verify_security_data(again->label, {});
    CHECK(codes(reading) == "valid signature.untrusted_key");
    CHECK(reading.key_id == key->key_id());
    CHECK_FALSE(reading.double_hash);

    const std::vector<TrustedKey> trusted{{"ours", key->public_key()}};
    CHECK(codes(verify_security_data(label, trusted)) == "valid");
    CHECK(verify_security_data(label, trusted).trusted);

    // A platform adds its own fields without breaking the producer's signature.
    AigcLabel passed_on = label;
    passed_on.content_propagator = "00119144030008867405X220001";
    passed_on.propagate_id = "p1";
    CHECK(verify_security_data(passed_on, trusted).state == SignatureState::kValid);

    for (std::string AigcLabel::* field :
         {&AigcLabel::label, &AigcLabel::content_producer, &AigcLabel::produce_id}) {
        AigcLabel changed = label;
        (changed.*field).back() ^= 1;
        CHECK(codes(verify_security_data(changed, trusted)) == "invalid signature.invalid");
    }
}

TEST_CASE("the signed text is quoted, so that no value plays the part of another field") {
    AigcLabel left = sample();
    AigcLabel right = sample();
    left.content_producer = "a\",\"ProduceID\":\"b";
    left.produce_id = "c";
    right.content_producer = "a";
    right.produce_id = "b\",\"ProduceID\":\"c";
    CHECK(signed_message(left) != signed_message(right));
    CHECK(signed_message(sample()) ==
          R"("Label":"1","ContentProducer":"001191310104MACE0YX63918020","ProduceID":"42")");
}

TEST_CASE("the openssl program verifies our signature and reads our key") {
    const TempDir dir;
    const SigningKey key = SigningKey::generate().value();
    const AigcLabel label = sample();
    write_file(dir.file("public.pem"), as_bytes(public_pem(dir, key.to_pem().value())));
    write_file(dir.file("message"), as_bytes(signed_message(label)));
    const auto value = json::parse(make_security_data(label, key, "k1").value());
    const json::Array& items = *value->find("SecurityData")->find("PubSD")->if_array();
    CHECK(items[1].string_or("KeyID", "") == "k1");
    write_file(dir.file("signature"), from_hex(items[0].string_or("Signature", "")).value());
    const std::string out = run_tool_ok(
        {"openssl", "dgst", "-sm3", "-verify", dir.file("public.pem"), "-signature",
         dir.file("signature"), "-sigopt", "distid:1234567812345678", dir.file("message")});
    CHECK(out.find("Verified OK") != std::string::npos);
    write_file(dir.file("spki"), from_hex(items[1].string_or("KeyValue", "")).value());
    CHECK(run_tool_ok({"openssl", "pkey", "-pubin", "-inform", "DER", "-in", dir.file("spki")}) ==
          public_pem(dir, key.to_pem().value()));
}

TEST_CASE("keys made by openssl load in both PEM forms; others are refused without being shown") {
    const TempDir dir;
    const std::string pkcs8 = run_tool_ok({"openssl", "genpkey", "-algorithm", "SM2"});
    const auto key = SigningKey::from_pem(pkcs8);
    REQUIRE(key.ok());
    // SEC 1: OpenSSL 3 writes its own name into the frame, everybody else "EC".
    std::string sec1 = run_tool_ok({"openssl", "ec"}, pkcs8);
    CHECK(SigningKey::from_pem(sec1).ok());
    for (std::size_t at = sec1.find("SM2 P"); at != std::string::npos; at = sec1.find("SM2 P")) {
        sec1.replace(at, 3, "EC");
    }
    CHECK(sec1.find("BEGIN EC PRIVATE KEY") != std::string::npos);
    CHECK(SigningKey::from_pem(sec1).ok());
    CHECK(SigningKey::from_pem(key->to_pem().value())->public_key() == key->public_key());

    const std::string rsa = run_tool_ok({"openssl", "genpkey", "-algorithm", "RSA"});
    const std::string p256 = run_tool_ok({"openssl", "ecparam", "-name", "P-256", "-genkey"});
    const std::string locked =
        run_tool_ok({"openssl", "genpkey", "-algorithm", "SM2", "-aes256", "-pass", "pass:secret"});
    for (const std::string& pem : {rsa, p256, locked, std::string("garbage"), std::string(),
                                   pkcs8.substr(0, 80), std::string(1U << 20U, 'x')}) {
        const auto refused = SigningKey::from_pem(pem);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().what.find(pem.substr(0, 60)) ==
              (pem.empty() ? 0 : std::string::npos));
    }
    const auto swapped = trusted_key_from_pem("x", pkcs8);
    REQUIRE_FALSE(swapped.ok());
    CHECK(swapped.error().what.find("private key was given") != std::string::npos);
    CHECK(trusted_key_from_pem("x", public_pem(dir, pkcs8))->public_key == key->public_key());
    CHECK_FALSE(trusted_key_from_pem("x", "nothing").ok());
}

TEST_CASE("keys and signatures are taken in every form that producers write") {
    // Until the y coordinate is even, as a bare x means it.
    SigningKey key = SigningKey::generate().value();
    while (key.public_key().back() % 2 != 0) {
        key = SigningKey::generate().value();
    }
    AigcLabel label = sample();
    const Buffer message = to_buffer(signed_message(label));
    const Buffer der = key.sign(message).value();
    const Buffer spki = key.public_key();
    const Bytes point = Bytes(spki).last(65);
    const Bytes x = point.subspan(1, 32);
    const std::string keys[] = {
        to_hex(spki),     upper(to_hex(spki)), to_hex(point), to_hex(point.subspan(1)),
        "02" + to_hex(x), "00" + to_hex(x),    to_hex(x),
    };
    for (const std::string& value : keys) {
        for (const std::string& signature :
             {to_hex(der), upper(to_hex(der)), to_hex(raw_signature(der))}) {
            CAPTURE(value);
            label.reserved_code1 = data(signature, value);
            CHECK(verify_security_data(label, {}).state == SignatureState::kValid);
        }
    }
    label.reserved_code1 = data(to_hex(der), "03" + to_hex(x));
    CHECK(verify_security_data(label, {}).state == SignatureState::kInvalid);
    label.reserved_code1 = data(to_hex(key.sign(sm3(message)).value()), to_hex(spki));
    CHECK(verify_security_data(label, {}).double_hash);
    // Honor's spelling, and the object without its wrapper.
    label.reserved_code1 = data(to_hex(der), to_hex(spki));
    std::string honor = label.reserved_code1;
    honor.replace(honor.find("PubSD"), 5, "PubSd");
    honor.replace(honor.find("SecurityData"), 12, "Content");
    label.reserved_code1 = honor;
    CHECK(verify_security_data(label, {}).state == SignatureState::kValid);
}

TEST_CASE("a certificate serves as the key, and RSA signatures verify too") {
    const TempDir dir;
    const std::string sm2 = run_tool_ok({"openssl", "genpkey", "-algorithm", "SM2"});
    const std::string rsa = run_tool_ok({"openssl", "genpkey", "-algorithm", "RSA"});
    AigcLabel label = sample();
    write_file(dir.file("message"), as_bytes(signed_message(label)));
    for (const bool is_rsa : {false, true}) {
        write_file(dir.file("key.pem"), as_bytes(is_rsa ? rsa : sm2));
        std::vector<std::string> sign{
            "openssl",           "dgst", is_rsa ? "-sha256" : "-sm3", "-sign",
            dir.file("key.pem"), "-out", dir.file("signature")};
        std::vector<std::string> certify{"openssl",
                                         "req",
                                         "-x509",
                                         "-key",
                                         dir.file("key.pem"),
                                         "-subj",
                                         "/CN=test",
                                         "-outform",
                                         "DER",
                                         "-out",
                                         dir.file("cert.der"),
                                         is_rsa ? "-sha256" : "-sm3"};
        if (!is_rsa) {
            sign.insert(sign.end(), {"-sigopt", "distid:1234567812345678"});
            certify.insert(certify.end(), {"-sigopt", "distid:1234567812345678"});
        }
        sign.push_back(dir.file("message"));
        run_tool_ok(sign);
        run_tool_ok(certify);
        label.reserved_code1 =
            data(to_hex(read_file(dir.file("signature"))), to_hex(read_file(dir.file("cert.der"))),
                 is_rsa ? "1.2.840.113549.1.1.11" : "1.2.156.10197.1.501");
        CHECK(codes(verify_security_data(label, {})) == "valid signature.untrusted_key");
        const std::string pem =
            run_tool_ok({"openssl", "x509", "-inform", "DER", "-in", dir.file("cert.der")});
        const auto trusted = trusted_key_from_pem("ca", pem);
        REQUIRE(trusted.ok());
        CHECK(verify_security_data(label, {*trusted}).trusted);
    }
}

TEST_CASE("values that cannot be checked are told apart from changed labels") {
    const SigningKey key = SigningKey::generate().value();
    const SigningKey other = SigningKey::generate().value();
    AigcLabel label = sample();
    const std::string signature = to_hex(key.sign(as_bytes(signed_message(label))).value());
    const std::string spki = to_hex(key.public_key());
    struct Row {
        std::string reserved;
        std::string_view codes;
    };
    const Row rows[] = {
        {"", "none"},
        {"e862483430d978cbf828b8b24296ef9328d843a0", "none signature.opaque"},
        {"L-abc", "none signature.opaque"},
        {"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "none signature.opaque"},
        {"{}", "none signature.opaque"},
        {R"({"SecurityData":{"PubSD":[]}})", "none signature.none"},
        {data(signature, ""), "unsupported signature.no_key"},
        {data(signature, "ABCD"), "unsupported signature.no_key"},
        {data(signature, spki, "1.2.3.4"), "unsupported signature.algorithm"},
        {data(signature, spki, "1.2.156.10197.1.501", "Bnd"),
         "unsupported signature.binding_unchecked"},
        {data("xyz", spki), "invalid signature.invalid"},
        {data("", spki), "invalid signature.invalid"},
        {data("00", spki), "invalid signature.invalid"},
        {data(signature, to_hex(other.public_key())), "invalid signature.invalid"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.reserved);
        label.reserved_code1 = row.reserved;
        CHECK(codes(verify_security_data(label, {})) == row.codes);
    }
    // Without a key in the file a trusted key still verifies.
    label.reserved_code1 = data(signature, "");
    CHECK(verify_security_data(label, {{"ours", key.public_key()}}).trusted);
}

TEST_CASE("a foreign key that bears the name of a trusted one is an error") {
    const SigningKey ours = SigningKey::generate().value();
    const SigningKey forger = SigningKey::generate().value();
    AigcLabel label = sample();
    label.reserved_code1 = make_security_data(label, forger, ours.key_id()).value();
    const auto reading = verify_security_data(label, {{"ours", ours.public_key()}});
    CHECK(codes(reading) == "valid signature.untrusted_key signature.key_mismatch");
    CHECK_FALSE(reading.trusted);
    CHECK_FALSE(make_security_data(label, ours, "a b").ok());
}

}  // namespace
}  // namespace colophon::label
