#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'EOF'
usage: fuzz/run.sh SECONDS TARGET...     for example: fuzz/run.sh 600 label_png label_jpeg
       fuzz/run.sh --keep TARGET...
       fuzz/run.sh --table

  The first runs each target, one after the other, until it has had SECONDS of processor time in all
  (earlier runs count; build/fuzz/runs/TARGET.seconds remembers them). Build first:
      cmake --preset fuzz && cmake --build --preset fuzz
  --keep adds to tests/corpus a small set of the inputs that reach what the files there do not.
  --table prints how many minutes of processor time each target has had.

  An input fails that crashes, takes 256 MB, or hangs for two minutes of the clock. The promise is one
  second of processor time in an ordinary build, which the replay in ./check measures: slow inputs
  are put aside for it in build/fuzz/runs/TARGET.slow. Everything runs with nice 19, or FUZZ_NICE.
EOF
}

runs=$PWD/build/fuzz/runs
mkdir -p "$runs"
# The quarantine of freed memory is not what a reader takes.
export ASAN_OPTIONS=quarantine_size_mb=8:allocator_release_to_os_interval_ms=1000
export LSAN_OPTIONS=suppressions=$PWD/fuzz/leaks.txt:print_suppressions=0
# Of the clock. Each round begins with all inputs so far, so short rounds do little else.
round_seconds=${FUZZ_ROUND_SECONDS:-600}

spent() {
    cat "$runs/$1.seconds" 2>/dev/null || echo 0
}

one_round() {
    local target=$1 code=0
    mkdir -p "$runs/$target.corpus" "$runs/$target.found" "$runs/$target.slow" "tests/corpus/$target"
    TIMEFORMAT='%U %S'
    {
        time nice -n "${FUZZ_NICE:-19}" "build/fuzz/fuzz/${target}_fuzz" -rss_limit_mb=256 -timeout=120 \
            -report_slow_units=1 -max_total_time="$round_seconds" -print_final_stats=1 -verbosity=1 \
            -artifact_prefix="$runs/$target.found/" "$runs/$target.corpus" "tests/corpus/$target" \
            >"$runs/$target.log" 2>&1 || code=$?
    } 2>"$runs/$target.time"
    find "$runs/$target.found" -name 'slow-unit-*' -exec mv -t "$runs/$target.slow" {} +
    awk -v before="$(spent "$target")" '{ printf "%.0f\n", before + $1 + $2 }' \
        "$runs/$target.time" >"$runs/$target.new"
    mv "$runs/$target.new" "$runs/$target.seconds"
    if ((code != 0)); then
        printf '%s ended with %d; what it found is in %s\n' "$target" "$code" "$runs/$target.found" >&2
        return 1
    fi
}

keep() {
    local target=$1 before set
    set=$(mktemp -d)
    before=$(find "tests/corpus/$target" -type f | wc -l)
    cp "tests/corpus/$target"/* "$set/"
    "build/fuzz/fuzz/${target}_fuzz" -set_cover_merge=1 -rss_limit_mb=256 -timeout=120 "$set" \
        "$runs/$target.corpus" >"$runs/$target.merge.log" 2>&1
    # A large input is worth keeping only when it failed, and then a person keeps it.
    find "$set" -type f -size -3k -exec cp -n -t "tests/corpus/$target" {} +
    rm -r "$set"
    printf '%s: %d inputs, %d before\n' "$target" "$(find "tests/corpus/$target" -type f | wc -l)" "$before"
}

case ${1:-} in
    --keep)
        shift
        for target in "$@"; do
            keep "$target"
        done
        ;;
    --table)
        for file in "$runs"/*.seconds; do
            target=$(basename "$file" .seconds)
            awk -v target="$target" '{ printf "%-20s %5.1f\n", target, $1 / 60 }' "$file"
        done
        ;;
    '' | -*)
        usage
        [[ ${1:-} == --help ]] || exit 64
        ;;
    *)
        seconds=$1
        shift
        good=yes
        for target in "$@"; do
            while (($(spent "$target") < seconds)); do
                one_round "$target" || { good=no; break; }
            done
        done
        [[ $good == yes ]] || exit 1
        ;;
esac
