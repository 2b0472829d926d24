#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the watermark of pictures survives.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'USAGE'
usage: bench/robustness/run.sh [--work DIR] [--long] FOLDER [ATTACK...]

  Marks each picture of the folder (PNG and JPEG, at least 0.35 megapixel) with a content id of its
  own, does to it what the attacks say (bench/robustness/attack.sh; crop25@3 is crop25 with seed 3),
  and counts how often exactly that content id is read. Prints two Markdown tables, of the marked
  pictures (distance from the original in the grey levels of all pixels, by ffmpeg; grade by
  colophon label) and of the attacks (least and median score of those that were read; processor
  time of colophon verify a megapixel, decoding and start included); progress goes to standard error.
  --work DIR: what is done stays there, and is not done again by the next run with the same DIR.
  --long: with the payload of 128 bits; pictures that do not hold it are left out.
  COLOPHON: the program, default build/release/colophon.
USAGE
}
work=
if [[ ${1:-} == --work && $# -ge 2 ]]; then
    work=$2
    shift 2
fi
who=(--producer-name bench)
if [[ ${1:-} == --long ]]; then
    who=(--producer 001191000000000000000K10001 --payload long)
    shift
fi
[[ $# -ge 1 && $1 != --help ]] || { usage; exit 64; }
folder=$1
shift
attacks=("$@")
if ((${#attacks[@]} == 0)); then
    attacks=(none jpeg90 jpeg75 jpeg50 jpeg30 jpeg20 webp80 webp50 avif50 heic50
        scale200 scale150 scale75 scale50 scale40 scale25 half-jpeg75
        crop80 crop50 crop50@2 crop50@3 crop25 crop25@2 crop25@3 crop10 turn-90 turn-180 turn-270
        turn1 turn5 turn15 turn33 turn45 turn80 turn161 turn237 turn300 turn359
        mirror flip aspect90 aspect107 shear3 perspective4 perspective8
        bright130 bright70 contrast130 contrast70 gamma150 hue140 saturation40 grey
        noise10 noise10@2 blur1 blur2 sharpen median3 posterize8 overlay10 overlay30 overlay30@2
        caption border equalize gif
        screenshot messenger social turn-scale-jpeg crop-scale-colour mirror-crop-jpeg h264-23 h264-28 h264-35)
fi
colophon=${COLOPHON:-build/release/colophon}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
work=${work:-$scratch/work}
mkdir -p "$work/plain" "$work/marked" "$work/ids" "$work/pictures" "$work/attacks"

# distance COPY ORIGINAL: "PSNR dB, SSIM"
distance() {
    ffmpeg -nostdin -i "$1" -i "$2" -lavfi '[0:v]format=gray,split[a][b];[1:v]format=gray,split[c][d];[a][c]psnr;[b][d]ssim' -f null - 2>&1 |
        sed -nE 's/.*PSNR y:([0-9.inf]+).*/p \1/p; s/.*SSIM Y:([0-9.]+).*/s \1/p' |
        awk '{ v[$1] = $2 } END { printf "%.2f dB, %.4f", v["p"], v["s"] }'
}

while IFS= read -r -d '' file; do
    name=$(basename "${file%.*}").png
    [[ ! -f $work/pictures/$name ]] || continue
    read -r pixels size < <(identify -format '%[fx:w*h] %wx%h\n' "${file}[0]" 2>/dev/null)
    awk -v p="$pixels" 'BEGIN { exit p < 350000 }' || continue
    convert "${file}[0]" -background white -alpha remove -strip -depth 8 "PNG24:$work/plain/$name" 2>/dev/null
    # Crockford's alphabet has no i, l, o and u; the first of ten characters is at most 7.
    id=0$(printf '%s' "$name" | sha256sum | tr -cd '0-9a-f' | head -c 9 | tr a-f A-F)
    if said=$("$colophon" label --json "$work/plain/$name" -o "$work/marked/$name" --marks watermark "${who[@]}" --content-id "$id" 2>/dev/null) &&
        [[ ${who[*]} != *long* || $said == *'"provider"'* ]]; then
        printf '%s %s\n' "$name" "$id" >"$work/ids/$name"
        printf '| %s | %s | %s | %s |\n' "${name%.png}" "$size" "$(distance "$work/marked/$name" "$work/plain/$name")" \
            "$(sed -nE 's/.*"strength":"([a-z]+)".*/\1/p' <<<"$said")" >"$work/pictures/$name"
    else
        printf '| %s | %s | | refused |\n' "${name%.png}" "$size" >"$work/pictures/$name"
    fi
done < <(find "$folder" -type f \( -name '*.png' -o -name '*.jpg' \) -print0 | sort -z)
cat "$work"/ids/* >"$scratch/ids"
printf '| picture | size | PSNR, SSIM | grade |\n|---|---|---|---|\n'
cat "$work"/pictures/*
printf '%d pictures\n' "$(wc -l <"$scratch/ids")" >&2

printf '\n| attack | exact payload | share | score, least and median | ms a megapixel |\n|---|--:|--:|--:|--:|\n'
for attack in "${attacks[@]}"; do
    if [[ ! -f $work/attacks/$attack ]]; then
        mkdir -p "$scratch/attacked"
        cut -d' ' -f1 "$scratch/ids" | xargs -P2 -I{} bench/robustness/attack.sh "$attack" "$work/marked/{}" "$scratch/attacked/{}"
        pixels=$(identify -format '%[fx:w*h]\n' "$scratch"/attacked/*.png 2>/dev/null | awk '{ p += $1 } END { print p }')
        TIMEFORMAT='%U %S'
        { time "$colophon" verify --json --marks watermark "$scratch"/attacked/*.png >"$scratch/seen" 2>/dev/null || true; } 2>"$scratch/time"
        awk -v attack="$attack" -v pixels="$pixels" -v seconds="$(awk '{ print $1 + $2 }' "$scratch/time")" -v lost="$scratch/lost" '
            NR == FNR { id[$1] = $2; next }
            match($0, /"file":"[^"]*"/) { path = substr($0, RSTART + 8, RLENGTH - 9); sub(/.*\//, "", path); all++
                if (index($0, "\"content_id\":\"" id[path] "\"")) { hit++
                    match($0, /"score":[0-9.]+/); score[hit] = substr($0, RSTART + 8, RLENGTH - 8) + 0 }
                else { print attack, path >lost; if (index($0, "\"found\":true")) wrong++ } }
            END { for (i = 1; i <= hit; i++) for (j = i + 1; j <= hit; j++) if (score[j] < score[i]) { t = score[i]; score[i] = score[j]; score[j] = t }
                printf "| %s | %d of %d%s | %.0f %% | %s | %.0f |\n", attack, hit, all, wrong ? ", " wrong " WRONG" : "", all ? 100 * hit / all : 0,
                    hit ? sprintf("%.0f, %.0f", score[1], score[int((hit + 1) / 2)]) : "", 1e9 * seconds / pixels }' \
            "$scratch/ids" "$scratch/seen" >"$scratch/row"
        rm -r "$scratch/attacked"
        if [[ -f $scratch/lost ]]; then
            cat "$scratch/lost" >>"$work/lost"
            rm "$scratch/lost"
        fi
        mv "$scratch/row" "$work/attacks/$attack"
        printf '%s\n' "$attack" >&2
    fi
    cat "$work/attacks/$attack"
done
