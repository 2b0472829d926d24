#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a text call through the gateway costs: processor time of the gateway for each authenticated,
# reviewed, labelled and recorded call, and the time it adds; beside the upstream alone and, where
# they are there, beside nginx as a plain proxy and Portkey's gateway: plain, and ("guarded") looking
# for a hundred words in what is asked and answered by its own guardrail, where Colophon looks for
# 20,000. Then many slow streams at once, each of them read to its end and compared. All in one run,
# on the same upstream.
#
#   npm install --prefix FOLDER --ignore-scripts @portkey-ai/gateway@1.15.2
#   PORTKEY=FOLDER bench/gateway/calls.sh [SECONDS] [CONCURRENCY] [STREAMS]

seconds=${1:-5} concurrency=${2:-64} streams=${3:-2000}
# shellcheck source=bench/gateway/serve.sh
source "$(dirname "$0")/serve.sh"

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
portkey=${PORTKEY:+$PORTKEY/node_modules/@portkey-ai/gateway/build/start-server.js}
if [ -n "$portkey" ]; then
    NODE_ENV=production node "$portkey" --headless --port=18932 >portkey.log 2>&1 &
    portkey=$!
    pids+=("$portkey")
    until curl -s -o body http://127.0.0.1:18932/; do sleep 0.2; done
    words=$(awk 'BEGIN { for (i = 0; i < 100; ++i) printf "%s\"forbidden-word-%d\"", i ? "," : "", i }')
    guard="{\"default.contains\":{\"operator\":\"none\",\"words\":[$words]},\"deny\":true}"
    guarded="{\"provider\":\"openai\",\"custom_host\":\"http://$up/v1\",\"input_guardrails\":[$guard],"
    guarded+="\"output_guardrails\":[$guard]}"
fi

# one NAME BODY SECONDS CONCURRENCY: a line of what the load generator measured.
one() {
    local name=$1 body=$2
    shift 2
    case $name in
        upstream) "$load" --text "$text" "http://$up/v1/chat/completions" x "$body.json" "$@" ;;
        nginx) "$load" --text "$text" http://127.0.0.1:18931/v1/chat/completions x "$body.json" "$@" "$nginx" ;;
        portkey)
            "$load" --text "$text" --header x-portkey-provider:openai \
                --header "x-portkey-custom-host:http://$up/v1" \
                http://127.0.0.1:18932/v1/chat/completions x "$body.json" "$@" "$portkey"
            ;;
        guarded)
            "$load" --text "$text" --header "x-portkey-config:$guarded" \
                http://127.0.0.1:18932/v1/chat/completions x "$body.json" "$@" "$portkey"
            ;;
        colophon) "$load" --text "$text" "$at/v1/chat/completions" "$key" "$body.json" "$@" "$serve" ;;
    esac
}
names=(upstream ${nginx:+nginx} ${portkey:+portkey guarded} colophon)

printf 'load %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
for round in 1 2 3; do
    for body in call stream; do
        for name in "${names[@]}"; do
            printf '%s %-6s %-8s %s\n' "$round" "$body" "$name" "$(one "$name" "$body" "$seconds" "$concurrency")"
        done
    done
done
for name in "${names[@]}"; do
    printf 'alone    %-8s %s\n' "$name" "$(one "$name" call "$seconds" 1)"
done
printf 'one sync %s\n' "$(python3 -c '
import os, time
file = os.open("synced", os.O_WRONLY | os.O_CREAT)
times = []
for _ in range(300):
    os.write(file, b"x" * 400)
    began = time.perf_counter()
    os.fdatasync(file)
    times.append(time.perf_counter() - began)
print("%.3f ms, median of 300" % (sorted(times)[150] * 1000))')"

# A word every 20 ms.
text=$(seq -f 'word-%g' 1 100 | tr '\n' ' ')
printf '{"model":"paced-20","user":"alice","stream":true,"messages":[{"role":"user","content":"%s"}]}' "$text" >paced.json
before=$(memory)
one colophon paced 10 "$streams" >paced.out &
busy=$!
sleep 5
during=$(memory)
wait "$busy" || true
printf 'streams  %s at once: %s\n' "$streams" "$(cat paced.out)"
printf 'memory   %s kB before, %s kB with %s streams: %s kB a stream\n' "$before" "$during" "$streams" \
    "$(((during - before) / streams))"
