#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether memory stays flat: calls and streams without a pause, half of the time each, and the gateway's
# resident memory every tenth of the time.
#
#   bench/gateway/soak.sh [SECONDS] [CONCURRENCY]

seconds=${1:-600} concurrency=${2:-32}
# shellcheck source=bench/gateway/serve.sh
source "$(dirname "$0")/serve.sh"

printf 'before  %s kB\n' "$(memory)"
for round in 1 2 3 4 5; do
    for body in call stream; do
        line=$("$load" --text "$text" "$at/v1/chat/completions" "$key" "$body.json" $((seconds / 10)) \
            "$concurrency" "$serve")
        printf '%s %-6s %s kB, folder %s, %s\n' "$round" "$body" "$(memory)" "$(du -sh "$work" | cut -f 1)" "$line"
    done
done
