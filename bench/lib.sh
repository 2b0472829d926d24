#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the timing scripts share. Each compares us with somebody else in one run, turn by turn, and
# prints the ratio of the medians: a machine that is slow today is slow for both.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
colophon="${COLOPHON:-$root/build/release/colophon}"
[ -x "$colophon" ] || {
    echo "no $colophon: run ./start --no-serve first, or set COLOPHON" >&2
    exit 1
}
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export HOME="$work/home"
mkdir -p "$HOME"
# An example code with a valid check digit that belongs to nobody.
producer=001191000000000000000K10001

# milliseconds COMMAND... : wall time of one run, its output discarded.
milliseconds() {
    local start end
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s%N)
    echo $(((end - start) / 1000000))
}

# median NUMBER...
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

# compare ROUNDS OUR_NAME OUR_FUNCTION THEIR_NAME THEIR_FUNCTION
compare() {
    local rounds=$1 ours=() theirs=()
    "$3"
    "$5"
    for ((i = 0; i < rounds; ++i)); do
        ours+=("$(milliseconds "$3")")
        theirs+=("$(milliseconds "$5")")
    done
    local a b
    a=$(median "${ours[@]}")
    b=$(median "${theirs[@]}")
    awk -v a="$a" -v b="$b" -v an="$2" -v bn="$4" -v n="$rounds" \
        'BEGIN {printf "%s %d ms, %s %d ms, ratio %.1f (medians of %d)\n", an, a, bn, b, b / (a > 0 ? a : 1), n}'
}
