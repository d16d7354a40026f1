# SPDX-License-Identifier: MIT
"""A real sshd on a high port of 127.0.0.1, in the foreground, with keys and accounts of its own.

If the tests run as root, clients log in as `tunnel`, who exists only in the tests' private /etc (cli/lib/namespace.py),
and pam_ask.c checks passwords and answers. Otherwise they log in as the user of the test run, and only keys work.
`Keys` makes key pairs, each in a file of its own."""
import collections
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import zlib
from pathlib import Path

from . import process

HERE = Path(__file__).resolve().parent
USER = "tunnel"
HOST_KEYS = ("ed25519", "ecdsa", "rsa")
CONFIG = """ListenAddress {address}:{port}
PidFile none
StrictModes no
LogLevel VERBOSE
UseDNS no
X11Forwarding no
PrintMotd no
PermitRootLogin no
AuthorizedKeysFile {folder}/authorized_keys
GatewayPorts no
MaxStartups 1000
Subsystem sftp internal-sftp
"""
PAM = "auth required {module} {folder}/questions\naccount required pam_permit.so\nsession required pam_permit.so\n"


def program():
    """The program that sshd-fetch extracted from its package, or the installed one."""
    fetched = process.cache_dir() / "sshd" / "sshd"
    return fetched if fetched.exists() else process.need("/usr/sbin/sshd")


def of_release(service):
    """Lines of sshd_config for OpenSSH 9.8 and later: the programs that sshd runs, the PAM service (which is no longer
    named after the program), and no penalties, so that failed logins of one test do not block the next one."""
    folder = program().parent if program().parent != Path("/usr/sbin") else Path("/usr/lib/openssh")
    if not (folder / "sshd-session").exists():
        return ""
    auth = f"SshdAuthPath {folder}/sshd-auth\n" if (folder / "sshd-auth").exists() else ""
    return f"SshdSessionPath {folder}/sshd-session\n{auth}PAMServiceName {service}\nPerSourcePenalties no\n"


def user():
    return USER if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


class Keys:
    """make("ed25519") is the path of a private key; beside it are .pub and, after sign(), -cert.pub."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        process.need("/usr/bin/ssh-keygen")
        self.made = collections.Counter()

    def make(self, kind="ed25519", passphrase="", options=()):
        """Keys are kept in the tests' cache. Each call in a run returns another key."""
        name = f"{kind}-{zlib.crc32(repr((passphrase, options)).encode()):x}" if passphrase or options else kind
        self.made[name] += 1
        path = self.folder / f"{name}-{self.made[name]}"
        args = ["-q", "-t", kind, *(["-b", "2048"] if kind == "rsa" else []), "-N", passphrase, "-C", path.name, *options]

        def generate(folder):
            folder.mkdir()
            self.keygen(*args, "-f", folder / path.name)
        for made in process.cached("keys", *args, make=generate).iterdir():
            shutil.copy(made, self.folder)
        return path

    def sign(self, ca, key, *options):
        """Makes a certificate of CA for KEY, in a file beside it."""
        self.keygen("-q", "-s", ca, "-I", "test", *options, f"{key}.pub")

    def keygen(self, *args):
        return subprocess.run(["ssh-keygen", *map(str, args)], check=True, capture_output=True, text=True).stdout

    def fingerprint(self, key):
        return self.keygen("-lf", f"{key}.pub").split()[1]


