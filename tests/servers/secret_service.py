# SPDX-License-Identifier: MIT
"""A private Secret Service: a session bus without service activation, and gnome-keyring on it with a private home. The
collection is unlocked; `lock()` locks it, after which it cannot be unlocked, because there is no desktop for the
prompt. `SilentBus` is a bus that accepts connections and never answers."""
import os
import socket
import subprocess
import threading

from . import process
from .relay import stop_listening

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy>
</busconfig>
"""
COLLECTION = "/org/freedesktop/secrets/collection/login"


class SecretService:
    """`env` is what a client needs to find it; `store`, `lookup`, `clear` take attributes as a dict. WRAP: arguments
    before the programs that run them as another user, who owns FOLDER's parent; it then serves every user."""

    def __init__(self, folder, keyring=True, wrap=()):
        self.folder, self.wrap = folder, list(wrap)
        (folder / "run").mkdir(parents=True, mode=0o700)
        path, self.log = folder / "run" / "bus", folder / "log"
        self.env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}
        (folder / "bus.conf").write_text(BUS.format(path=path))
        if wrap:
            for part in (folder, folder / "run"):
                owner = folder.parent.stat()
                os.chown(part, owner.st_uid, owner.st_gid)
                part.chmod(0o755)
        self.bus = process.start([*wrap, process.need("/usr/bin/dbus-daemon"), "--nofork", "--nosyslog",
                                  f"--config-file={folder}/bus.conf"], self.log)
        process.wait_until(path.exists, self.bus, self.log)
        self.keyring = self._start_keyring() if keyring else None

    def _start_keyring(self):
        private = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder / "run"), "PATH": os.environ["PATH"]}
        password = self.folder / "password"
        password.write_text("fake-keyring-password")
        with open(password) as stdin:
            proc = process.start([*self.wrap, process.need("/usr/bin/gnome-keyring-daemon"), "--foreground", "--unlock",
                                  "--components=secrets"], self.log, stdin=stdin, env={**private, **self.env})
        process.wait_until(lambda: self.call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias",
                                             "string:default"), proc, self.log)
        return proc

    def call(self, path, method, *args):
        """The service's answer to one call of dbus-send, or False after an error.

        The timeout is long, because gnome-keyring-daemon aborts if the caller has exited when it reads a property."""
        done = subprocess.run([*self.wrap, "dbus-send", "--session", "--print-reply=literal", "--reply-timeout=60000",
                               "--dest=org.freedesktop.secrets", path, method, *args],
                              env={**os.environ, **self.env}, capture_output=True)
        return done.returncode == 0 and done.stdout.strip()

    def lock(self):
        self.call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", f"array:objpath:{COLLECTION}")
        assert self.locked()

    def locked(self):
        return self.call(COLLECTION, "org.freedesktop.DBus.Properties.Get", "string:org.freedesktop.Secret.Collection",
                         "string:Locked").endswith(b"true")

    def _tool(self, verb, attributes, *options, data=b""):
        words = [word for pair in attributes.items() for word in pair]
        return subprocess.run([*self.wrap, process.need("/usr/bin/secret-tool"), verb, *options, *words], input=data,
                              env={**os.environ, **self.env}, capture_output=True, timeout=10)

    def store(self, label, secret, attributes):
        done = self._tool("store", attributes, f"--label={label}", data=secret)
        assert done.returncode == 0, done.stderr

    def lookup(self, attributes):
        """The secret's bytes, or None."""
        done = self._tool("lookup", attributes)
        return done.stdout if done.returncode == 0 else None

    def clear(self, attributes):
        return self._tool("clear", attributes).returncode == 0

    def search(self, attributes):
        """The output of secret-tool for all items that match: labels, attributes, secrets."""
        done = self._tool("search", attributes, "--all")
        return done.stdout + done.stderr

    def stop(self):
        for proc in (self.keyring, self.bus):
            if proc:
                process.stop(proc)


class SilentBus:
    """A session bus that accepts connections and never sends anything."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.env = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus"}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "bus"))
        self.listener.listen()
        self.open = []
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                self.open.append(self.listener.accept()[0])
            except OSError:
                return

    def stop(self):
        stop_listening(self.listener, self.acceptor)
        for s in self.open:
            s.close()
