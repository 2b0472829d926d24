// SPDX-License-Identifier: Apache-2.0
// demo_log FOLDER [ENTRIES]: makes a small log to try `colophon ledger` on, as the service makes
// its own: FOLDER/log is the log, FOLDER/log.key its public key, FOLDER/kept.checkpoint a
// checkpoint of when it was half as long. Its key is made from a fixed seed and worth nothing.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/leaf.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/note.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ios>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kOrigin = "log.example/records";
constexpr std::uint64_t kBatch = 4096;

Result<void> write_file(const std::string& path, std::string_view text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    return out.good() ? Result<void>() : Error{ErrorCode::kUnavailable, "cannot write " + path};
}

Result<Buffer> make_entry(std::uint64_t number, Random& random) {
    Leaf leaf;
    leaf.type = "call";
    leaf.time = Time(std::chrono::seconds(1'767'225'600 + static_cast<std::int64_t>(number)));
    TRY(random.fill(leaf.actor));
    leaf.object = "content-" + std::to_string(number);
    leaf.policy_version = "1";
    const Salt salt = TRY(make_salt(random));
    leaf.commitments.push_back(
        {.field = "model", .digest = commit(salt, "model", as_bytes("example-model/2"))});
    leaf.nonce = TRY(make_nonce(random));
    return encode_leaf(leaf);
}

Result<void> grow(LogWriter& writer, std::uint64_t size, Random& random) {
    while (writer.checkpoint().tree.size < size) {
        const std::uint64_t first = writer.checkpoint().tree.size;
        std::vector<Buffer> entries;
        for (std::uint64_t i = first; i < std::min(size, first + kBatch); ++i) {
            entries.push_back(TRY(make_entry(i, random)));
        }
        const std::vector<Bytes> views(entries.begin(), entries.end());
        TRY(writer.integrate(views));
    }
    return {};
}

Result<void> make_log(const std::string& folder, std::uint64_t size) {
    SeededRandom random(1);
    LogWriterOptions options{
        .origin = std::string(kOrigin), .signers = {}, .at_least = std::nullopt};
    options.signers.push_back(TRY(NoteSigner::generate(kOrigin, SignatureType::kEd25519, random)));
    const std::string key = options.signers[0].verifier().vkey() + "\n";
    const auto objects = TRY(DirectoryObjects::create(folder + "/log"));
    MemoryHead head;
    LogWriter writer = TRY(LogWriter::open(*objects, head, std::move(options)));
    TRY(grow(writer, size / 2, random));
    TRY(write_file(folder + "/kept.checkpoint", writer.signed_checkpoint()));
    TRY(grow(writer, size, random));
    return write_file(folder + "/log.key", key);
}

}  // namespace
}  // namespace colophon::ledger

int main(int argc, char** argv) {
    constexpr std::uint64_t kEntries = 1000;
    if (argc < 2 || argc > 3) {
        (void)std::fputs("usage: demo_log FOLDER [ENTRIES]\n", stderr);
        return 64;
    }
    const std::uint64_t size = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : kEntries;
    const auto made = colophon::ledger::make_log(argv[1], size);
    if (!made.ok()) {
        (void)std::fprintf(stderr, "demo_log: %s\n", made.error().what.c_str());
        return 1;
    }
    return 0;
}
