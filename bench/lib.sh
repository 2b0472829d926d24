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

# Where a run writes: new for each, and all of them are removed at the end only. ext4 looks at every
# file that was deleted within the last minute before it makes a new one, so that deleting a thousand
# files first would be what is measured.
# One large file is another matter: keep_outputs=no removes it before the next run, because in a virtual
# machine memory that nobody used for a while costs the system more than copying into it (a second and
# more for each gigabyte), and whose turn that is would be what is measured.
runs=0
keep_outputs="${KEEP_OUTPUTS:-yes}"
out="$work/out.0"

# milliseconds COMMAND... : wall time of one run, its output discarded, into $elapsed.
milliseconds() {
    local start end
    [ "$keep_outputs" = yes ] || rm -rf "$out".*
    runs=$((runs + 1))
    out="$work/out.$runs"
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s%N)
    elapsed=$(((end - start) / 1000000))
}

# median NUMBER...
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

# compare ROUNDS OUR_NAME OUR_FUNCTION THEIR_NAME THEIR_FUNCTION [THEIR_NAME THEIR_FUNCTION...]
# Turn by turn, after one round that is not counted.
compare() {
    local rounds=$1 names=() functions=() times=() i j ours
    shift
    while (($# > 0)); do
        names+=("$1")
        functions+=("$2")
        times+=("")
        shift 2
    done
    for ((i = 0; i <= rounds; ++i)); do
        for j in "${!functions[@]}"; do
            milliseconds "${functions[$j]}"
            ((i == 0)) || times[j]+=" $elapsed"
        done
    done
    # The times are numbers between spaces.
    # shellcheck disable=SC2086
    ours=$(median ${times[0]})
    echo "${names[0]} $ours ms (medians of $rounds)"
    for ((j = 1; j < ${#names[@]}; ++j)); do
        # shellcheck disable=SC2086
        awk -v a="$ours" -v b="$(median ${times[$j]})" -v n="${names[$j]}" \
            'BEGIN {printf "%s %d ms, ratio %.2f\n", n, b, b / (a > 0 ? a : 1)}'
    done
}
