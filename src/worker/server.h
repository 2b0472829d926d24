// SPDX-License-Identifier: Apache-2.0
#pragma once

// The worker's side: everything that parses or decodes bytes from outside runs here, in a process
// that was locked before it saw the first of them.

#include "media/codecs.h"
#include "worker/sandbox.h"

namespace colophon::worker {

// The first argument with which the product's own program becomes a worker; the second is
// CodecSet::bits() in decimal digits. Not a verb for people.
inline constexpr const char* kWorkerArgument = "__sealed-worker";

// Descriptors that the parent hands over at the start.
inline constexpr int kSocketFd = 3;
// Unlinked files for what lies between two marks, used in turn.
inline constexpr int kScratchFd = 4;
inline constexpr int kSecondScratchFd = 5;
inline constexpr int kFontFd = 6;  // may be closed: then pictures are not looked at for words

// Loads those codecs, locks the process and answers requests until the parent closes the socket.
// Returns the exit code of the process.
int serve(media::CodecSet codecs, const SandboxLimits& limits);

}  // namespace colophon::worker
