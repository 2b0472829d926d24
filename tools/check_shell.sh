#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t scripts < <(find tools tests fuzz cmake -name '*.sh' -not -path 'tests/corpus/*' | sort)
shellcheck --external-sources start check .ci/run "${scripts[@]}"
