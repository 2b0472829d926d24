// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which media libraries this program runs with.

#include <string>
#include <vector>

namespace colophon::media {

struct LibraryVersion {
    std::string name;
    std::string version;
};

// Loads them; what cannot be loaded has the reason in place of its version.
std::vector<LibraryVersion> library_versions();

}  // namespace colophon::media
