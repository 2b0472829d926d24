#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nfc_tables.sh nfc_tables.awk UNICODE OUT: the tables of src/core/nfc.cc from the Unicode Character Database
# in the folder UNICODE (Debian: unicode-data).
set -eu
program=$1 unicode=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
LC_ALL=C awk -v out="$work" -f "$program" "$unicode/DerivedNormalizationProps.txt" "$unicode/UnicodeData.txt"
sort -n -k 1,1 -k 2,2 "$work/nfc_pairs.txt" | sed 's/\([0-9]*\) \([0-9]*\) \([0-9]*\)/{.first=\1,.second=\2,.composed=\3},/' >"$work/nfc_pairs.inc"
mv "$work"/nfc_*.inc "$out"
