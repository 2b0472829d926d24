// SPDX-License-Identifier: Apache-2.0
#pragma once

// A log made by the writer, its keys, and its files as the checker fetches them.

#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/leaf.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/proof_file.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger::test {

inline constexpr std::string_view kLogName = "log.example/records";

using Files = std::map<std::string, Buffer, std::less<>>;

inline NoteSigner log_signer(std::uint64_t seed = 1) {
    SeededRandom random(seed);
    return NoteSigner::generate(kLogName, SignatureType::kEd25519, random).value();
}

inline std::vector<verify::Key> log_keys(std::uint64_t seed = 1) {
    return {verify::read_key(log_signer(seed).verifier().vkey()).value()};
}

struct Committed {
    Leaf leaf;
    std::vector<Opening> openings;
};

// A leaf with two commitments, and what opens them.
inline Committed make_leaf(std::uint64_t number) {
    SeededRandom random(number + 1000);
    Committed out;
    out.leaf.type = "call";
    out.leaf.time = Time(std::chrono::milliseconds(1'764'000'000'000 + static_cast<long>(number)));
    out.leaf.object = "content-" + std::to_string(number);
    out.leaf.policy_version = "7";
    out.leaf.nonce = make_nonce(random).value();
    for (const std::string_view field : {"model", "subject"}) {
        Opening opening{.field = std::string(field),
                        .salt = make_salt(random).value(),
                        .value = to_buffer(std::string(field) + " " + std::to_string(number))};
        out.leaf.commitments.push_back(
            {.field = opening.field, .digest = commit(opening.salt, field, opening.value)});
        out.openings.push_back(std::move(opening));
    }
    return out;
}

struct SampleLog {
    MemoryObjects objects;
    MemoryHead head;
    std::vector<Buffer> entries;

    LogWriter open(std::uint64_t key = 1) {
        LogWriterOptions options{
            .origin = std::string(kLogName), .signers = {}, .at_least = std::nullopt};
        options.signers.push_back(log_signer(key));
        return LogWriter::open(objects, head, std::move(options)).value();
    }
    // Appends entries of 2 to 44 bytes, or `make` of the number. Returns the checkpoint.
    std::string grow(std::uint64_t count, const std::function<Buffer(std::uint64_t)>& make = {}) {
        LogWriter writer = open();
        while (count > 0) {
            const std::uint64_t now = std::min<std::uint64_t>(count, 5000);
            const std::size_t first = entries.size();
            for (std::uint64_t i = 0; i < now; ++i) {
                const std::uint64_t number = entries.size();
                entries.push_back(
                    make ? make(number)
                         : to_buffer(std::to_string(number) + std::string(number % 43 + 1, '.')));
            }
            const std::vector<Bytes> views(entries.begin() + static_cast<std::ptrdiff_t>(first),
                                           entries.end());
            (void)writer.integrate(views).value();
            count -= now;
        }
        return writer.signed_checkpoint();
    }
    Files files() const { return objects.all(); }
    std::uint64_t size() const { return entries.size(); }

    Evidence evidence(std::uint64_t index, std::vector<Opening> openings = {}) {
        TileNodes nodes(size(), tile_reader(objects));
        return {.entry = entries[index],
                .openings = std::move(openings),
                .proof = {.extra = {},
                          .index = index,
                          .proof = inclusion_proof(index, size(), nodes.reader()).value(),
                          .checkpoint = std::string(as_text(*objects.get("checkpoint").value()))}};
    }
};

inline verify::Fetch fetch_from(const Files& files) {
    return [&files](const std::string& name) -> Result<std::optional<Buffer>> {
        const auto found = files.find(name);
        return found == files.end() ? std::optional<Buffer>() : std::optional(found->second);
    };
}

inline verify::LogReport check_files(const Files& files, std::vector<std::string> older = {}) {
    return verify::check_log(fetch_from(files), {.keys = log_keys(),
                                                 .older = std::move(older),
                                                 .threads = 1,
                                                 .findings_max = 100,
                                                 .progress = {}})
        .value();
}

}  // namespace colophon::ledger::test
