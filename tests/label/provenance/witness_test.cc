// SPDX-License-Identifier: Apache-2.0
// Other people's validators about our files.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::TempDir;
using colophon::test::ToolRun;
using colophon::test::write_file;
using test::FreshAuthority;

ToolRun ask(const std::string& anchors, const std::vector<std::string>& files,
            bool rust_only = false) {
    std::vector<std::string> command{"timeout", "100", "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/credentials.mjs"};
    if (rust_only) {
        command.emplace_back("--rust");
    }
    command.emplace_back(COLOPHON_SOURCE_DIR "/build/witness/node_modules");
    command.push_back(anchors);
    command.insert(command.end(), files.begin(), files.end());
    return run_tool(command);
}

CredentialInput input_now(std::uint8_t number) {
    SystemClock clock;
    CredentialInput input = test::input(number);
    input.now = clock.now();
    return input;
}

Buffer sign(const FreshAuthority& now, Bytes file, Format format, const CredentialInput& input) {
    CredentialSigner signer = now.signer();
    const auto made = add_credential(file, format, input, signer);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    return apply_splice(file, made->splice);
}

// A sample of every format that carries credentials, labelled and signed.
std::vector<std::string> signed_samples(const TempDir& dir, const FreshAuthority& now) {
    std::vector<std::string> files;
    for (const Carrier& carrier : all_carriers()) {
        const std::string path = make_sample(dir, facts(carrier.format).name);
        Buffer file = read_file(path);
        // As the product does it: the metadata label first, the credential last.
        const Container* container = find_container(carrier.format);
        if (container != nullptr && container->write != nullptr) {
            const auto labelled =
                container->write(file, {.aigc = R"({"Label":"1","ProduceID":"42"})", .iptc = {}});
            REQUIRE(labelled.ok());
            file = apply_splice(file, *labelled);
        }
        write_file(path, sign(now, file, carrier.format, input_now(1)));
        // No tool of others reads credentials in these that the tests could install.
        if (test::others_read(carrier)) {
            files.push_back(path);
        }
    }
    return files;
}

TEST_CASE("c2pa-rs and c2pa-ts trust a file of every format, labelled and signed" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const FreshAuthority now = FreshAuthority::make(SignatureAlgorithm::kEs256);
    const std::string anchors = dir.file("root.pem");
    write_file(anchors, as_bytes(now.root.certificate_pem));
    const std::vector<std::string> files = signed_samples(dir, now);
    const ToolRun run = ask(anchors, files);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    CHECK(run.out.find("NOT") == std::string::npos);
    // ExifTool still finds what was written before.
    for (const std::string& path : files) {
        if (path.ends_with(".avi") || path.ends_with(".flac") || path.ends_with(".wav") ||
            path.ends_with(".mp4")) {
            continue;  // no reader of it for this key in these
        }
        CHECK_MESSAGE(run_tool({"exiftool", path}).out.find("ProduceID") != std::string::npos,
                      path);
    }
}

// The rubrics are not ours to pass on: whoever has them (github.com/c2pa-org/conformance-public)
// names their folder.
TEST_CASE(
    "every statement of the conformance programme's rubrics holds for a file of every format" *
    doctest::test_suite("slow pictures")) {
    const char* named = std::getenv("COLOPHON_RUBRICS");
    const std::string folder =
        named != nullptr ? named : COLOPHON_SOURCE_DIR "/../shared/corpus/provenance/rubrics";
    if (!std::filesystem::exists(folder)) {
        MESSAGE("not tried: no rubrics at ", folder, "; COLOPHON_RUBRICS names their folder");
        return;
    }
    const TempDir dir;
    const FreshAuthority now = FreshAuthority::make(SignatureAlgorithm::kEs256);
    const std::string anchors = dir.file("root.pem");
    write_file(anchors, as_bytes(now.root.certificate_pem));
    std::vector<std::string> command{"timeout",
                                     "100",
                                     "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/rubrics.mjs",
                                     COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                     anchors,
                                     folder};
    const std::vector<std::string> files = signed_samples(dir, now);
    command.insert(command.end(), files.begin(), files.end());
    const ToolRun run = run_tool(command);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    CHECK(run.out.find("rubric-conformance0.2-spec2.4.yml: 31 of 31") != std::string::npos);
}

TEST_CASE("c2pa-rs trusts our signatures of every algorithm" *
          doctest::test_suite("slow pictures")) {
    for (const SignatureAlgorithmFacts& row : all_signature_algorithms()) {
        if (row.algorithm == SignatureAlgorithm::kPs256 ||
            row.algorithm == SignatureAlgorithm::kPs512) {
            continue;  // the same key, another digest
        }
        CAPTURE(row.name);
        const TempDir dir;
        const FreshAuthority now = FreshAuthority::make(row.algorithm);
        const std::string anchors = dir.file("root.pem");
        write_file(anchors, as_bytes(now.root.certificate_pem));
        const std::string path = make_sample(dir, "png");
        write_file(path, sign(now, read_file(path), Format::kPng, input_now(1)));
        // c2pa-ts 0.9.4 refuses ES512 by whoever it is.
        const ToolRun run = ask(anchors, {path}, row.algorithm == SignatureAlgorithm::kEs512);
        CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    }
}

TEST_CASE("c2pa-rs trusts a chain of two credentials, and a soft binding" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const FreshAuthority now = FreshAuthority::make(SignatureAlgorithm::kEs256);
    const std::string anchors = dir.file("root.pem");
    write_file(anchors, as_bytes(now.root.certificate_pem));
    const Trust trust{.signers = certificates_from_pem(now.root.certificate_pem, 1).value(),
                      .time_stamps = {},
                      .now = SystemClock().now()};
    std::vector<std::string> files;
    for (const Format format : {Format::kJpeg, Format::kPng, Format::kMp4}) {
        const std::string path = make_sample(dir, facts(format).name);
        CredentialInput first = input_now(1);
        first.soft_bindings = {{.algorithm = "com.example.mark", .value = Buffer{1, 2, 3}}};
        const Buffer once = sign(now, read_file(path), format, first);
        CredentialReading before = read_credential(once, format, trust).value();
        CHECK(before.trusted());
        CredentialInput second = input_now(2);
        second.upstream = {
            .store = before.store, .statuses = before.statuses, .ingredients = before.ingredients};
        write_file(path, sign(now, once, format, second));
        files.push_back(path);
    }
    const ToolRun run = ask(anchors, files);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

TEST_CASE("c2pa-rs trusts a credential that lies beside its file" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const FreshAuthority now = FreshAuthority::make(SignatureAlgorithm::kEs256);
    const std::string anchors = dir.file("root.pem");
    write_file(anchors, as_bytes(now.root.certificate_pem));
    std::vector<std::string> files;
    for (const Format format : {Format::kPng, Format::kMp3, Format::kMp4, Format::kPdf}) {
        files.push_back(make_sample(dir, facts(format).name));
        CredentialSigner signer = now.signer();
        const auto made =
            make_detached_credential(read_file(files.back()), format, input_now(1), signer);
        REQUIRE(made.ok());
        write_file(files.back() + ".c2pa", made->store);
    }
    const ToolRun run = ask(anchors, files);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

}  // namespace
}  // namespace colophon::label::provenance
