#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Metadata label of a WAV of 1 GB: colophon against cp of the same file, and the memory it takes.
source "$(dirname "$0")/../lib.sh"

ffmpeg -nostdin -v error -y -f lavfi -i "anoisesrc=r=48000:d=60" -ac 2 -c:a pcm_s16le "$work/minute.wav"
{
    # 93 minutes of noise behind one header.
    bytes=$((11520000 * 93))
    printf 'RIFF'
    perl -e 'print pack("V", '$((bytes + 36))')'
    printf 'WAVEfmt '
    perl -e 'print pack("VvvVVvv", 16, 1, 2, 48000, 192000, 4, 16)'
    printf 'data'
    perl -e 'print pack("V", '$bytes')'
    for ((i = 0; i < 93; ++i)); do tail -c 11520000 "$work/minute.wav"; done
} >"$work/in.wav"
ls -l "$work/in.wav" | awk '{print $5, "bytes"}'
ours() {
    rm -f "$work/ours.wav"
    "$colophon" label "$work/in.wav" -o "$work/ours.wav" --marks metadata --producer $producer -q
}
theirs() {
    rm -f "$work/theirs.wav"
    cp "$work/in.wav" "$work/theirs.wav"
}
compare 5 colophon ours cp theirs
/usr/bin/time -f '%M KiB at most in any process' "$colophon" label "$work/in.wav" -o "$work/ours.wav" --marks metadata --producer $producer -q
"$colophon" verify --marks metadata "$work/ours.wav" | head -1
