#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the watermark of videos survives.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'USAGE'
usage: bench/robustness/video.sh FOLDER [ATTACK...]

  Marks each MP4 of the folder with a content id of its own, takes excerpts of four seconds (of short
  films all there is), does to each what the attacks say, and counts how often exactly that content
  id is read. Prints a Markdown table, before it the distance of each marked film from the original,
  beside that of the same coding by ffmpeg; progress goes to standard error.
  COLOPHON: the program, default build/release/colophon.
USAGE
}
[[ $# -ge 1 && $1 != --help ]] || { usage; exit 64; }
folder=$1
shift
attacks=("$@")
if ((${#attacks[@]} == 0)); then
    attacks=(none crf23 crf28 crf35 crf40 hevc28 hevc34 vp9-36 av1-35 av1-50 scale75 scale50 fps24 fps30
        speed90 speed110 crop10 crop50 letterbox clip2-crf28 clip2-crf35 turn90 mirror turn5 refilm grey gif)
fi
colophon=${COLOPHON:-build/release/colophon}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
ff() { ffmpeg -nostdin -v error -y "$@"; }

# attack NAME IN START OUT
attack() {
    local name=$1 from=(-ss "$3" -t 4 -i "$2" -an) x264=(-c:v libx264 -preset medium) out=$4
    local number=${name##*[a-z-]}
    case $name in
        none) ff -ss "$3" -t 4 -i "$2" -an -c:v libx264 -qp 0 "$out" ;;
        crf[0-9]*) ff "${from[@]}" "${x264[@]}" -crf "$number" "$out" ;;
        hevc[0-9]*) ff "${from[@]}" -c:v libx265 -preset fast -x265-params log-level=none -crf "$number" "$out" ;;
        av1-[0-9]*) ff "${from[@]}" -c:v libsvtav1 -preset 8 -crf "$number" "$out" 2>/dev/null ;;
        vp9-[0-9]*) ff "${from[@]}" -c:v libvpx-vp9 -deadline realtime -cpu-used 6 -b:v 0 -crf "$number" "$out" ;;
        scale[0-9]*) ff "${from[@]}" -vf "scale=trunc(iw*$number/200)*2:-2" "${x264[@]}" -crf 23 "$out" ;;
        fps[0-9]*) ff "${from[@]}" -r "$number" "${x264[@]}" -crf 23 "$out" ;;
        speed[0-9]*) ff "${from[@]}" -vf "setpts=PTS*100/$number" "${x264[@]}" -crf 23 "$out" ;;
        crop10) ff "${from[@]}" -vf "crop=trunc(iw*0.474)*2:trunc(ih*0.474)*2:iw*0.03:ih*0.02" "${x264[@]}" -crf 23 "$out" ;;
        crop50) ff "${from[@]}" -vf "crop=trunc(iw*0.354)*2:trunc(ih*0.354)*2:iw*0.11:ih*0.18" "${x264[@]}" -crf 23 "$out" ;;
        letterbox) ff "${from[@]}" -vf "pad=iw*5/4:ih*5/4:(ow-iw)/2:(oh-ih)/2,scale=trunc(iw*0.4)*2:-2" "${x264[@]}" -crf 23 "$out" ;;
        clip2-crf[0-9]*) ff -ss "$(awk -v s="$3" 'BEGIN { print s + 0.9 }')" -t 2 -i "$2" -an "${x264[@]}" -crf "$number" "$out" ;;
        turn90) ff "${from[@]}" -vf transpose=1 "${x264[@]}" -crf 23 "$out" ;;
        mirror) ff "${from[@]}" -vf hflip "${x264[@]}" -crf 23 "$out" ;;
        turn5) ff "${from[@]}" -vf "rotate=5*PI/180,crop=trunc(iw*0.4)*2:trunc(ih*0.4)*2" "${x264[@]}" -crf 23 "$out" ;;
        refilm) ff "${from[@]}" -vf "perspective=x0=W*0.02:y0=H*0.01:x1=W*0.99:y1=H*0.02:x2=W*0.01:y2=H*0.98:x3=W*0.98:y3=H*0.99,gblur=1,noise=all_seed=7:alls=10:allf=t" "${x264[@]}" -crf 25 "$out" ;;
        grey) ff "${from[@]}" -vf hue=s=0 "${x264[@]}" -crf 23 "$out" ;;
        gif) ff "${from[@]}" -vf "fps=12,scale=trunc(iw*0.3)*2:-2" "$scratch/a.gif" && ff -i "$scratch/a.gif" -pix_fmt yuv420p "${x264[@]}" -crf 20 "$out" ;;
        *) printf 'no attack %s\n' "$name" >&2; return 1 ;;
    esac
}

