// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

#include "core/result.h"
#include "label/verify.h"

namespace colophon::cli {
namespace {

int badness(ExitCode code) noexcept {
    switch (code) {
        case ExitCode::kUsage:
            return 5;
        case ExitCode::kError:
            return 4;
        case ExitCode::kBad:
            return 3;
        case ExitCode::kUnsupported:
            return 2;
        case ExitCode::kAbsent:
            return 1;
        case ExitCode::kGood:
            break;
    }
    return 0;
}

}  // namespace

ExitCode worse(ExitCode a, ExitCode b) noexcept {
    return badness(a) >= badness(b) ? a : b;
}

ExitCode exit_code_of(label::Verdict verdict) noexcept {
    switch (verdict) {
        case label::Verdict::kIntact:
            return ExitCode::kGood;
        case label::Verdict::kAltered:
        case label::Verdict::kStripped:
        case label::Verdict::kForged:
            return ExitCode::kBad;
        case label::Verdict::kAbsent:
            return ExitCode::kAbsent;
        case label::Verdict::kUnreadable:
            break;
    }
    return ExitCode::kError;
}

ExitCode exit_code_of(const Error& error) noexcept {
    return error.code == ErrorCode::kUnsupported ? ExitCode::kUnsupported : ExitCode::kError;
}

ExitCode usage_code_of(const Error& error) noexcept {
    return error.code == ErrorCode::kInvalidArgument ? ExitCode::kUsage : exit_code_of(error);
}

}  // namespace colophon::cli
