// SPDX-License-Identifier: Apache-2.0
#include "storage/store.h"

#include "core/result.h"

#include <future>
#include <memory>
#include <utility>

namespace colophon::storage {

Result<void> Store::apply(Batch batch) {
    // Shared, because the caller may be gone from get() while the store's thread still returns from
    // set_value().
    const auto outcome = std::make_shared<std::promise<Result<void>>>();
    auto answer = outcome->get_future();
    apply(std::move(batch),
          [outcome](Result<void> result) { outcome->set_value(std::move(result)); });
    return answer.get();
}

}  // namespace colophon::storage
