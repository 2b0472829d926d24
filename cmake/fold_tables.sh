#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fold_tables.sh fold_tables.awk UNICODE OUT: the tables of src/review/fold.cc from the Unicode Character
# Database in the folder UNICODE (Debian: unicode-data, whose Unihan files are compressed).
set -eu
program=$1 unicode=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
for name in Variants NumericValues Readings; do
    if [ -e "$unicode/Unihan_$name.txt" ]; then
        cp "$unicode/Unihan_$name.txt" "$work"
    else
        bzip2 -dc "$unicode/Unihan_$name.txt.bz2" >"$work/Unihan_$name.txt"
    fi
done
LC_ALL=C awk -v out="$work" -f "$program" \
    "$unicode/UnicodeData.txt" "$unicode/CaseFolding.txt" "$unicode/DerivedCoreProperties.txt" \
    "$work/Unihan_Variants.txt" "$work/Unihan_NumericValues.txt" "$work/Unihan_Readings.txt"
mv "$work"/fold_*.inc "$out"
