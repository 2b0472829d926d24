#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What connections cost that do nothing: memory of the gateway for each of those it keeps, what
# becomes of those beyond server.connections_max, and whether a call is answered meanwhile. The
# gateway keeps no more than the system lets it have open files; each client opens 10,000.
#
#   bench/gateway/idle.sh [CONNECTIONS] [CONNECTIONS_MAX]

# shellcheck source=bench/lib.sh
source "$(dirname "$0")/../lib.sh"
connections=${1:-100000}
ulimit -n "$(ulimit -H -n)"
most=${2:-$(($(ulimit -n) - 500))}
end() {
    [ -z "${serve:-}" ] || kill "$serve" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
cd "$work"
cat >colophon.toml <<END
[label]
producer = "$producer"
[server]
access_log = "none"
connections_max = $most
idle_seconds = 600
head_seconds = 600
per_peer_max = $most
END
"$colophon" admin init >/dev/null
"$colophon" serve --address 127.0.0.1:0 2>serve.log &
serve=$!
until grep -q listening serve.log; do sleep 0.1; done
at=$(sed -n 's/.*listening on //p' serve.log)
python3 - "$connections" "${at##*:}" "$serve" <<'END'
import multiprocessing, socket, sys, time, urllib.request

count, port, process = (int(text) for text in sys.argv[1:4])


def memory():
    for line in open(f"/proc/{process}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def seconds_of_a_call():
    began = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30).read()
    return time.perf_counter() - began


def tell_call(when):
    try:
        print(f"{when:9} {memory()} kB, a call {seconds_of_a_call() * 1000:.1f} ms", flush=True)
    except OSError as error:
        print(f"{when:9} {memory()} kB, a call: {error}", flush=True)


# One client, in a process of its own: opens `share` connections, says how many are open when the
# others are done too, and keeps them until it is told to end.
def client(number, share, ready, go):
    kept, refused = [], 0
    for _ in range(share):
        connection = socket.socket()
        connection.settimeout(10)
        connection.bind((f"127.0.1.{number + 1}", 0))
        try:
            connection.connect(("127.0.0.1", port))
            kept.append(connection)
        except OSError:
            refused += 1
    ready.put((len(kept), refused))
    go.wait()
    time.sleep(2)
    closed = 0
    for connection in kept:
        connection.setblocking(False)
        try:
            closed += connection.recv(1) == b""
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    ready.put(closed)
    go.wait()
    time.sleep(5)


each = 10000
before = memory()
tell_call("before")
ready, go = multiprocessing.Queue(), multiprocessing.Event()
shares = [min(each, count - start) for start in range(0, count, each)]
clients = [
    multiprocessing.Process(target=client, args=(i, share, ready, go))
    for i, share in enumerate(shares)
]
began = time.perf_counter()
for one in clients:
    one.start()
answers = [ready.get() for _ in clients]
took = time.perf_counter() - began
go.set()
closed = sum(ready.get() for _ in clients)
kept = sum(open_now for open_now, _ in answers) - closed
refused = sum(refused for _, refused in answers)
during = memory()
print(f"opened    {count} in {took:.1f} s: {kept} kept, {closed} closed at once, {refused} refused")
print(f"memory    {during} kB, {(during - before) / max(kept, 1):.2f} kB for each that is kept")
tell_call("meanwhile")
for one in clients:
    one.join()
time.sleep(1)
tell_call("after")
END
