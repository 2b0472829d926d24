#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Draws the mark on one JPEG with Colophon and with ImageMagick, in one run on one machine.
#   explicit_image_compare.sh BENCH_PROGRAM FONT [PICTURE]
# Without a picture a 4000 x 3000 photograph-like one is made.
set -eu
bench=$1
font=$2
convert=/usr/bin/convert
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
picture=${3:-$folder/in.jpg}
if [ $# -lt 3 ]; then
    "$convert" -size 1000x750 -seed 1 plasma:#246-#a86 -attenuate 0.3 +noise Gaussian \
        -resize 4000x3000 -quality 88 "$picture"
fi
identify -format '%wx%h %b\n' "$picture" || true
echo "Colophon (looks for a mark first, then draws and writes):"
"$bench" "$font" "$picture" --runs 7
echo "ImageMagick:"
for i in 1 2 3 4 5; do
    begin=$(date +%s%N)
    "$convert" "$picture" -font "$font" -pointsize 180 -fill white -undercolor '#0008' \
        -gravity southeast -annotate +80+80 'AI生成' "$folder/out.jpg"
    end=$(date +%s%N)
    echo "convert $(((end - begin) / 1000000)) ms"
done