class Sshd:
    """host_keys: kinds, or paths of keys that were made. lines: more of sshd_config. questions: what PAM asks, as
    [(question, answer, "hide" or "echo")]; None: no PAM, and keys only."""
    host = "127.0.0.1"

    def __init__(self, folder, keys, host_keys=HOST_KEYS, lines=(), questions=None, port=None, address="127.0.0.1"):
        self.folder, self.keys, self.user = folder, keys, user()
        self.log, self.port, self.address = folder / "log", port or process.free_port(), address
        folder.mkdir(parents=True)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # in our own /run
        self.host_keys = {}
        for key in host_keys:
            self.host_keys[key if isinstance(key, str) else key.name.partition("-")[0]] = keys.make(key) if isinstance(key, str) else key
        text = CONFIG.format(address=address, port=self.port, folder=folder)
        text += "".join(f"HostKey {path}\n" for path in self.host_keys.values())
        text += "".join(f"HostCertificate {path}-cert.pub\n" for path in self.host_keys.values()
                        if Path(f"{path}-cert.pub").exists())
        self.program = program()
        text += of_release(f"sshd-{self.port}")
        text += "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n" if questions is None else self._pam(questions)
        self.config = folder / "config"
        self.config.write_text("".join(line + "\n" for line in lines) + text)  # the first value of a keyword counts
        self.authorize()
        self.start()

    def _pam(self, questions):
        """Up to OpenSSH 9.7 the PAM service is named after the program, so each sshd runs under a name of its own."""
        if os.getuid():
            raise process.Missing("root, for an sshd with passwords")
        module = self.folder / "pam_ask.so"
        subprocess.run([process.need(shutil.which("cc") or "/usr/bin/cc"), "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                        "-shared", "-fPIC", "-o", module, HERE / "pam_ask.c"], check=True)
        name = f"sshd-{self.port}"
        self.ask(questions)
        (self.folder / name).symlink_to(self.program)
        self.program = self.folder / name
        Path(f"/etc/pam.d/{name}").write_text(PAM.format(module=module, folder=self.folder))
        return "UsePAM yes\n"

    def ask(self, questions):
        (self.folder / "questions").write_text("".join("\t".join(row) + "\n" for row in questions))

    def authorize(self, *keys, options=""):
        """Accepts only KEYS from now on."""
        lines = [f"{options} {Path(f'{key}.pub').read_text()}".lstrip() for key in keys]
        (self.folder / "authorized_keys").write_text("".join(lines))

    def known(self, *kinds, name=None):
        """known_hosts lines of its keys (default: all)."""
        place = name or f"[{self.host}]:{self.port}"
        return "".join(f"{place} " + " ".join(Path(f"{self.host_keys[kind]}.pub").read_text().split()[:2]) + "\n"
                       for kind in kinds or self.host_keys)

    def fingerprint(self, kind):
        return self.keys.fingerprint(self.host_keys[kind])

    def start(self):
        """Starts sshd; after stop(), on the same port again."""
        self.proc = process.start([self.program, "-D", "-e", "-f", self.config], self.log)
        process.wait_until(lambda: self.said(f"listening on {self.address} port {self.port}"), self.proc, self.log)
        self.mark = len(self.read())

    def read(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def said(self, text, since=None):
        """Whether its log has TEXT since its last start, or since the offset SINCE."""
        return text in self.read()[getattr(self, "mark", 0) if since is None else since:]

    def sessions(self):
        """The pids below sshd: two for each session that is logged in."""
        return descendants(self.proc.pid)

    def all_said(self):
        """Its log, once no session is left that could still write to it."""
        deadline = time.monotonic() + 20
        while self.sessions():
            assert time.monotonic() < deadline, "a session that does not end"
            time.sleep(0.01)
        return self.read()

    def drop(self):
        """Ends every session; sshd continues to listen."""
        end(self._suspended())

    def _suspended(self):
        """Suspends all processes below sshd, including those that are forked meanwhile, as for a new login; returns
        them."""
        below = []
        while fresh := [pid for pid in self.sessions() if pid not in below]:
            send(signal.SIGSTOP, fresh)
            below += fresh
        return below

    def stop(self):
        send(signal.SIGSTOP, [self.proc.pid])
        below = self._suspended()
        process.stop(self.proc)
        end(below)
        self.mark = len(self.read())

    def restart(self):
        self.stop()
        self.start()


def descendants(root):
    """The pids below ROOT."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stat:
            parents[int(pid)] = int(stat.read().rpartition(b")")[2].split()[1])
    below, fresh = [], {root}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
        below += fresh
    return below


def send(number, pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end(pids):
    """Kills the processes; those that are children of this process, which is a subreaper, are waited for."""
    send(signal.SIGKILL, pids)
    for pid in pids:
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass


class Agent:
    """An ssh-agent with KEYS, in this order; `env` is what its clients need."""

    def __init__(self, folder, *keys):
        folder.mkdir(parents=True, mode=0o700)
        self.socket = folder / "agent"
        self.proc = process.start([process.need("/usr/bin/ssh-agent"), "-D", "-a", self.socket], folder / "log")
        process.wait_until(self._listens, self.proc, folder / "log")
        self.env = {"SSH_AUTH_SOCK": str(self.socket)}
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True, env={**os.environ, **self.env})

    def _listens(self):
        """Whether it accepts connections; its socket file exists slightly earlier."""
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(self.socket)) == 0

    def stop(self):
        process.stop(self.proc)
