// SPDX-License-Identifier: Apache-2.0
#include "http/internal/address.h"

#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace colophon::http {
namespace {

struct Range4 {
    std::uint32_t base;
    unsigned bits;
};

constexpr Range4 net(std::uint32_t base, unsigned bits) {
    return {.base = base, .bits = bits};
}

// All that is not globally reachable by the IANA IPv4 special-purpose registry, and multicast.
constexpr std::array kBarred4{
    net(0x00000000, 8),   // 0.0.0.0: this network
    net(0x0A000000, 8),   // 10: private
    net(0x64400000, 10),  // 100.64: carrier-grade NAT
    net(0x7F000000, 8),   // 127: loopback
    net(0xA9FE0000, 16),  // 169.254: link-local, and the metadata service of clouds
    net(0xAC100000, 12),  // 172.16: private
    net(0xC0000000, 24),  // 192.0.0: protocol assignments
    net(0xC0000200, 24),  // 192.0.2: documentation
    net(0xC0586300, 24),  // 192.88.99: old 6to4 relays
    net(0xC0A80000, 16),  // 192.168: private
    net(0xC6120000, 15),  // 198.18: benchmarks
    net(0xC6336400, 24),  // 198.51.100: documentation
    net(0xCB007100, 24),  // 203.0.113: documentation
    net(0xE0000000, 3),   // 224 and above: multicast, reserved, broadcast
};

bool is_public4(std::uint32_t address) noexcept {
    return std::ranges::none_of(kBarred4, [&](const Range4& range) {
        return (address >> (32U - range.bits)) == (range.base >> (32U - range.bits));
    });
}

std::uint32_t word_at(const std::array<std::uint8_t, 16>& bytes, std::size_t at) noexcept {
    return (std::uint32_t{bytes[at]} << 24U) | (std::uint32_t{bytes[at + 1]} << 16U) |
           (std::uint32_t{bytes[at + 2]} << 8U) | bytes[at + 3];
}

bool is_public6(const std::array<std::uint8_t, 16>& bytes) noexcept {
    const auto zero_until = [&](std::size_t end) {
        return std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end),
                           [](std::uint8_t byte) { return byte == 0; });
    };
    // Forms that carry an IPv4 address are as public as that one.
    if (zero_until(10) && bytes[10] == 0xFF && bytes[11] == 0xFF) {
        return is_public4(word_at(bytes, 12));  // ::ffff:a.b.c.d
    }
    if (word_at(bytes, 0) == 0x0064FF9B && word_at(bytes, 4) == 0 && word_at(bytes, 8) == 0) {
        return is_public4(word_at(bytes, 12));  // 64:ff9b:: NAT64
    }
    // Only 2000::/3 is in use as global unicast; ::1, fc00::/7, fe80::/10, ff00::/8 lie outside.
    if ((bytes[0] >> 5U) != 1) {
        return false;
    }
    const std::uint32_t first = word_at(bytes, 0);
    const bool teredo = first == 0x20010000;
    const bool protocol = (first >> 9U) == (0x20010000U >> 9U);  // 2001::/23
    const bool documentation = first == 0x20010DB8 || (first >> 12U) == (0x3FFF0000U >> 12U);
    const bool six_to_four = (first >> 16U) == 0x2002;
    return !teredo && !protocol && !documentation && !six_to_four;
}

}  // namespace

namespace internal {

bool is_public(const sockaddr* address) noexcept {
    if (address->sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, address, sizeof(four));
        return is_public4(ntohl(four.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, address, sizeof(six));
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
        return is_public6(bytes);
    }
    return false;
}

}  // namespace internal

bool is_public_address(std::string_view address) noexcept {
    std::array<char, 64> text{};
    if (address.size() >= text.size()) {
        return false;
    }
    std::memcpy(text.data(), address.data(), address.size());
    in_addr four{};
    if (inet_pton(AF_INET, text.data(), &four) == 1) {
        return is_public4(ntohl(four.s_addr));
    }
    std::array<std::uint8_t, 16> six{};
    return inet_pton(AF_INET6, text.data(), six.data()) == 1 && is_public6(six);
}

}  // namespace colophon::http
