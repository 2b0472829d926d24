// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace colophon::label::internal {

// One Fourier coefficient of the tile: u, v cycles a tile; of (u, v) and (-u, -v) only one is here.
struct Bin {
    int u = 0;
    int v = 0;
};

}  // namespace colophon::label::internal
