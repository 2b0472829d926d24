#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_clang_tidy.sh [FILE...]: clang-tidy-19 over the .cc files of src, tools and fuzz (or those
# named), two at a time. A file that passed is not looked at again until something that could change
# the answer changes: clang-tidy, .clang-tidy, its compile command, the file, or a header of ours that
# it includes, directly or not. The path-sensitive analyzer doubles the time and runs only when
# COLOPHON_ANALYZE is set (./check tidy sets it). Passes are remembered in
# ${XDG_CACHE_HOME:-~/.cache}/colophon.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
database=build/lint
# Always, since a new file changes no other file: a second or two.
cmake --preset lint >/dev/null
cache=${XDG_CACHE_HOME:-$HOME/.cache}/colophon/clang-tidy
mkdir -p "$cache"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export analyzer='--checks=-clang-analyzer-*'
if [[ -n ${COLOPHON_ANALYZE:-} ]]; then
    analyzer='--checks='
fi
# What it finds is the same without it, and takes three times as long: no part of what is remembered.
plugin=$cache/own_code_only.$({ clang-tidy-19 --version && cat tools/clang_tidy/own_code_only.cc; } |
    sha256sum | cut -c 1-16).so
export plugin
if [[ ! -e $plugin ]]; then
    llvm=$(dirname "$(dirname "$(readlink -f "$(command -v clang-tidy-19)")")")
    g++ -std=c++20 -O1 -fno-rtti -fPIC -shared -isystem "$llvm/include" \
        -isystem "/usr/include/${llvm##*/}" -isystem /usr/include/llvm-c-19 \
        tools/clang_tidy/own_code_only.cc -o "$plugin.$$"
    mv "$plugin.$$" "$plugin"
fi
{ clang-tidy-19 --version && cat .clang-tidy && printf '%s\n' "$analyzer"; } | sha256sum >"$work/tool"

find src tools fuzz -name '*.cc' -o -name '*.h' | sort >"$work/files"
xargs sha256sum <"$work/files" >"$work/sums"
# Own includes are written from src/ or tools/: "core/bytes.h".
xargs grep -HoE '^#include "[^"]+"' <"$work/files" >"$work/includes" || true
# One line for each command, without the root, so that copies of the tree share the cache.
tr -d '\n' <"$database/compile_commands.json" | sed -e 's/},/},\n/g' -e "s,$root/,,g" >"$work/commands"

# NAME<TAB>everything that the answer depends on.
awk -v files="$*" '
    FILENAME ~ /sums$/ { sum[$2] = $1; next }
    FILENAME ~ /includes$/ {
        file = $0; sub(/:#include.*/, "", file)
        path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
        uses[file] = uses[file] " src/" path " tools/" path
        next
    }
    {
        file = $0; sub(/.*"file": *"/, "", file); sub(/".*/, "", file)
        if (file in sum) { command[file] = $0 }
    }
    function closure(file,    parts, count, i) {
        if (!(file in sum) || (file in seen)) { return }
        seen[file] = 1
        text = text " " file " " sum[file]
        count = split(uses[file], parts, " ")
        for (i = 1; i <= count; i++) { closure(parts[i]) }
    }
    END {
        if (files != "") { split(files, list, " "); for (i in list) { asked[list[i]] = 1 } }
        for (file in command) {
            if (files != "" && !(file in asked)) { continue }
            split("", seen); text = command[file]
            closure(file)
            print file "\t" text
        }
    }' "$work/sums" "$work/includes" "$work/commands" | sort >"$work/inputs"

passed=0
: >"$work/todo"
while IFS=$'\t' read -r file inputs; do
    key=$({ cat "$work/tool"; printf '%s\n' "$inputs"; } | sha256sum | cut -d ' ' -f 1)
    if [[ -e $cache/$key ]]; then
        passed=$((passed + 1))
    else
        printf '%s %s\n' "$file" "$cache/$key" >>"$work/todo"
    fi
done <"$work/inputs"
printf '%d files unchanged since they passed, %d to check\n' "$passed" "$(wc -l <"$work/todo")"

one() {
    local out
    if out=$(clang-tidy-19 --load "$plugin" --quiet "$analyzer,colophon-own-code-only" -p "$1" "$2" 2>/dev/null); then
        : >"$3"
    else
        printf '%s\n' "${out//$PWD\//}"
        return 1
    fi
}
export -f one
# shellcheck disable=SC2016  # the inner shell expands its own arguments
xargs -r -L 1 -P 2 bash -c 'one "$0" "$1" "$2"' "$database" <"$work/todo"
