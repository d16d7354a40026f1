# SPDX-License-Identifier: MIT
"""For the tests of Vault: a profile `w` against an Area (servers/vault.py) or a fake, verbs on it in a keyring of the test's
own, and the person with the browser."""
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

HIDE = b"\r\x1b[K"  # what erases the line of a wait
WHO = "select current_user()"


@dataclass
class Lease:
    user: str
    password: str


class Desk:
    """Where a person sits: runs verbs in KEYRING. vault: has `front` (servers/vault_front.py), `path`, `database`.

    callback: the port of the log-in's listener."""

    def __init__(self, broker, keyring, vault):
        self.broker, self.keyring, self.vault = broker, keyring, vault
        self.callback, self.browser = process.free_port(), Browser()
        self.configure()

    def configure(self, text="", **keys):
        """The profile `w`: for the Area's database, with KEYS; a key of None is left out. TEXT: more of the file."""
        database = self.vault.database
        self.keys = {"host": database.host, "port": database.port, "auth": "vault", "vault_addr": self.vault.front.url,
                     "vault_path": self.vault.path, "vault_callback": f"localhost:{self.callback}", **keys}
        self.broker.config(profile("w", **self.keys) + text)

    def run(self, *args, ahead=0, env={}, **more):
        """AHEAD: seconds by which the program's clock is ahead of Vault's (behind it: negative)."""
        wrap = [*self.keyring.wrap, *more.pop("wrap", ())]
        if ahead:
            need_movable()
            env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0", **env}
            wrap += ["/usr/bin/faketime", "-f", f"{ahead:+d}s"]
        return self.broker.run(*args, wrap=wrap, env=env, **more)

    def pty(self, *args, env={}, **more):
        """On a terminal, with a display; the browser is a script that notes the URL."""
        self.broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
        env = {"BROWSER": "see", "DISPLAY": ":9", **env}
        return self.broker.pty(*args, env=env, wrap=[*self.keyring.wrap, *more.pop("wrap", ())], **more)

    def ask(self, *args, **more):
        """A program that needs the credential, without a terminal."""
        return self.run("exec", "w", *args, "--", "true", **more)

    def lease(self, *args, **more):
        """What exec gives to a program that logs in by itself; all in silence."""
        script = 'printf "%s\\n%s" "$MYSQL_USER" "$MYSQL_PWD"'
        done = self.run("exec", "w", "-o", "login=client", *args, "--", "sh", "-c", script, secret_out=True, **more)
        assert done.code == 0 and not done.err, (done.code, done.errors)
        return Lease(*done.text.splitlines())

    def sessions(self):
        """What is kept, as {kind: row of status --json}."""
        return {row["kind"]: row for row in json.loads(self.run("status", "--json").text)["sessions"]}

    def invited(self, tty):
        """The URL to which TTY invites the person, once it waits for him."""
        text = tty.expect(r"log in to [^\r\n]+ in (the|any) browser:\r\n[^\r\n]+\r\n")
        return re.search(rb"\r\n([^\r\n]+)\r\n$", text)[1].decode()

    def opened(self):
        """The URL that the browser was started with, or None."""
        path = self.broker.home / "seen"
        until(path.exists)
        return path.read_text() if path.exists() else None

    @property
    def address(self):
        """Of the callback."""
        return f"http://localhost:{self.callback}/oidc/callback"

    def login(self, verb="login", *args, env={}, **person):
        """A whole log-in; returns (status, the terminal, the page that the person sees last)."""
        tty = self.pty(verb, "w", *args, env=env)
        page = self.browser.sign_in(self.invited(tty), **person)
        return tty.wait(), tty, page


def shown(tty):
    """All that was on the terminal, without the lines of waits."""
    return b"\n".join(line.split(b"\r")[-1] for line in tty.shown.replace(b"\r\n", b"\n").split(b"\n")).replace(b"\x1b[K", b"").decode()


def query(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def refused(done, code, *words):
    """A failure in our form: one line, WORDS (patterns) somewhere, one hint."""
    text = done.errors if hasattr(done, "errors") else done
    lines = [line for line in text.splitlines() if line]
    assert code is None or getattr(done, "code", code) == code, (done.code, text)
    assert any(line.startswith("broker: ") for line in lines) and sum(line.startswith("hint: ") for line in lines) == 1, text
    for word in words:
        assert re.search(word, text), (word, text)
    return text
