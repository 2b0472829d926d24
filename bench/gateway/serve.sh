# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the benchmarks of calls: a bench upstream ($up, its address), a gateway in front of it
# ($at; $serve, its process; $key) and bodies of calls with $text as the last message.
# shellcheck disable=SC2034  # names for those who source it

# shellcheck source=bench/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
upstream=$root/build/release/bench_upstream load=$root/build/release/bench_load
for program in "$upstream" "$load"; do
    [ -x "$program" ] || {
        echo "no $program: cmake --build --preset release --target bench_upstream bench_load" >&2
        exit 1
    }
done
pids=()
end() {
    kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
cd "$work"
ulimit -n "$(ulimit -H -n)"
"$upstream" >upstream.port &
pids+=($!)
until [ -s upstream.port ]; do sleep 0.1; done
up=127.0.0.1:$(<upstream.port)
awk 'BEGIN { for (i = 0; i < 20000; ++i) printf "forbidden-word-%d\n", i }' >words
cat >colophon.toml <<END
[label]
producer = "$producer"
[server]
access_log = "none"
[review]
words = "words"
[[upstream]]
name = "bench"
url = "http://$up/v1"
[[model]]
name = "echo"
upstream = "bench"
[[model]]
name = "paced-20"
upstream = "bench"
END
"$colophon" admin init >/dev/null
"$colophon" admin tenant create demo >/dev/null
"$colophon" admin subject add demo alice >/dev/null
export MOBILE=13800138000
code=$("$colophon" admin subject mobile demo alice --number env:MOBILE --json | sed 's/.*"code":"\([0-9]*\)".*/\1/')
"$colophon" admin subject mobile demo alice --number env:MOBILE --code "$code" >/dev/null
key=$("$colophon" admin key create demo --json | sed 's/.*"secret":"\([^"]*\)".*/\1/')
"$colophon" serve --address 127.0.0.1:0 2>serve.log &
serve=$!
pids+=("$serve")
until grep -q listening serve.log; do sleep 0.1; done
at=$(sed -n 's/.*listening on //p' serve.log)
text='The evening sun goes down behind the hills, and the river carries its light to the sea.'
printf '{"model":"echo","user":"alice","messages":[{"role":"user","content":"%s"}]}' "$text" >call.json
printf '{"model":"echo","user":"alice","stream":true,"messages":[{"role":"user","content":"%s"}]}' "$text" >stream.json

# Resident memory of the gateway in kB.
memory() { awk '/VmRSS/ { print $2 }' "/proc/$serve/status"; }
