#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [BUILD] [RECORDS] [ENTRIES]: what the ground must carry, in one run on the disk of ${TMPDIR:-/tmp}:
# durable records and their commits on both stores against bare syncs, the full check of a log, finding a
# record by its content id on both stores, sealing. Prints one report; a time is reported, not asserted.
# BUILD is a build folder with colophon, demo_log and the benchmarks, build/release unless named; RECORDS is
# 10,000,000 and ENTRIES 1,000,000 unless said otherwise.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
build="${1:-$root/build/release}"
records="${2:-10000000}"
entries="${3:-1000000}"
bin="$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)"
for program in colophon demo_log bench/commit_bench bench/lookup_bench bench/sealing_bench; do
    [[ -x $build/$program ]] || {
        echo "needs $build/$program: cmake --build --preset PRESET --target ${program##*/}" >&2
        exit 1
    }
done
[[ -n $bin ]] || {
    echo 'needs PostgreSQL' >&2
    exit 1
}
work="$(mktemp -d)"
chmod 755 "$work"
mkdir "$work/server" "$work/objects"
user=()
if ((EUID == 0)); then
    chown postgres "$work/server"
    user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
server=''
stop() {
    [[ -z $server ]] || { kill -INT "$server" && wait "$server"; } || true
    rm -rf "$work"
}
trap stop EXIT
title() { printf '\n== %s (load %s)\n' "$1" "$(cut -d ' ' -f 1-3 /proc/loadavg)"; }

printf '%s, %s processors\n' "$(date -u +%FT%TZ)" "$(nproc)"
title 'durable records, 64 writers; aims: 10,000 a second, median commit within 1.5 syncs'
"$root/bench/storage/commit.sh" "$build/bench/commit_bench"

title "full check of a log of $entries entries; aim: below 10 s for 1,000,000"
"$root/bench/ledger/check.sh" "$build" "$entries"

title "lookup by content id, SQLite, $records records; aim: below 100 us"
(umask 077 && head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$work/master.key")
"$build/bench/lookup_bench" "$work/records.db" "$work" "$records"
rm -f "$work"/records.db*

title "lookup by content id, PostgreSQL, $records records; aim: below 100 us"
"${user[@]}" "$bin/initdb" -D "$work/server/data" -A trust -U colophon -E UTF8 --locale=C -N >/dev/null
"${user[@]}" "$bin/postgres" -D "$work/server/data" -k "$work/server" -c listen_addresses= \
    -c shared_buffers=512MB -c max_wal_size=8GB -c log_min_messages=fatal >/dev/null 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$work/server" -U colophon; do sleep 0.2; done
"$build/bench/lookup_bench" "postgres://colophon@/postgres?host=$work/server" "$work" "$records"

title 'sealing, one core; aim: 1 GB/s with AES-256-GCM'
"$build/bench/sealing_bench"
