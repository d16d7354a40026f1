# SPDX-License-Identifier: MIT
"""A private /etc and /run for the test run.

`enter()` puts this process into a mount namespace of its own, where /etc and /run are overlays: what a test writes
there (names in /etc/hosts, /etc/broker/config, /etc/my.cnf, /run/mysqld/mysqld.sock, accounts) is seen only by the
processes that it starts, and disappears with them. Root needs nothing else; any other user gets a user namespace, and
keeps the same uid in it. The names of servers/pki.py resolve to 127.0.0.1 here: to a client they are remote hosts. No
name server is asked, so that no test waits for one."""
import ctypes
import os
from pathlib import Path

from servers.pki import RIGHT_NAME, WRONG_NAME
from servers.sshd import USER

ACCOUNTS = {"sshd": "sshd:x:54322:65534::/run/sshd:/usr/sbin/nologin", USER: f"{USER}:x:54323:54323::/nonexistent:/bin/sh"}
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE, MNT_DETACH = 16384, 1 << 18, 2
LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source, target, kind, flags=0, options=""):
    _check(LIBC.mount(source.encode(), str(target).encode(), kind and kind.encode(), flags, options.encode()), f"mount {target}")


def enter(folder):
    """Raises OSError if the machine does not allow it. FOLDER becomes a tmpfs for the files that are written."""
    uid, gid = os.getuid(), os.getgid()
    _check(LIBC.unshare(CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)), "unshare")
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    folder.mkdir(parents=True, exist_ok=True)
    _mount("tmpfs", folder, "tmpfs", options="mode=755")
    hosts = Path("/etc/hosts")  # may be missing in a minimal system
    hosts = hosts.read_text() if hosts.exists() else "127.0.0.1 localhost\n::1 localhost\n"
    for name, dirs in (("etc", ["broker", "mysql"]), ("run", ["mysqld"])):
        upper, work = folder / name, folder / (name + ".work")
        for path in [upper, work, *(upper / d for d in dirs)]:
            path.mkdir()
        if name == "etc":
            (upper / "hosts").write_text(f"{hosts}\n127.0.0.1 {RIGHT_NAME} {WRONG_NAME}\n")
            (upper / "passwd").write_text(accounts(Path("/etc/passwd").read_text()))
            (upper / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
        _mount("overlay", "/" + name, "overlay", options=f"lowerdir=/{name},upperdir={upper},workdir={work}")


def accounts(text, home=None):
    """An /etc/passwd with the accounts that an sshd needs. HOME: the test user's; ssh reads it here, not from $HOME."""
    lines = [line.split(":") for line in text.splitlines()]
    known = {line[0] for line in lines}
    lines += [text.split(":") for name, text in ACCOUNTS.items() if name not in known]
    if home:
        lines = [[*line[:5], str(home), *line[6:]] if line[2] == str(os.getuid()) else line for line in lines]
    return "".join(":".join(line) + "\n" for line in lines)


def leave(folder):
    """Unmounts FOLDER, so that it can be removed; /etc and /run stay private for as long as the process lives."""
    _check(LIBC.umount2(str(folder).encode(), MNT_DETACH), "umount")


class Etc:
    """The files of a test in the private /etc or /run; `undo()` restores the former ones."""

    def __init__(self):
        self.before = {}

    def write(self, path, data, mode=0o644):
        """PATH is absolute. The folder must exist: /etc/broker, /etc/mysql and /run/mysqld do."""
        path = Path(path)
        assert path.parts[1] in ("etc", "run")
        self.before.setdefault(path, path.read_bytes() if path.is_file() else None)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        path.chmod(mode)
        return path

    def link(self, path, target):
        """A symbolic link, as for a socket at its usual place."""
        path = Path(path)
        assert path.parts[1] in ("etc", "run") and not path.exists()
        self.before[path] = None
        path.symlink_to(target)

    def undo(self):
        for path, data in self.before.items():
            if data is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(data)
        self.before.clear()