# distance COPY ORIGINAL: "PSNR-Y SSIM-Y"
distance() {
    ffmpeg -nostdin -i "$1" -i "$2" -lavfi '[0:v][1:v]psnr;[0:v][1:v]ssim' -f null - 2>&1 |
        sed -nE 's/.*PSNR y:([0-9.inf]+).*/p \1/p; s/.*SSIM Y:([0-9.]+).*/s \1/p' |
        awk '{ v[$1] = $2 } END { printf "%.1f dB, %.4f", v["p"], v["s"] }'
}

printf '| film | marked | only coded by ffmpeg | bytes: before, marked, coded |\n|---|--:|--:|--:|\n'
for film in "$folder"/*.mp4; do
    name=$(basename "$film" .mp4)
    id=0$(printf '%s' "$name" | sha256sum | tr -cd '0-9a-f' | head -c 9 | tr a-f A-F)
    "$colophon" label -q "$film" -o "$scratch/$name.mp4" --marks watermark --producer-name bench --content-id "$id"
    ff -i "$film" -map 0:v -c:v libx264 -preset veryfast -crf 18 "$scratch/coded.mp4"
    printf '| %s | %s | %s | %d, %d, %d |\n' "$name" "$(distance "$scratch/$name.mp4" "$film")" \
        "$(distance "$scratch/coded.mp4" "$film")" "$(stat -Lc %s "$film")" "$(stat -c %s "$scratch/$name.mp4")" "$(stat -c %s "$scratch/coded.mp4")"
    seconds=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$film")
    for start in 0 7 15 24; do
        if awk -v s="$seconds" -v b="$start" 'BEGIN { exit !(b == 0 || s >= b + 4) }'; then
            printf '%s %s %s\n' "$name" "$start" "$id" >>"$scratch/excerpts"
        fi
    done
done

printf '\n| attack | exact content id | score, least and median |\n|---|--:|--:|\n'
for each in "${attacks[@]}"; do
    hits=0 all=0 wrong=0
    : >"$scratch/scores"
    while read -r name start id; do
        all=$((all + 1))
        attack "$each" "$scratch/$name.mp4" "$start" "$scratch/attacked.mp4"
        seen=$("$colophon" verify --json --marks watermark "$scratch/attacked.mp4" 2>/dev/null || true)
        if [[ $seen == *"\"content_id\":\"$id\""* ]]; then
            hits=$((hits + 1))
            sed -nE 's/.*"score":([0-9.]+),"strength".*/\1/p' <<<"$seen" >>"$scratch/scores"
        elif [[ $seen == *'"found":true'* ]]; then
            wrong=$((wrong + 1))
        fi
    done <"$scratch/excerpts"
    printf '| %s | %d of %d%s | %s |\n' "$each" "$hits" "$all" "$( ((wrong)) && printf ', %d WRONG' "$wrong")" \
        "$(sort -n "$scratch/scores" | awk '{ s[NR] = $1 } END { if (NR) printf "%.0f, %.0f", s[1], s[int((NR + 1) / 2)] }')"
    printf '%s\n' "$each" >&2
done
