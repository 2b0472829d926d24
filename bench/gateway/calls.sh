#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a text call through the gateway costs: processor time of the gateway for each authenticated,
# reviewed, labelled and recorded call, and the time it adds; beside the upstream alone and, where
# nginx is installed, beside nginx as a plain proxy. All in one run, on the same upstream.
#
#   bench/gateway/calls.sh [SECONDS] [CONCURRENCY]

# shellcheck source=bench/lib.sh
source "$(dirname "$0")/../lib.sh"
seconds=${1:-5} concurrency=${2:-64}
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

if command -v nginx >/dev/null; then
    cat >nginx.conf <<END
worker_processes 1; pid nginx.pid; error_log stderr crit; daemon off; master_process off;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000;
upstream bench { server $up; keepalive 256; }
server { listen 127.0.0.1:18931; location / { proxy_pass http://bench; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_buffering off; } } }
END
    nginx -p "$work" -c nginx.conf &
    nginx=$!
    pids+=("$nginx")
    sleep 0.5
fi
printf 'load %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
for round in 1 2 3; do
    for body in call stream; do
        printf '%s %s upstream %s\n' "$round" "$body" "$("$load" "http://$up/v1/chat/completions" x $body.json "$seconds" "$concurrency")"
        [ -z "${nginx:-}" ] || printf '%s %s nginx    %s\n' "$round" "$body" \
            "$("$load" http://127.0.0.1:18931/v1/chat/completions x $body.json "$seconds" "$concurrency" "$nginx")"
        printf '%s %s colophon %s\n' "$round" "$body" \
            "$("$load" "$at/v1/chat/completions" "$key" $body.json "$seconds" "$concurrency" "$serve")"
    done
done
printf 'alone  upstream %s\n' "$("$load" "http://$up/v1/chat/completions" x call.json "$seconds" 1)"
printf 'alone  colophon %s\n' "$("$load" "$at/v1/chat/completions" "$key" call.json "$seconds" 1 "$serve")"
printf 'memory %s kB\n' "$(awk '/VmRSS/ { print $2 }' "/proc/$serve/status")"
