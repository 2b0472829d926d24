// SPDX-License-Identifier: Apache-2.0
#pragma once

// The store of many nodes: PostgreSQL 14 and newer, in the schema that comes first in the search
// path. Batches that wait while a commit runs travel as one transaction in one round trip (pipeline
// mode); when one of them fails, the others are sent again without it. Rows in bulk go by binary
// COPY.
//
// The address is a URL of libpq, postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full&...,
// and all its parameters work: several hosts, sslrootcert, sslcert, sslkey. No message of this
// store has the password in it. A connection that is lost is made again when it is next needed.

#include "storage/store.h"  // IWYU pragma: export

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace colophon::storage {

struct PostgresOptions {
    std::size_t writers = 2;          // connections for batches, a thread each
    std::size_t connections_max = 8;  // for transactions, and as many again for reads
    std::chrono::seconds connect_max{5};
    std::chrono::milliseconds statement_max{30'000};
};

// Connects once, so that a wrong address is told at once. Error{kInvalidArgument} for an address
// that libpq does not understand, kUnsupported for a server that is too old, is not UTF-8 or does
// not sync, kDenied when it refuses the user, kUnavailable when nobody answers.
Result<std::unique_ptr<Store>> open_postgres(const std::string& url,
                                             const PostgresOptions& options = {});

}  // namespace colophon::storage
