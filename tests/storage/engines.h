// SPDX-License-Identifier: Apache-2.0
#pragma once

// The same test on both engines: each_engine() runs it on an empty store of either.

#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "support/postgres_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace colophon::storage {

// The value, or the test fails with the error's message.
template <class T>
T good(Result<T> result) {
    if (!result.ok()) {
        FAIL(error_code_name(result.error().code) << ": " << result.error().what);
    }
    return std::move(result).value();
}
inline void good(const Result<void>& result) {
    if (!result.ok()) {
        FAIL(error_code_name(result.error().code) << ": " << result.error().what);
    }
}
template <class T>
ErrorCode code_of(const Result<T>& result) {
    REQUIRE(!result.ok());
    return result.error().code;
}

// A place for a store: a folder of its own, or a schema of its own.
class TestStore {
public:
    explicit TestStore(Engine engine) : engine_(engine) {
        if (engine == Engine::kPostgres) {
            address_ = test::PostgresServer::shared().new_address();
        } else {
            address_ = dir_.file("colophon.db");
        }
        reopen();
    }

    // Another one on the same data, as another process would have it.
    std::unique_ptr<Store> open() const {
        return good(engine_ == Engine::kSqlite ? open_sqlite(address_) : open_postgres(address_));
    }
    void close() { store_.reset(); }
    void reopen() {
        close();
        store_ = open();
    }
    Store& operator*() const { return *store_; }
    Store* operator->() const { return store_.get(); }
    Engine engine() const { return engine_; }
    const std::string& address() const { return address_; }

    void script(const std::string& sql) const {
        good(store_->transact([&](Transaction& transaction) { return transaction.script(sql); }));
    }

private:
    Engine engine_;
    test::TempDir dir_;
    std::string address_;
    std::unique_ptr<Store> store_;
};

template <class F>
void each_engine(F&& test) {
    SUBCASE("SQLite") {
        TestStore store(Engine::kSqlite);
        test(store);
    }
    SUBCASE("PostgreSQL") {
        TestStore store(Engine::kPostgres);
        test(store);
    }
}

// Collects what threads of a store say; waiting ends after ten seconds, which fails the test.
template <class T>
class Collected {
public:
    void add(T value) {
        {
            const std::scoped_lock lock(mutex_);
            values_.push_back(std::move(value));
        }
        changed_.notify_all();
    }
    std::vector<T> wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        CHECK(changed_.wait_for(lock, std::chrono::seconds(10),
                                [&] { return values_.size() >= count; }));
        return values_;
    }
    std::vector<T> now() {
        const std::scoped_lock lock(mutex_);
        return values_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<T> values_;
};

}  // namespace colophon::storage
