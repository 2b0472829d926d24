#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service manager, as far as sd_notify(3) and sd_listen_fds(3) go: opens a socket, starts a program
with it, and says what the program tells. Calls the service through the socket before it is told to
reload, and once more before it is told to end.

usage: service_manager.py FOLDER PROGRAM ARGUMENT..."""

import os
import signal
import socket
import sys
import urllib.request

folder, program = sys.argv[1], sys.argv[2:]
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(os.path.join(folder, "notify"))
told.settimeout(30)

child = os.fork()
if child == 0:
    os.dup2(listening.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=os.path.join(folder, "notify"))
    os.execv(program[0], program)
port = listening.getsockname()[1]
listening.close()


def wait_for(state):
    while True:
        words = told.recv(4096).decode().split("\n")
        print("told", *words, flush=True)
        if state in words:
            return


def call(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        print("answer", answer.read().decode().strip(), flush=True)


try:
    wait_for("READY=1")
    call("/healthz")
    os.kill(child, signal.SIGHUP)
    wait_for("RELOADING=1")
    wait_for("READY=1")
    call("/readyz")
    os.kill(child, signal.SIGTERM)
    wait_for("STOPPING=1")
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
except Exception as error:
    print("failed", repr(error))
    os.kill(child, signal.SIGKILL)
