#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# attack.sh NAME IN.png OUT.png: what people do to pictures, with other people's programs. The list
# of names stands in run.sh. Sizes follow from the picture; nothing is random but what a seed fixes.
# NAME@SEED: cut or covered elsewhere, other noise; without it seed 1.
set -euo pipefail
name=${1%@*} in=$2 out=$3
seed=1
[[ $1 != *@* ]] || seed=${1#*@}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
read -r w h < <(identify -format '%w %h\n' "$in")

number=${name##*[a-z]}  # what stands behind the last letter
jpeg() { convert "$1" -quality "$3" -sampling-factor 2x2 "$scratch/q.jpg" && convert "$scratch/q.jpg" "$2"; }
webp() { cwebp -quiet -q "$3" "$1" -o "$scratch/q.webp" && dwebp -quiet "$scratch/q.webp" -o "$2"; }
# The largest upright rectangle of the same shape inside the picture turned by $1 degrees.
inside() { awk -v w="$w" -v h="$h" -v a="$1" 'BEGIN { a = a < 0 ? -a : a; a %= 180; if (a > 90) a = 180 - a;
    a *= atan2(0, -1) / 180; s = sin(a); c = cos(a); x = w / (w * c + h * s); y = h / (w * s + h * c);
    k = x < y ? x : y; printf "%dx%d+0+0", w * k, h * k }'; }
# $1 percent of the area, off the middle.
part() { awk -v w="$w" -v h="$h" -v p="$1" -v s="$seed" 'BEGIN { k = sqrt(p / 100); cw = int(w * k); ch = int(h * k);
    x = 0.37 + 0.618034 * (s - 1); y = 0.61 + 0.754878 * (s - 1);
    printf "%dx%d+%d+%d", cw, ch, (w - cw) * (x - int(x)), (h - ch) * (y - int(y)) }'; }
turn() { convert "$1" -virtual-pixel black -distort SRT "$3" -gravity center -crop "$(inside "$3")" +repage "$2"; }
step=$scratch/step.png

case $name in
    none) cp "$in" "$out" ;;
    jpeg[0-9]*) jpeg "$in" "$out" "$number" ;;
    webp[0-9]*) webp "$in" "$out" "$number" ;;
    avif[0-9]*) heif-enc -A -q "$number" "$in" -o "$scratch/q.avif" >/dev/null && heif-convert "$scratch/q.avif" "$out" >/dev/null ;;
    heic[0-9]*) heif-enc -q "$number" "$in" -o "$scratch/q.heic" >/dev/null && heif-convert "$scratch/q.heic" "$out" >/dev/null ;;
    scale[0-9]*) convert "$in" -resize "$number%" "$out" ;;
    half-jpeg[0-9]*) convert "$in" -resize 50% "$step" && jpeg "$step" "$out" "$number" ;;
    crop[0-9]*) convert "$in" -crop "$(part "$number")" +repage "$step" && jpeg "$step" "$out" 75 ;;
    turn-90 | turn-180 | turn-270) convert "$in" -rotate "${name#turn-}" "$out" ;;
    turn[0-9]*) turn "$in" "$step" "$number" && jpeg "$step" "$out" 75 ;;
    mirror) convert "$in" -flop "$out" ;;
    flip) convert "$in" -flip "$out" ;;
    aspect[0-9]*) convert "$in" -resize "100x$number%!" "$out" ;;
    shear[0-9]*) convert "$in" -virtual-pixel edge -shear "${number}x0" +repage "$out" ;;
    perspective[0-9]*)
        p=$number
        convert "$in" -virtual-pixel edge -distort Perspective \
            "0,0 $((w * p / 100)),0 $w,0 $((w - w * p / 200)),$((h * p / 100)) 0,$h 0,$((h - h * p / 150)) $w,$h $w,$h" "$out"
        ;;
    bright[0-9]*) convert "$in" -evaluate multiply "$(awk -v p="$number" 'BEGIN { print p / 100 }')" "$out" ;;
    contrast[0-9]*) convert "$in" -function polynomial "$(awk -v p="$number" 'BEGIN { print p / 100 "," 0.5 - p / 200 }')" "$out" ;;
    gamma[0-9]*) convert "$in" -gamma "$(awk -v p="$number" 'BEGIN { print p / 100 }')" "$out" ;;
    hue[0-9]*) convert "$in" -modulate "100,100,$number" "$out" ;;
    saturation[0-9]*) convert "$in" -modulate "100,$number,100" "$out" ;;
    grey) convert "$in" -colorspace Gray -type TrueColor "$out" ;;
    noise[0-9]*) ffmpeg -nostdin -v error -y -i "$in" -vf "format=rgb24,noise=all_seed=$((6 + seed)):alls=$(awk -v s="$number" 'BEGIN { print int(s * 1.732 * 2) }'):allf=u" "$out" ;;
    blur[0-9]*) convert "$in" -gaussian-blur "0x$number" "$out" ;;
    sharpen) convert "$in" -unsharp 0x1.5+1.2 "$out" ;;
    median[0-9]*) convert "$in" -statistic Median "${number}x$number" "$out" ;;
    posterize[0-9]*) convert "$in" +dither -posterize "$number" "$out" ;;
    overlay[0-9]*)
        side=$(awk -v w="$w" -v h="$h" -v p="$number" 'BEGIN { print int(sqrt(w * h * p / 100)) }')
        convert "$in" -fill orange -draw "rectangle $((w * seed / 5)),$((h / 6)) $((w * seed / 5 + side)),$((h / 6 + side))" "$out"
        ;;
    caption) convert "$in" -gravity south -background white -splice "0x$((h / 6))" "$out" ;;
    border) convert "$in" -bordercolor navy -border "$((w / 10))x$((h / 10))" "$out" ;;
    equalize) convert "$in" -equalize "$out" ;;
    gif) convert "$in" -colors 256 "$scratch/q.gif" && convert "$scratch/q.gif[0]" "$out" ;;
    screenshot) convert "$in" -resize 87% -bordercolor '#eeeeee' -border 60x90 "$step" && jpeg "$step" "$out" 85 ;;
    messenger) convert "$in" -resize '1280x1280>' "$step" && jpeg "$step" "$out" 70 ;;
    social) convert "$in" -resize 1080x1080 "$step" && webp "$step" "$out" 75 ;;
    turn-scale-jpeg) turn "$in" "$step" 7 && convert "$step" -resize 80% "$scratch/b.png" && jpeg "$scratch/b.png" "$out" 60 ;;
    crop-scale-colour) convert "$in" -crop "$(part 60)" +repage -resize 130% -modulate 110,120 "$step" && jpeg "$step" "$out" 50 ;;
    mirror-crop-jpeg) convert "$in" -flop -crop "$(part 50)" +repage "$step" && jpeg "$step" "$out" 50 ;;
    h264-*)
        convert "$in" -crop "$((w / 2 * 2))x$((h / 2 * 2))+0+0" +repage "$step"
        ffmpeg -nostdin -v error -y -i "$step" -sws_flags accurate_rnd+full_chroma_int -pix_fmt yuv420p -c:v libx264 -crf "${name#h264-}" "$scratch/q.mp4"
        ffmpeg -nostdin -v error -y -i "$scratch/q.mp4" -frames:v 1 -sws_flags accurate_rnd+full_chroma_int "$out"
        ;;
    *) printf 'no attack is called %s\n' "$name" >&2 && exit 64 ;;
esac
