#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_packages.sh COLUMN...: installs the packages of tools/packages.txt whose second column is
# one of those named, as far as they are missing. One dpkg-query and no apt when none is. A package
# with a third column is not needed where the program named there can be run.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'install_packages: %s\n' "$*" >&2
    exit 1
}

mapfile -t wanted < <(
    for column in "$@"; do
        awk -v column="$column" '!/^#/ && $2 == column { print $1, $3 }' tools/packages.txt
    done | sort -u | while read -r package program; do
        [[ -n $program ]] && command -v "$program" >/dev/null || printf '%s\n' "$package"
    done
)
((${#wanted[@]} > 0)) || fail "name a column of tools/packages.txt: start or check"

command -v dpkg-query >/dev/null || fail "this is no Debian system; install by hand the equivalents
of tools/packages.txt, then configure with: cmake --preset release"

# dpkg-query ends with 1 when it does not know a package, which only says that it is missing.
mapfile -t missing < <(
    { dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true; } |
        awk '$2 == "installed" { print $1 }' | sort -u | comm -13 - <(printf '%s\n' "${wanted[@]}" | sort -u)
)
((${#missing[@]} > 0)) || exit 0

become_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "packages are missing and this is neither root nor is there
sudo; let an administrator run: apt-get install --no-install-recommends ${missing[*]}"
    become_root=(sudo)
    if [[ ! -t 0 ]]; then
        become_root=(sudo -n)
    fi
fi

printf 'Installing %d packages: %s\n' "${#missing[@]}" "${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null >"$log" 2>&1
}
if ! apt update || ! apt install -y --no-install-recommends "${missing[@]}"; then
    tail -n 20 "$log" >&2
    fail "apt-get failed (its last lines stand above). Is there a network, and is this Debian 12?"
fi
