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
inline constexpr int kScratchFd = 4;  // an unlinked file for what lies between two marks
inline constexpr int kFontFd = 5;     // may be closed: then pictures are not looked at for words

// Loads those codecs, locks the process and answers requests until the parent closes the socket.
// Returns the exit code of the process.
int serve(media::CodecSet codecs, const SandboxLimits& limits);

}  // namespace colophon::worker
