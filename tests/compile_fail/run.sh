#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh COMPILER: each case below must be refused by the compiler, and its twin without the mistake
# must be accepted, so that a case cannot be refused for the wrong reason.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
compiler=$1
failures=0

compiles() {
    "$compiler" -std=c++20 -Wall -Wextra -Werror -fsyntax-only -Isrc "$@"
}

for source in tests/compile_fail/*.cc; do
    if ! out=$(compiles "$source" 2>&1); then
        printf '%s does not compile even without its mistake:\n%s\n' "$source" "$out"
        failures=$((failures + 1))
        continue
    fi
    expected=$(sed -n 's,^// refused: ,,p' "$source")
    if out=$(compiles -DMISTAKE "$source" 2>&1); then
        printf '%s compiles with its mistake\n' "$source"
        failures=$((failures + 1))
    elif [[ -z $expected || $out != *$expected* ]]; then
        printf '%s is refused, but not because of "%s":\n%s\n' "$source" "$expected" "$out"
        failures=$((failures + 1))
    else
        printf '%s is refused as it should be\n' "$source"
    fi
done
((failures == 0))
