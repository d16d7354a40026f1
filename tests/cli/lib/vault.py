# SPDX-License-Identifier: MIT
"""Helpers for the tests of Vault: a profile `w` for an Area (servers/vault.py) or a fake, verbs that use it with a
kernel keyring of the test, and the user with a browser."""
import json
import os
import re
import urllib.parse
from dataclasses import dataclass

from servers import process
from servers.openid import Browser

from .clock import need_movable
from .forwards import until
from .logins import profile

HIDE = b"\r\x1b[K"  # erases the line that is shown during a wait
WHO = "select current_user()"


@dataclass
class Lease:
    user: str
    password: str


class Desk:
    """A user's session: runs verbs in KEYRING. vault: has `front` (servers/vault_front.py), `path`, `database`.

    callback: the port of the login's listener."""

    def __init__(self, broker, keyring, vault):
        self.broker, self.keyring, self.vault = broker, keyring, vault
        self.callback, self.browser = process.free_port(), Browser()
        self.configure()

    def configure(self, text="", **keys):
        """Writes the profile `w` for the Area's database, with KEYS (without those of None), and TEXT after it."""
        database = self.vault.database
        self.keys = {"host": database.host, "port": database.port, "auth": "vault", "vault_addr": self.vault.front.url,
                     "vault_path": self.vault.path, "vault_callback": f"localhost:{self.callback}", **keys}
        self.broker.config(profile("w", **self.keys) + text)

    def run(self, *args, ahead=0, env={}, **more):
        """AHEAD: seconds by which the program's clock is ahead of Vault's (negative: behind it)."""
        wrap = [*self.keyring.wrap, *more.pop("wrap", ())]
        if ahead:
            need_movable()
            env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0", **env}
            wrap += ["/usr/bin/faketime", "-f", f"{ahead:+d}s"]
        return self.broker.run(*args, wrap=wrap, env=env, **more)

    def pty(self, *args, env={}, **more):
        """Runs broker on a terminal, with a display; the browser is a script that records the URL."""
        self.broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
        env = {"BROWSER": "see", "DISPLAY": ":9", **env}
        return self.broker.pty(*args, env=env, wrap=[*self.keyring.wrap, *more.pop("wrap", ())], **more)

    def ask(self, *args, **more):
        """Runs a program that needs the credential, without a terminal."""
        return self.run("exec", "w", *args, "--", "true", **more)

    def lease(self, *args, **more):
        """The Lease that exec gives to a program which logs in by itself; asserts that there is no message."""
        script = 'printf "%s\\n%s" "$MYSQL_USER" "$MYSQL_PWD"'
        done = self.run("exec", "w", "-o", "login=client", *args, "--", "sh", "-c", script, secret_out=True, **more)
        assert done.code == 0 and not done.err, (done.code, done.errors)
        return Lease(*done.text.splitlines())

    def sessions(self):
        """The sessions that broker keeps, as {kind: row of status --json}."""
        return {row["kind"]: row for row in json.loads(self.run("status", "--json").text)["sessions"]}

    def invited(self, tty):
        """The URL that TTY asks the user to open, once it waits for the user."""
        text = tty.expect(r"log in to [^\r\n]+ in (the|any) browser:\r\n[^\r\n]+\r\n")
        return re.search(rb"\r\n([^\r\n]+)\r\n$", text)[1].decode()

    def opened(self):
        """The URL that the browser was started with, or None."""
        path = self.broker.home / "seen"
        until(path.exists)
        return path.read_text() if path.exists() else None

    @property
    def address(self):
        """The callback's URL."""
        return f"http://localhost:{self.callback}/oidc/callback"

    def login(self, verb="login", *args, env={}, **person):
        """A complete login; returns (status, the terminal, the last page that the user sees)."""
        tty = self.pty(verb, "w", *args, env=env)
        page = self.browser.sign_in(self.invited(tty), **person)
        return tty.wait(), tty, page


def shown(tty):
    """All text on the terminal, without the lines that are shown during waits."""
    return b"\n".join(line.split(b"\r")[-1] for line in tty.shown.replace(b"\r\n", b"\n").split(b"\n")).replace(b"\x1b[K", b"").decode()


def query(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def refused(done, code, *words):
    """Asserts a failure in broker's format: a line "broker: ", one hint, and somewhere all WORDS (patterns)."""
    text = done.errors if hasattr(done, "errors") else done
    lines = [line for line in text.splitlines() if line]
    assert code is None or getattr(done, "code", code) == code, (done.code, text)
    assert any(line.startswith("broker: ") for line in lines) and sum(line.startswith("hint: ") for line in lines) == 1, text
    for word in words:
        assert re.search(word, text), (word, text)
    return text
