// SPDX-License-Identifier: Apache-2.0
// provenance_bench FILE [ROUNDS]: signs a file with a key of its own, in this process, and prints
// the median of the times; then verifies. What bench/label/provenance.sh compares with c2pa-node.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/signer.h"
#include "label/provenance/validate.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using colophon::Buffer;
using colophon::Bytes;
namespace label = colophon::label;
namespace provenance = colophon::label::provenance;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

double median(std::vector<double> times) {
    std::ranges::sort(times);
    return times[times.size() / 2];
}

int run(const std::string& path, std::size_t rounds) {
    std::ifstream in(path, std::ios::binary);
    const Buffer file((std::istreambuf_iterator<char>(in)), {});
    const auto format =
        label::detect_format(Bytes(file).first(std::min(file.size(), label::kSniffBytes)), path);
    if (!format) {
        std::printf("%s is no file that can be signed\n", path.c_str());
        return 1;
    }
    colophon::SystemClock clock;
    provenance::CertificateRequest request;
    request.organization = "Bench";
    request.common_name = "Root";
    request.not_before = clock.now() - std::chrono::hours(1);
    const auto root = provenance::make_root(request).value();
    request.common_name = "Signer";
    const auto leaf = provenance::issue(root, request, provenance::Purpose::kClaim).value();
    provenance::CredentialSigner signer(
        provenance::SigningCredential::from_pem(leaf.key_pem, leaf.certificate_pem).value(), {});
    provenance::CredentialInput input;
    input.now = clock.now();
    const provenance::Trust trust{
        .signers = provenance::certificates_from_pem(root.certificate_pem, 1).value(),
        .time_stamps = {},
        .now = clock.now()};
    std::vector<double> signing;
    std::vector<double> verifying;
    for (std::size_t i = 0; i < rounds; ++i) {
        auto start = std::chrono::steady_clock::now();
        const auto made = provenance::add_credential(file, *format, input, signer);
        const Buffer out = colophon::apply_splice(file, made.value().splice);
        signing.push_back(milliseconds_since(start));
        start = std::chrono::steady_clock::now();
        const auto reading = provenance::read_credential(out, *format, trust).value();
        verifying.push_back(milliseconds_since(start));
        if (!reading.trusted()) {
            std::printf("the file does not verify\n");
            return 1;
        }
    }
    std::printf("sign %.3f ms, verify %.3f ms (medians of %zu)\n", median(signing),
                median(verifying), rounds);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::printf("usage: provenance_bench FILE [ROUNDS]\n");
        return 64;
    }
    return run(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 50);
}
