// SPDX-License-Identifier: Apache-2.0
#include "storage/master_key.h"

#include "core/bytes.h"
#include "core/random.h"
#include "storage/pkcs11.h"
#include "storage/sealing.h"
#include "storage/secret.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::storage {
namespace {

constexpr std::string_view kDigits =
    "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
constexpr std::string_view kModule = "/usr/lib/softhsm/libsofthsm2.so";

ErrorCode open_error(const std::string& source) {
    SystemRandom random;
    const auto opened = open_master_key(source, Suite::kAes256Gcm, random);
    REQUIRE(!opened.ok());
    CHECK(opened.error().what.find("00112233") == std::string::npos);
    return opened.error().code;
}

// Wraps, unwraps, and refuses everything else.
void check_master_key(MasterKey& key) {
    const Secret secret(Buffer(kSecretBytes, 0x42));
    const DataKeyName name{.owner = "owner", .generation = 2};
    const Buffer wrapped = key.wrap(secret, name).value();
    CHECK(std::ranges::equal(key.unwrap(wrapped, name)->bytes(), secret.bytes()));
    CHECK(key.wrap(secret, name).value() != wrapped);
    CHECK(as_text(wrapped).find("BBBB") == std::string_view::npos);
    CHECK(key.unwrap(wrapped, {"owner", 3}).error().code == ErrorCode::kCorrupt);
    CHECK(key.unwrap(wrapped, {"other", 2}).error().code == ErrorCode::kCorrupt);
    for (std::size_t at = 0; at < wrapped.size(); ++at) {
        Buffer changed = wrapped;
        changed[at] ^= 1U;
        CHECK_FALSE(key.unwrap(changed, name).ok());
        CHECK_FALSE(key.unwrap(Bytes(wrapped).first(at), name).ok());
    }
    CHECK(key.unwrap(wrapped, name).ok());
}

TEST_CASE("a master key comes from a file of its owner's or from the environment, and is one key") {
    const colophon::test::TempDir folder;
    const std::string path = folder.file("key");
    colophon::test::write_file(path, as_bytes(std::string(kDigits) + "\n"));
    ::chmod(path.c_str(), 0640);
    CHECK(open_error("file:" + path) == ErrorCode::kDenied);
    ::chmod(path.c_str(), 0600);
    SystemRandom random;
    ::setenv("COLOPHON_TEST_KEY", std::string(kDigits).c_str(), 1);
    for (const Suite suite : {Suite::kAes256Gcm, Suite::kSm4HmacSm3}) {
        const auto file = open_master_key("file:" + path, suite, random);
        const auto variable = open_master_key("env:COLOPHON_TEST_KEY", suite, random);
        REQUIRE(file.ok());
        REQUIRE(variable.ok());
        check_master_key(**file);
        CHECK((*file)->id() == (*variable)->id());
        const Buffer wrapped = (*file)->wrap(Secret(Buffer(32, 1)), {"a", 1}).value();
        CHECK((*variable)->unwrap(wrapped, {"a", 1}).ok());
    }
    ::unsetenv("COLOPHON_TEST_KEY");
}

TEST_CASE("what is no master key is refused, and never repeated in a message") {
    const colophon::test::TempDir folder;
    const auto file = [&](std::string_view text) {
        colophon::test::write_file(folder.file("key"), as_bytes(text));
        ::chmod(folder.file("key").c_str(), 0600);
        return "file:" + folder.file("key");
    };
    CHECK(open_error(std::string(kDigits)) == ErrorCode::kInvalidArgument);
    CHECK(open_error("file:" + folder.file("none")) == ErrorCode::kNotFound);
    CHECK(open_error("env:COLOPHON_TEST_NO_SUCH") == ErrorCode::kNotFound);
    CHECK(open_error(file("")) == ErrorCode::kInvalidArgument);
    CHECK(open_error(file(kDigits.substr(1))) == ErrorCode::kInvalidArgument);
    CHECK(open_error(file(std::string(kDigits) + "0")) == ErrorCode::kInvalidArgument);
    CHECK(open_error(file("zz" + std::string(kDigits.substr(2)))) == ErrorCode::kInvalidArgument);
    CHECK(open_error(file(std::string(64, '0'))) == ErrorCode::kInvalidArgument);
    CHECK(open_error(file(std::string(5000, '0'))) == ErrorCode::kLimit);
    SystemRandom random;
    const std::string text = new_master_key_text(random).value();
    CHECK(open_master_key(file(text), Suite::kAes256Gcm, random).ok());
}

TEST_CASE("addresses of tokens are read, and what is missing or a secret in them is refused") {
    const auto uri = parse_pkcs11_uri(
        "pkcs11:token=My%20token;object=key;type=secret-key?module-path=/m&pin-source=file:/p%3f");
    REQUIRE(uri.ok());
    CHECK(uri->token == "My token");
    CHECK(uri->object == "key");
    CHECK(uri->module_path == "/m");
    CHECK(uri->pin_source == "file:/p?");
    for (const std::string_view bad :
         {"", "pkcs11:", "pkcs11:token=a;object=b",
          "pkcs11:token=a?module-path=/m&pin-source=env:P",
          "pkcs11:token=a;object=b?module-path=/m&pin-value=1234",
          "pkcs11:token=a;token=b;object=b?module-path=/m&pin-source=env:P",
          "pkcs11:token=%4;object=b?module-path=/m&pin-source=env:P",
          "pkcs11:token=%zz;object=b?module-path=/m&pin-source=env:P",
          "pkcs11:token=%00;object=b?module-path=/m&pin-source=env:P",
          "pkcs11:object;token=b?module-path=/m&pin-source=env:P"}) {
        CAPTURE(bad);
        const auto refused = parse_pkcs11_uri(bad);
        REQUIRE(!refused.ok());
        CHECK(refused.error().code == ErrorCode::kInvalidArgument);
        CHECK(refused.error().what.find("1234") == std::string::npos);
    }
}

// A token of SoftHSM in a folder of its own with two AES keys, made by other people's programs.
class Token {
public:
    Token() {
        std::filesystem::create_directory(folder_.file("tokens"));
        colophon::test::write_file(
            folder_.file("softhsm2.conf"),
            as_bytes("directories.tokendir = " + folder_.file("tokens") + "\n"));
        ::setenv("SOFTHSM2_CONF", folder_.file("softhsm2.conf").c_str(), 1);
        colophon::test::run_tool_ok({"softhsm2-util", "--init-token", "--free", "--label",
                                     "colophon test", "--pin", "4711", "--so-pin", "0815"});
        for (const std::string label : {"old", "new", "twice", "twice"}) {
            colophon::test::run_tool_ok(
                {"pkcs11-tool", "--module", std::string(kModule), "--token-label", "colophon test",
                 "--login", "--pin", "4711", "--keygen", "--key-type", "AES:32", "--label", label});
        }
        pin("4711");
    }
    void pin(std::string_view text) {
        colophon::test::write_file(folder_.file("pin"), as_bytes(text));
        ::chmod(folder_.file("pin").c_str(), 0600);
    }
    std::string address(std::string_view object, std::string_view token = "colophon%20test") {
        return "pkcs11:token=" + std::string(token) + ";object=" + std::string(object) +
               "?module-path=" + std::string(kModule) + "&pin-source=file:" + folder_.file("pin");
    }

private:
    colophon::test::TempDir folder_;
};

TEST_CASE("a key inside a PKCS#11 token wraps and unwraps, another key of the token does not") {
    Token token;
    // In this order: SoftHSM remembers a login for the whole process.
    token.pin("1234");
    CHECK(open_error(token.address("old")) == ErrorCode::kDenied);
    token.pin("4711\n");
    SystemRandom random;
    const auto old_key = open_master_key(token.address("old"), Suite::kAes256Gcm, random);
    const auto new_key = open_master_key(token.address("new"), Suite::kAes256Gcm, random);
    REQUIRE_MESSAGE(old_key.ok(), old_key.error().what);
    REQUIRE(new_key.ok());
    check_master_key(**old_key);
    CHECK((*old_key)->id() != (*new_key)->id());
    const Buffer wrapped = (*old_key)->wrap(Secret(Buffer(32, 1)), {"a", 1}).value();
    CHECK((*new_key)->unwrap(wrapped, {"a", 1}).error().code == ErrorCode::kCorrupt);
    CHECK((*old_key)->unwrap(wrapped, {"a", 1}).ok());
    CHECK(open_error(token.address("none")) == ErrorCode::kNotFound);
    CHECK(open_error(token.address("twice")) == ErrorCode::kConflict);
    CHECK(open_error(token.address("old", "other")) == ErrorCode::kNotFound);
    CHECK(open_error("pkcs11:token=a;object=b?module-path=/none.so&pin-source=env:PATH") ==
          ErrorCode::kNotFound);
    CHECK(open_error("pkcs11:token=a;object=b?module-path=libc.so.6&pin-source=env:PATH") ==
          ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace colophon::storage
