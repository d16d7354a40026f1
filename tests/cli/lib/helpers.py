# SPDX-License-Identifier: MIT
"""broker as a credential helper: requests in git's protocol, a store for one test, and git that runs broker."""
import os

from .broker import BUILD
from .keyring import Keyring

NAMES = BUILD / "bin"  # the folder of git-credential-broker and the other names of the helper


def lines(**fields):
    """A request; a list gives one line for each of its values. `_` at the end of a name stands for `[]`."""
    out = []
    for name, value in fields.items():
        key = name[:-1] + "[]" if name.endswith("_") else name
        out += [f"{key}={one}" for one in (value if isinstance(value, list) else [value])]
    return "".join(line + "\n" for line in out).encode() + b"\n"


class Store:
    """One of broker's two stores, for this test only: `options` choose it, `wrap` goes before a program's arguments."""

    def __init__(self, kind, keychain=None):
        self.kind, self.options, self.keyring = kind, ["--store", kind], None
        self.env = dict(keychain.env) if keychain else {}
        if kind == "keyring":
            self.keyring = Keyring()
        self.wrap = self.keyring.wrap if self.keyring else []

    def stop(self):
        if self.keyring:
            self.keyring.stop()


class Asker:
    """`ask(verb, ...)` runs `broker credential` on a store."""

    def __init__(self, broker, store):
        self.broker, self.store = broker, store

    def run(self, verb, request=b"", *options, **more):
        more.setdefault("secret_out", True)
        env = {**self.store.env, **more.pop("env", {})}
        return self.broker.run("credential", *self.store.options, *options, verb, input=request, wrap=self.store.wrap, env=env,
                               **more)

    def ask(self, verb, *options, **fields):
        """Runs the verb, which must succeed without a message; returns its output as {key: value}."""
        done = self.run(verb, lines(**fields), *options)
        assert (done.code, done.err) == (0, b""), (verb, fields, done)
        return fields_of(done.out)

    def get(self, *options, **fields):
        return self.ask("get", *options, **fields)

    def store_entry(self, *options, **fields):
        assert self.ask("store", *options, **fields) == {}

    def erase(self, **fields):
        assert self.ask("erase", **fields) == {}


def fields_of(text):
    """{key: value} in the order of the lines; a key with `[]` gives a list."""
    found = {}
    for line in text.decode().splitlines():
        key, _, value = line.partition("=")
        if key.endswith("[]"):
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


ASKPASS = """case $1 in
Username*) echo askpass-username ;;
Password*) echo askpass-password ;;
esac
echo "askpass: $1" >&2"""


class Git:
    """The system's git in the home of the Broker RUNNER, with broker as its credential helper."""

    def __init__(self, runner, store):
        self.runner, self.store = runner, store
        askpass = runner.script("askpass", ASKPASS)
        runner.env.update({**store.env, "PATH": f"{NAMES}:{runner.env['PATH']}", "GIT_ASKPASS": str(askpass),
                           "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"})

    def run(self, *words, input=b"", helper="", config=(), **more):
        """Runs `git -c credential.helper=... WORDS`."""
        helper = f"broker {' '.join(self.store.options)} {helper}".strip()
        settings = [word for pair in (f"credential.helper={helper}", *config) for word in ("-c", pair)]
        more.setdefault("secret_out", True)
        return self.runner.run(*settings, *words, input=input, wrap=self.store.wrap, **more)

    def credential(self, verb, helper="", config=(), **fields):
        """Runs `git credential VERB`; returns its output as {key: value}, and the lines of its stderr."""
        done = self.run("credential", verb, input=lines(**fields), helper=helper, config=config)
        assert done.code == 0, done.errors
        return fields_of(done.out), done.errors.splitlines()


def git_version(program="/usr/bin/git"):
    import subprocess
    words = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout.split()
    return tuple(int(part) for part in words[2].split(".")[:2] if part.isdigit())


def on_path(env, *folders):
    return {**env, "PATH": os.pathsep.join([*map(str, folders), env["PATH"]])}
