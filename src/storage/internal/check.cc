// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/check.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/utf8.h"
#include "storage/limits.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace colophon::storage {
namespace {

Result<void> check_text(std::string_view text) {
    if (text.find('\0') != std::string_view::npos || find_invalid_utf8(text)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a text for the database is not UTF-8 or has a NUL in it"};
    }
    return {};
}

Result<void> check_size(std::size_t size) {
    if (size > kValueBytesMax) {
        return Error{ErrorCode::kLimit, "a value for the database has " + std::to_string(size) +
                                            " bytes, more than " + std::to_string(kValueBytesMax)};
    }
    return {};
}

}  // namespace

const char* sql_for(Statement statement, Engine engine) noexcept {
    const bool second = engine == Engine::kPostgres && statement.postgres != nullptr;
    return second ? statement.postgres : statement.sql;
}

Result<void> check_values(const Values& values) {
    for (const Value& value : values) {
        if (const auto* text = std::get_if<std::string>(&value)) {
            TRY(check_size(text->size()));
            TRY(check_text(*text));
        } else if (const auto* bytes = std::get_if<Buffer>(&value)) {
            TRY(check_size(bytes->size()));
        }
    }
    return {};
}

Result<void> check_channel(std::string_view channel) {
    const bool fits =
        !channel.empty() && channel.size() <= kChannelBytesMax &&
        std::ranges::all_of(channel, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (!fits) {
        return Error{ErrorCode::kInvalidArgument, "a channel is named with 1 to " +
                                                      std::to_string(kChannelBytesMax) +
                                                      " small letters and _"};
    }
    return {};
}

Result<void> check_notification(const Notification& notification) {
    TRY(check_channel(notification.channel));
    if (notification.payload.size() > kNotificationBytesMax) {
        return Error{ErrorCode::kLimit, "a notification has more than " +
                                            std::to_string(kNotificationBytesMax) + " bytes"};
    }
    return check_text(notification.payload);
}

Result<void> check_insert(const BulkInsert& insert) {
    for (const Values& row : insert.rows) {
        COLOPHON_ASSERT(row.size() == insert.columns.size());
        TRY(check_values(row));
    }
    return {};
}

Result<void> check_batch(const Batch& batch) {
    for (const Operation& operation : batch.operations) {
        TRY(check_values(operation.parameters));
    }
    for (const BulkInsert& insert : batch.inserts) {
        TRY(check_insert(insert));
    }
    for (const Notification& notification : batch.notifications) {
        TRY(check_notification(notification));
    }
    return {};
}

}  // namespace colophon::storage
