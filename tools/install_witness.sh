#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_witness.sh: puts the packages of tests/witness/package-lock.json into build/witness, where
# the tests find them. Does nothing, and needs no network, when the same lock file was installed.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=build/witness
lock=tests/witness/package-lock.json
if [[ -d $folder/node_modules ]] && cmp -s "$lock" "$folder/installed-lock.json"; then
    exit 0
fi
mkdir -p "$folder"
rm -f "$folder/installed-lock.json"
cp tests/witness/package.json "$lock" "$folder/"
# Packages run no scripts of theirs here. Their "engines" are newer than Debian's Node; they work.
if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >"$folder/install.log" 2>&1; then
    tail -n 20 "$folder/install.log" >&2
    printf 'npm could not install the witness packages. Is there a network?\n' >&2
    exit 1
fi
cp "$lock" "$folder/installed-lock.json"
