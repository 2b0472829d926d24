#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# commit.sh [PROGRAM]: commit_bench on a folder and a PostgreSQL of its own, both on the disk of
# ${TMPDIR:-/tmp}. PROGRAM is build/release/bench/commit_bench unless named.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
program="${1:-$root/build/release/bench/commit_bench}"
bin="$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)"
[[ -x $program && -n $bin ]] || {
    echo "needs $program (cmake --build --preset release --target commit_bench) and PostgreSQL" >&2
    exit 1
}
work="$(mktemp -d)"
chmod 755 "$work"
mkdir "$work/bench" "$work/server"
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
"${user[@]}" "$bin/initdb" -D "$work/server/data" -A trust -U colophon -E UTF8 --locale=C -N >/dev/null
"${user[@]}" "$bin/postgres" -D "$work/server/data" -k "$work/server" -c listen_addresses= \
    -c log_min_messages=fatal >/dev/null 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$work/server" -U colophon; do sleep 0.2; done
"$program" "$work/bench" "postgres://colophon@/postgres?host=$work/server"
