#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_format.sh [--fix]: every C++ source has the form that clang-format-19 gives it.
set -euo pipefail
cd "$(dirname "$0")/.."
arguments=(--dry-run -Werror)
if [[ "${1:-}" == --fix ]]; then
    arguments=(-i)
fi
find src tests tools fuzz bench -name '*.cc' -print0 -o -name '*.h' -print0 |
    xargs -0 -r -n 32 -P 2 clang-format-19 "${arguments[@]}" ||
    { printf 'Put the sources in form with: ./check format\n' >&2; exit 1; }
