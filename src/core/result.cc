// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"

#include <string>

namespace colophon {

const char* error_code_name(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid_argument";
        case ErrorCode::kNotFound:
            return "not_found";
        case ErrorCode::kConflict:
            return "conflict";
        case ErrorCode::kDenied:
            return "denied";
        case ErrorCode::kCorrupt:
            return "corrupt";
        case ErrorCode::kUnsupported:
            return "unsupported";
        case ErrorCode::kLimit:
            return "limit";
        case ErrorCode::kUnavailable:
            return "unavailable";
    }
    return "unknown";
}

Error with_context(Error error, const std::string& context) {
    error.what.insert(0, context + ": ");
    return error;
}

}  // namespace colophon
