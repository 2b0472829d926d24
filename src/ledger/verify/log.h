// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks a whole log with nothing but its public key: every entry, every tile, the root, and that
// it extends older checkpoints. It shares no code with the writer, and says which entry, tile or
// file is wrong.
//
// How blame is found. The entries give a root, and so do the tiles at the right edge. Whichever
// root was signed is right, since nobody can make other bytes that hash to it; from there downwards
// every hash that follows is right, and what differs from it is wrong:
//
//   entries give the signed root       -> entries are right; a tile that differs is wrong
//   tiles at the edge give it          -> go down: a tile whose hashes give the hash above it is
//                                         right too; an entry that differs from a right tile is
//                                         wrong
//   neither does                       -> the root is not of these files; differences are named

#include "core/bytes.h"
#include "ledger/verify/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace colophon::ledger::verify {

// The file of that name ("tile/0/000"), or nothing when there is none. Called from several threads.
using Fetch = std::function<Result<std::optional<Buffer>>(const std::string& name)>;

struct LogOptions {
    std::vector<Key> keys;           // of the log, and of witnesses whose cosignatures count
    std::vector<std::string> older;  // signed checkpoints that somebody kept
    unsigned threads = 1;
    std::size_t findings_max = 100;  // more are counted, not listed
    // The log's published minimum index (C2SP tlog-tiles): full bundles, and the tiles over them,
    // that end at or below it may be gone. What they said is confirmed by the tile above them.
    std::uint64_t from = 0;
    // Called from several threads, one at a time: bundles done, bundles in all.
    std::function<void(std::uint64_t done, std::uint64_t all)> progress;
};

struct LogReport {
    bool good = false;
    SignedCheckpoint checkpoint;  // when it could be read
    std::uint64_t entries = 0;    // read and hashed
    std::uint64_t bytes = 0;      // of bundles and tiles read
    std::uint64_t files = 0;      // read
    std::uint64_t older_good = 0;
    std::uint64_t findings_count = 0;
    std::vector<Finding> findings;
};

// What is wrong with the log is in the report; an Error is what could not be done: a file that is
// there and cannot be read, a host that does not answer.
Result<LogReport> check_log(const Fetch& fetch, const LogOptions& options);

// The names of all files that a log of that size and minimum index has besides "checkpoint".
std::vector<std::string> files_of_log(std::uint64_t size, std::uint64_t from = 0);

}  // namespace colophon::ledger::verify
