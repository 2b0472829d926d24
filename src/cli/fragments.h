// SPDX-License-Identifier: Apache-2.0
#pragma once

// Movies whose fragments lie in files of their own (DASH, HLS): which files these are, and how they
// go to a worker and come back, which is in one file, one behind the other.

#include "core/result.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <cstdint>
#include <string>
#include <vector>

namespace colophon::cli {

// The files that were named and those that fit a pattern ("seg*.m4s"), each once, in the order of
// their names, numbers in them as numbers; without `init`. kNotFound for a name or a pattern that
// fits nothing; kLimit.
Result<std::vector<std::string>> find_fragments(const std::vector<std::string>& names,
                                                const std::string& init);

class Fragments {
public:
    // Copies them into a file without a name in `folder`, or where temporary files go when that is
    // empty; inside the kernel where that works.
    static Result<Fragments> gather(const std::vector<std::string>& paths,
                                    const std::string& folder);

    worker::FragmentFile file() const { return {.descriptor = fd_.get(), .sizes = sizes_}; }

private:
    worker::Fd fd_;
    std::vector<std::uint64_t> sizes_;
};

// A file without a name in `folder`.
Result<worker::Fd> open_unnamed(const std::string& folder);
// The next `size` bytes of `from`, to the end of `to`.
Result<void> copy_bytes(int from, std::uint64_t size, int to);

}  // namespace colophon::cli
