#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Metadata label of 1,000 JPEGs: colophon against ExifTool's batch mode, with the same result, and
# against cp of the same files: nothing that writes them all can be faster than copying them.
# Usage: metadata_jpeg.sh [FOLDER of pictures to take instead of drawn ones]
# SIZE is that of drawn pictures (1024x768), COUNT how many files there are (1000).
source "$(dirname "$0")/../lib.sh"

in="$work/in"
size=${SIZE:-1024x768}
count=${COUNT:-1000}
mkdir -p "$in"
if [ $# -ge 1 ]; then
    find "$1" -type f | sort | while read -r picture; do
        ffmpeg -nostdin -v error -y -i "$picture" -frames:v 1 -q:v 3 "$work/$(basename "$picture").jpg" || true
    done
else
    for i in 1 2 3 4; do
        ffmpeg -nostdin -v error -y -f lavfi -i "mandelbrot=size=$size:start_scale=0.$i" -frames:v 1 -q:v 3 "$work/$i.jpg"
    done
fi
seeds=("$work"/*.jpg)
for ((i = 0; i < count; ++i)); do
    cp "${seeds[$((i % ${#seeds[@]}))]}" "$in/$i.jpg"
done
cat >"$work/tc260.config" <<'C'
%Image::ExifTool::UserDefined = (
    'Image::ExifTool::XMP::Main' => { TC260 => { SubDirectory => { TagTable => 'Image::ExifTool::UserDefined::TC260' } } },
);
%Image::ExifTool::UserDefined::TC260 = (
    GROUPS => { 0 => 'XMP', 1 => 'XMP-TC260', 2 => 'Other' },
    NAMESPACE => { 'TC260' => 'http://www.tc260.org.cn/ns/AIGC/1.0/' }, WRITABLE => 'string', AIGC => { },
);
1;
C
label='{"Label":"1","ContentProducer":"'$producer'","ProduceID":"7QK0M3X9Z2","ReservedCode1":"","ContentPropagator":"'$producer'","PropagateID":"7QK0M3X9Z2","ReservedCode2":""}'
ours() {
    "$colophon" label "$in" -o "$out" --marks metadata --producer $producer --content-id 7QK0M3X9Z2 --metadata-key none -q
}
theirs() {
    exiftool -config "$work/tc260.config" -q -o "$out/" "-XMP-TC260:AIGC=$label" \
        "-XMP-iptcExt:DigitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia" "$in"
}
copy() { cp -r "$in" "$out"; }
# Two at a time, as we work: the limit for files of this size on two cores.
copy_both() {
    mkdir "$out"
    find "$in" -type f -print0 | xargs -0 -n 500 -P 2 cp -t "$out"
}
echo "$(find "$in" -type f | wc -l) JPEGs, $(du -sh "$in" | cut -f1)"
compare 3 colophon ours exiftool theirs "cp -r" copy "cp, two at a time" copy_both
for run in ours theirs; do
    out="$work/read.$run"
    "$run" >/dev/null
    exiftool -q -s3 -XMP-TC260:all "$out" | sort | uniq -c
done
