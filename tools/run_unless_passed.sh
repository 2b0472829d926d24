#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_unless_passed.sh FOLDER [INPUT...] -- PROGRAM [ARGUMENT...]
#
# Runs a test, unless the very same one passed before: the same bytes of the program, the same
# arguments, INPUTs (files or folders), data of the tests, documents, and installed packages. Then it
# says so, "cached: ...", which ctest reports as skipped. FOLDER remembers what passed; failures are
# never remembered.
# COLOPHON_FRESH=1 runs everything, as continuous integration does.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder=$1
shift
inputs=()
while [[ $1 != -- ]]; do
    inputs+=("$1")
    shift
done
shift

# The fingerprint of all that the outcome can depend on.
fingerprint() {
    printf '%s\n' "$@"
    sha256sum "$(command -v "$1")" | cut -d' ' -f1
    if ((${#inputs[@]} > 0)); then
        find "${inputs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | cut -d' ' -f1
    fi
    # Data of tests, scripts of theirs, and pages that they try. Sources are in the program.
    find "$root/tests" "$root/docs" "$root/README.md" "$root/README.zh-CN.md" -type f \
        ! -name '*.cc' ! -name '*.h' ! -path '*/corpus/*' ! -path '*/node_modules/*' ! -path '*/__pycache__/*' \
        -print0 | sort -z | xargs -0 sha256sum
    # Libraries and the tools that are witnesses.
    dpkg-query -W -f '${Package} ${Version}\n' 2>/dev/null || true
}
key=$(fingerprint "$@" | sha256sum | cut -d' ' -f1)

if [[ -z ${COLOPHON_FRESH:-} && -z ${COLOPHON_GOLDEN:-} && -f $folder/$key ]]; then
    printf 'cached: passed on %s with the same program and data; COLOPHON_FRESH=1 runs it again\n' \
        "$(<"$folder/$key")"
    exit 0
fi
"$@"
mkdir -p "$folder"
date -u '+%F %T UTC' >"$folder/$key.new"
mv "$folder/$key.new" "$folder/$key"
