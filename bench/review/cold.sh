#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the classifier of the program is worth on COLD (thu-coai/COLDataset, Apache-2.0): trained on
# one part, measured on the other. Prints docs/reference/classifier.md.
set -euo pipefail

usage="usage: bench/review/cold.sh COLOPHON FOLDER   (with cold-dev.csv and cold-test.csv)"
program=$(realpath "${1:?$usage}")
corpus=$(realpath "${2:?$usage}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

export LC_ALL=C.UTF-8
began=$(date +%s%N)
"$program" library train "$corpus/cold-dev.csv" --category A2 --precision 0.85 -o model >card
trained=$((($(date +%s%N) - began) / 1000000))
began=$(date +%s%N)
"$program" library measure "$corpus/cold-test.csv" --classifier model >measured
measured=$((($(date +%s%N) - began) / 1000000))

cat <<END
# What the classifier is worth

Made by \`bench/review/cold.sh\` on $(date -u +%F) with $("$program" version | head -1).

COLD are Chinese sentences about race, region and gender, labelled offensive or not. The model of \`colophon library train\` learned from the part
\`cold-dev.csv\` ($((trained)) ms, four fifths of it; the rest set the threshold) with a wanted precision of 0.85, and was then measured on \`cold-test.csv\`
($((measured)) ms), which has other topics in other shares: precision there is lower than what was wanted. Whoever always says "harmless" is right in as many cases as
the line accuracy says in brackets. Take a threshold from texts of your own service, look at \`flag\` for a while, and hold before you block.

## On the part that it did not see

\`\`\`
$(cat measured)
\`\`\`

## On the fifth of the other part that was held out

\`\`\`
$(cat card)
\`\`\`
END
