#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lists the functions that an archive calls in libraries which the program loads late; see
# src/media/internal/late.h. The first library that has a function gets it.
#   late_symbols.sh NM READELF ARCHIVE OUTPUT CODEC LIBRARY[,LIBRARY...] [CODEC LIBRARY...]...
set -eu
export LC_ALL=C
nm=$1 readelf=$2 archive=$3 output=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What the archive itself defines is not asked of others.
"$nm" -P "$archive" | awk 'NF >= 2 && $2 == "U" {print $1}' | sort -u >"$work/wanted"
index=0
while [ $# -ge 2 ]; do
    codec=$1
    for library in $(printf '%s' "$2" | tr ',' ' '); do
        name=$("$readelf" -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
        if [ -z "$name" ]; then
            echo "late_symbols: $library is no shared library" >&2
            exit 1
        fi
        # Functions only: a variable cannot stand behind a jump.
        "$nm" -D -P --defined-only "$library" | awk '$2 ~ /^[TWi]$/ {sub(/@.*/, "", $1); print $1}' |
            grep -v -e '^_Z' -e '^_init$' -e '^_fini$' | sort -u >"$work/has"
        comm -12 "$work/wanted" "$work/has" >"$work/found"
        count=$(wc -l <"$work/found" | tr -d ' ')
        [ "$count" -gt 0 ] || continue
        comm -23 "$work/wanted" "$work/found" >"$work/left"
        mv "$work/left" "$work/wanted"
        echo "LATE_LIBRARY(k$codec, \"$name\", $index, $count)"
        awk -v at="$index" '{printf "LATE_SYMBOL(%s, %d)\n", $1, at++}' "$work/found"
        index=$((index + count))
    done
    shift 2
done >"$work/out"
cp "$work/out" "$output"
