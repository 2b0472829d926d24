// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace colophon::label::internal {

// One Fourier coefficient of the tile: u, v cycles a tile; of (u, v) and (-u, -v) only one is here.
struct Bin {
    int u = 0;
    int v = 0;
};

// Cycles per pixel of coefficient (u, v) of a tile: x = xu * u + xv * v, y alike.
struct FrequencyMap {
    double xu = 0;
    double xv = 0;
    double yu = 0;
    double yv = 0;
};

}  // namespace colophon::label::internal
