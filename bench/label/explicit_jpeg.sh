#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Explicit label of a JPEG of 12 megapixels: colophon against ImageMagick's annotate.
# Usage: explicit_jpeg.sh [PICTURE to take, scaled to 4000 x 3000]
source "$(dirname "$0")/../lib.sh"

if [ $# -ge 1 ]; then
    ffmpeg -nostdin -v error -y -i "$1" -vf scale=4000:3000 -frames:v 1 -q:v 3 "$work/in.jpg"
else
    ffmpeg -nostdin -v error -y -f lavfi -i "mandelbrot=size=4000x3000" -frames:v 1 -q:v 3 "$work/in.jpg"
fi
font=/usr/share/fonts/truetype/wqy/wqy-microhei.ttc
ours() { "$colophon" label "$work/in.jpg" -o "$out.jpg" --marks explicit --producer $producer -q; }
theirs() {
    /usr/bin/convert "$work/in.jpg" -font $font -pointsize 165 -gravity southeast -undercolor '#000000a0' -fill white \
        -annotate +40+40 'AI生成' "$out.jpg"
}
compare 7 colophon ours imagemagick theirs
