#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the watermark of pictures survives.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<'USAGE'
usage: bench/robustness/run.sh FOLDER [ATTACK...]

  Marks each picture of the folder (PNG and JPEG, at least 0.35 megapixel) with a content id of its
  own, does to it what the attacks say (bench/robustness/attack.sh), and counts how often exactly
  that content id is read. Prints a Markdown table; progress goes to standard error.
  COLOPHON: the program, default build/release/colophon.
USAGE
}
[[ $# -ge 1 && $1 != --help ]] || { usage; exit 64; }
folder=$1
shift
attacks=("$@")
if ((${#attacks[@]} == 0)); then
    attacks=(none jpeg90 jpeg75 jpeg50 jpeg30 jpeg20 webp80 webp50 avif50 heic50
        scale200 scale150 scale75 scale50 scale40 half-jpeg75
        crop80 crop50 crop25 crop10 turn-90 turn-180 turn1 turn5 turn15 turn33 turn45 turn161
        mirror flip aspect90 aspect107 shear3 perspective4
        bright130 bright70 contrast130 contrast70 gamma150 hue140 saturation40 grey
        noise10 blur1 blur2 sharpen median3 posterize8 overlay10 overlay30 caption border equalize gif
        screenshot messenger social turn-scale-jpeg crop-scale-colour mirror-crop-jpeg h264-23 h264-28 h264-35)
fi
colophon=${COLOPHON:-build/release/colophon}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pictures=0
while IFS= read -r -d '' file; do
    read -r pixels < <(identify -format '%[fx:w*h]\n' "${file}[0]")
    if awk -v p="$pixels" 'BEGIN { exit p < 350000 }'; then
        convert "${file}[0]" -background white -alpha remove -depth 8 "PNG24:$scratch/$(basename "${file%.*}").png" 2>/dev/null
    fi
done < <(find "$folder" -type f \( -name '*.png' -o -name '*.jpg' \) -print0 | sort -z)

mkdir "$scratch/marked"
for file in "$scratch"/*.png; do
    name=$(basename "$file")
    # Crockford's alphabet has no i, l, o and u; the first of ten characters is at most 7.
    id=$(printf '%s' "$name" | sha256sum | tr -cd '0-9a-f' | head -c 9 | tr a-f A-F)
    printf '%s 0%s\n' "$name" "$id" >>"$scratch/ids"
    "$colophon" label -q "$file" -o "$scratch/marked/$name" --marks watermark --producer-name bench --content-id "0$id"
    pictures=$((pictures + 1))
done
printf '%d pictures\n' "$pictures" >&2

printf '| attack | exact payload | share | score, least and median |\n|---|--:|--:|--:|\n'
for attack in "${attacks[@]}"; do
    mkdir "$scratch/attacked"
    cut -d' ' -f1 "$scratch/ids" | xargs -P2 -I{} bench/robustness/attack.sh "$attack" "$scratch/marked/{}" "$scratch/attacked/{}"
    "$colophon" verify --json --marks watermark "$scratch"/attacked/*.png >"$scratch/seen" 2>/dev/null || true
    awk -v attack="$attack" '
        NR == FNR { id[$1] = $2; next }
        match($0, /"file":"[^"]*"/) { path = substr($0, RSTART + 8, RLENGTH - 9); sub(/.*\//, "", path); all++
            if (index($0, "\"content_id\":\"" id[path] "\"")) { hit++
                match($0, /"score":[0-9.]+/); score[hit] = substr($0, RSTART + 8, RLENGTH - 8) + 0 }
            else if (index($0, "\"found\":true")) wrong++ }
        END { for (i = 1; i <= hit; i++) for (j = i + 1; j <= hit; j++) if (score[j] < score[i]) { t = score[i]; score[i] = score[j]; score[j] = t }
            printf "| %s | %d of %d%s | %.0f %% | %s |\n", attack, hit, all, wrong ? ", " wrong " WRONG" : "", all ? 100 * hit / all : 0,
                hit ? sprintf("%.0f, %.0f", score[1], score[int((hit + 1) / 2)]) : "" }' "$scratch/ids" "$scratch/seen"
    rm -r "$scratch/attacked"
    printf '%s\n' "$attack" >&2
done
