# SPDX-License-Identifier: MIT
"""A stand-in for a client: a program of any name that records how it was called, then ends, or execs the real one.

The record is a dict: `argv` (without the program), `environ` (as in /proc), `stdin` (unless that is a terminal, or it
execs another program), `options` (the contents of --defaults-file; reading consumes them, so not if it execs another
program), `fds` (what its descriptors are), `parents` (argv of all ancestors up to the test run) and `pid`. All values
are Latin-1 text, one character a byte."""
import json
from pathlib import Path

PROGRAM = r'''#!/usr/bin/python3 -IS
import json, os, sys
path = os.path.realpath(sys.argv[0])
with open(path + ".json") as f:
    told = json.load(f)
def read(name):
    try:
        with open(name, "rb") as f:
            return f.read().decode("latin1")
    except OSError:
        return None
argv = [os.fsencode(a).decode("latin1") for a in sys.argv[1:]]
if argv[:1] == ["--version"] or argv[:1] == ["-V"]:
    print(told["version"])
    sys.exit(0)
seen = {"argv": argv, "environ": read("/proc/self/environ"), "pid": os.getpid(), "parents": [], "fds": {}}
for fd in os.listdir("/proc/self/fd"):
    try:
        seen["fds"][fd] = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        pass
pid = os.getppid()
while pid > 1 and pid != told["root"]:
    seen["parents"].append(read("/proc/%d/cmdline" % pid))
    pid = int((read("/proc/%d/stat" % pid) or ") S 0").rpartition(")")[2].split()[1])
if not told["become"]:
    for a in argv:
        if a.startswith("--defaults-file="):
            seen["options"] = read(a.partition("=")[2])
    if told["read_stdin"] and not os.isatty(0):
        seen["stdin"] = read("/dev/stdin")
with open(path + ".part", "w") as f:
    json.dump(seen, f)
os.rename(path + ".part", path + ".seen")
if told["become"]:
    os.execv(told["become"], [told["become"]] + [os.fsencode(a) for a in sys.argv[1:]])
sys.stdout.write(told["stdout"])
sys.stdout.flush()
sys.stderr.write(told["stderr"])
sys.stderr.flush()
if told["signal"]:
    os.kill(os.getpid(), told["signal"])
sys.exit(told["exit"])
'''
VERSIONS = {
    "mysql9": "mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)",
    "mariadb1011": "mysql  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper",
    "mariadb118": "mariadb from 11.8.9-MariaDB, client 15.2 for debian-linux-gnu (x86_64) using  EditLine wrapper",
}


class Stub:
    def __init__(self, folder, name, root, version="mysql9", become=None, exit=0, signal=0, stdout="", stderr="",
                 read_stdin=True):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self.path.write_text(PROGRAM)
        self.path.chmod(0o755)
        told = {"version": VERSIONS.get(version, version), "become": become and str(become), "exit": exit,
                "signal": signal, "stdout": stdout, "stderr": stderr, "root": root, "read_stdin": read_stdin}
        Path(f"{self.path}.json").write_text(json.dumps(told))

    @property
    def seen(self):
        """The last call, or None."""
        path = Path(f"{self.path}.seen")
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def environ(self):
        """The environment of the last call as {name: value}."""
        return dict(line.split("=", 1) for line in self.seen["environ"].split("\0") if "=" in line)
