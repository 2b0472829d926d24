// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys over a real store and a folder of objects, opened again and again as a program would.

#include "core/clock.h"
#include "core/random.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/engines.h"
#include "storage/files.h"
#include "storage/master_key.h"
#include "storage/migration.h"
#include "storage/object_tables.h"
#include "storage/objects.h"
#include "support/tools.h"

#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace colophon::storage {

class KeySetup {
public:
    explicit KeySetup(TestStore& given) : store(given) {
        good(migrate(*store, object_migrations(), clock));
        objects = good(open_directory_objects(folder.file("objects"), files, random));
        first = new_key("first");
        second = new_key("second");
    }

    // The address of a new master key in a file.
    std::string new_key(const std::string& name) {
        const std::string path = folder.file(name);
        test::write_file(path, as_bytes(good(new_master_key_text(random))));
        ::chmod(path.c_str(), 0600);
        return "file:" + path;
    }
    Result<std::unique_ptr<DataKeys>> try_open(const std::string& master,
                                               const std::vector<std::string>& others = {},
                                               DataKeys::Cache cache = {}) {
        MasterKeys masters{good(open_master_key(master, Suite::kAes256Gcm, random)), {}};
        for (const std::string& other : others) {
            masters.others.push_back(good(open_master_key(other, Suite::kAes256Gcm, random)));
        }
        return DataKeys::open({*store, *objects, clock, random}, std::move(masters), cache);
    }
    std::unique_ptr<DataKeys> open(const std::string& master,
                                   const std::vector<std::string>& others = {},
                                   DataKeys::Cache cache = {}) {
        return good(try_open(master, others, cache));
    }

    TestStore& store;
    test::TempDir folder;
    SystemFiles files;
    SystemRandom random;
    FixedClock clock{Time(std::chrono::milliseconds(1'800'000'000'000))};
    std::unique_ptr<ObjectStore> objects;
    std::string first;
    std::string second;
};

}  // namespace colophon::storage
