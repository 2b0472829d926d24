#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD [ENTRIES]: makes a log of a million entries and times how long `colophon ledger check`
# takes for all of it, on one thread and on all. BUILD is a build folder, build/release by default.
set -euo pipefail
build=${1:-build/release}
entries=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/demo_log" "$work" "$entries"
du -sh "$work/log" | cut -f 1
for jobs in 1 "$(nproc)"; do
    printf '%s threads: ' "$jobs"
    TIMEFORMAT='%R s elapsed, %U s user'
    time "$build/colophon" ledger check "$work/log" --key "$work/log.key" --older "$work/kept.checkpoint" \
        -j "$jobs" >"$work/out"
    grep -q '^good' "$work/out"
done
