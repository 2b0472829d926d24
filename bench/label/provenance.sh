#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Content Credentials: a PNG of 1 MB, in process, against c2pa-node (build/witness, made by ./check); then
# the whole program against a script around c2pa-node for an MP4 of 1 GB, with the memory of both.
# The aims: the PNG in less than 5 ms and 3 times as fast, the MP4 3 times as fast with less than 64 MB.
source "$(dirname "$0")/../lib.sh"

bench="$(dirname "$colophon")/bench/provenance_bench"
modules="$root/build/witness/node_modules"
echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"
"$colophon" admin ca "$work/ca" --organization Bench >/dev/null
cat "$work/ca/signer.pem" "$work/ca/root.pem" >"$work/chain.pem"
ffmpeg -nostdin -v error -y -f lavfi -i "nullsrc=s=720x580,geq=random(1)*255:random(2)*255:random(3)*255" -frames:v 1 "$work/in.png"
ls -l "$work/in.png" | awk '{print $5, "bytes"}'
for _ in 1 2 3; do
    printf 'colophon  '
    "$bench" "$work/in.png" 50
    printf 'c2pa-node '
    node "$(dirname "$0")/provenance.mjs" "$modules" "$work/ca/signer-key.pem" "$work/chain.pem" "$work/in.png" 50
done

# One second of noise, its samples once more and more: a file of one track and 1 GB.
ffmpeg -nostdin -v error -y -f lavfi -i "nullsrc=s=1280x720:r=25,geq=random(1)*255:128:128" -t 4 -c:v libx264 -qp 0 -preset ultrafast "$work/part.mp4"
size=$(stat -c %s "$work/part.mp4")
for ((i = 0; i * size < 1000000000; ++i)); do echo "file $work/part.mp4"; done >"$work/list"
ffmpeg -nostdin -v error -y -f concat -safe 0 -i "$work/list" -c copy "$work/in.mp4"
ls -l "$work/in.mp4" | awk '{print $5, "bytes"}'
ours() {
    "$colophon" label "$work/in.mp4" -o "$out.mp4" --marks provenance --producer $producer -q
}
theirs() {
    node "$(dirname "${BASH_SOURCE[0]}")/provenance.mjs" "$modules" "$work/ca/signer-key.pem" "$work/chain.pem" "$work/in.mp4" 1 "$out.mp4"
}
# As we do: what was written is read back.
theirs_checked() {
    node "$(dirname "${BASH_SOURCE[0]}")/provenance.mjs" "$modules" "$work/ca/signer-key.pem" "$work/chain.pem" "$work/in.mp4" 1 "$out.mp4" checked
}
copy() {
    cp "$work/in.mp4" "$out.mp4"
}
keep_outputs="${KEEP_OUTPUTS:-no}"
compare 3 colophon ours c2pa-node theirs "c2pa-node, checked" theirs_checked cp copy
memory() {
    local name=$1
    shift
    /usr/bin/time -f "$name %M KiB at most in any process" "$@" >/dev/null
}
memory colophon "$colophon" label "$work/in.mp4" -o "$work/ours.mp4" --marks provenance --producer $producer -q
memory c2pa-node node "$(dirname "$0")/provenance.mjs" "$modules" "$work/ca/signer-key.pem" "$work/chain.pem" "$work/in.mp4" 1 "$work/theirs.mp4"
"$colophon" verify "$work/ours.mp4" --marks provenance | head -n 1
echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"
