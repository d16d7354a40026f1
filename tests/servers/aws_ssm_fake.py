#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""A fake of `aws ssm start-session` for port forwarding, and of the session-manager-plugin that it starts: two
programs, like the real ones. The second one forwards to the host and port of its parameters. The file `told.json`
beside them configures what else they do (see SsmFake), and `pids` lists their pids.

They do not contact AWS: tests use them to check how broker handles a tunnel program that opens a port."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
READY = "Waiting for connections..."
COMMAND = ("aws ssm start-session --target i-0123 --document-name AWS-StartPortForwardingSessionToRemoteHost --parameters "
           """'{"host":["{host}"],"portNumber":["{port}"],"localPortNumber":["{local_port}"]}'""")


class SsmFake:
    """Puts both programs into FOLDER, which is on PATH. tell(...) configures their next runs: delay (seconds before the
    plugin listens), until (a path that must exist before), listen (False: never), die (a message on stderr, then exit
    status 254), die_later (the same, once it has listened), early (prints the line READY before it listens),
    ignore_term, quiet (no READY)."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("aws", "session-manager-plugin"):
            with open(__file__) as source:
                (folder / name).write_text(source.read())
            (folder / name).chmod(0o700)
        self.tell()

    def tell(self, **told):
        (self.folder / "told.json").write_text(json.dumps(told))

    @property
    def pids(self):
        """The pids of all runs so far."""
        path = self.folder / "pids"
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def note_pid():
    with open(HERE + "/pids", "a") as pids:
        pids.write(f"{os.getpid()}\n")


def told():
    with open(HERE + "/told.json") as f:
        return json.load(f)


def aws(args):
    """Checks the arguments as the CLI would, and waits for the plugin; like the CLI it leaves Ctrl-C to the plugin."""
    parameters = json.loads(args[args.index("--parameters") + 1])
    assert args[:2] == ["ssm", "start-session"] and "--target" in args and "--document-name" in args
    how = told()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if how.get("ignore_term"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if how.get("die"):
        sys.stderr.write(how["die"] + "\n")
        return 254
    plugin = subprocess.Popen([HERE + "/session-manager-plugin", json.dumps(parameters), "eu-west-1", "StartSession"])
    return plugin.wait()


def plugin(args):
    parameters, how = json.loads(args[0]), told()
    if how.get("ignore_term"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("\nStarting session with SessionId: fake-0123", flush=True)
    if how.get("early") and not how.get("quiet"):
        print(READY, flush=True)
    time.sleep(how.get("delay", 0))
    while how.get("until") and not os.path.exists(how["until"]):
        time.sleep(0.01)
    while how.get("listen") is False:
        time.sleep(1)
    listener = socket.create_server(("127.0.0.1", int(parameters["localPortNumber"][0])), backlog=1024)
    if not how.get("early") and not how.get("quiet"):
        print(READY, flush=True)
    target = parameters["host"][0], int(parameters["portNumber"][0])
    if how.get("die_later"):
        sys.stderr.write(how["die_later"] + "\n")
        return 254
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, target), daemon=True).start()


def serve(client, target):
    try:
        server = socket.create_connection(target)
    except OSError:
        client.close()
        return
    for s in (client, server):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    up = threading.Thread(target=copy, args=(client, server), daemon=True)
    up.start()
    copy(server, client)
    up.join()
    client.close()
    server.close()


def copy(source, sink):
    try:
        while data := source.recv(262144):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


if __name__ == "__main__":
    note_pid()
    sys.exit((aws if os.path.basename(sys.argv[0]) == "aws" else plugin)(sys.argv[1:]))
