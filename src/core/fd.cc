// SPDX-License-Identifier: Apache-2.0
#include "core/fd.h"

#include <unistd.h>

#include <utility>

namespace colophon {

Fd::~Fd() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) {
            close(fd_);
        }
        fd_ = other.release();
    }
    return *this;
}

int Fd::release() noexcept {
    return std::exchange(fd_, -1);
}

}  // namespace colophon
