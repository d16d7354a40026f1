# SPDX-License-Identifier: MIT
"""A hint is copied into a shell. Its command must be the one that was meant, whatever words of the user's are in it,
and must fix the error when sh runs it."""
import os
import shlex
import subprocess

import pytest

from lib.logins import profile

NAMES = ["plain", "a b", "it's", "$(touch hit)", "`touch hit`", "a;touch hit", "a&touch hit", 'say "hi"', "back\\slash", "*", "~", "ünï"]


def hint(done):
    *_, last = done.errors.splitlines()
    assert last.startswith("hint: ")
    return last.removeprefix("hint: ")


def sh(broker, command):
    """Runs the hint's command, as a user would, and asserts that nothing in it ran another command."""
    subprocess.run(["sh", "-c", command], check=True, cwd=broker.home, env={"HOME": str(broker.home), "PATH": os.environ["PATH"]})
    assert not (broker.home / "hit").exists()


@pytest.mark.parametrize("at_home", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_chmod(broker, name, at_home):
    """The mode of the config file and of the password file: each hint corrects it."""
    folder = (broker.home if at_home else broker.tmp) / name
    folder.mkdir(exist_ok=True)
    config, secret = folder / "config", folder / "secret"
    secret.write_text("fake")
    config.write_text(profile(host="db.example.com", user="app", auth="file", auth_file=f'"{str(secret)}"'.replace("\\", "\\\\")
                              if "\\" not in name and '"' not in name else None))
    config.chmod(0o666)
    secret.chmod(0o644)
    env = {"BROKER_CONFIG": str(config)}
    done = broker.run("profile", "list", env=env)
    assert done.code == 78 and "writable by" in done.errors, done.errors
    sh(broker, hint(done))
    done = broker.run("token", "p", env=env)
    if "\\" in name or '"' in name:
        assert done.code == 78
        return
    assert done.code == 78 and "readable by" in done.errors, done.errors
    sh(broker, hint(done))
    assert broker.run("token", "p", env=env).text == "fake\n"


@pytest.mark.parametrize("name", NAMES[1:])
def test_words(broker, name):
    """Each word of the command line is one word in the hint."""
    done = broker.run("connect", f"x@{name}:3306")
    assert done.code in (64, 78)
    if hint(done).startswith("broker connect"):
        assert shlex.split(hint(done))[2:] == [f"mysql://x@{name}:3306"]
    command = hint(broker.run("connect", name, "--execute"))
    assert shlex.split(command.removeprefix("client options follow --: ")) == ["broker", "connect", name, "--", "--execute", "..."]


@pytest.mark.parametrize("bad", ["a\nb", "a\x1b[2K", "x" * 3000])
def test_what_cannot_be_shown(broker, bad):
    """A word that a line or a terminal cannot show is left out, because half of it could be another command."""
    done = broker.run("connect", bad, "--no-such")
    assert done.code == 64 and hint(done) == "client options follow --: broker connect ... -- --no-such ...", done.errors
