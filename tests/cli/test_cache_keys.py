# SPDX-License-Identifier: MIT
"""A cached credential is used only for the identity that it was made for: who authenticates to what, with which
proof.

Each test runs broker twice with one difference. If the difference changes the identity, the second run must not get
the credential of the first; otherwise it must not run the program again. The cache is the machine's keyring, so each
test has its own names. For AWS: test_aws_cache_keys.py."""
import json
import os

import pytest

from test_command_provider import at


def program(broker, path, who):
    """A program that prints the password of WHO and records each run; PATH is relative to the home folder."""
    user, password = f"{who}-user", broker.secret(f"fake-password-of-{who}".encode()).decode()
    text = json.dumps({"user": user, "password": password, "expires_at": at(120)})
    return broker.write(path, f"#!/bin/sh\necho run >>{broker.home}/runs\ncat <<'EOF'\n{text}\nEOF\n", mode=0o700, secret=True)


@pytest.fixture
def pw(broker):
    """pw(...) says whose password a run of broker gets; pw.runs() is how often a program ran."""
    def ask(*args, cwd=None, **env):
        done = broker.run("token", *args, cwd=cwd and broker.home / cwd, env={"BROKER_CONFIG": str(broker.config_path), **env},
                          secret_out=True)
        assert done.code == 0, done.errors
        return done.text.strip().removeprefix("fake-password-of-")
    ask.broker = broker
    ask.user = "app-" + os.urandom(6).hex()
    ask.runs = lambda: len((broker.home / "runs").read_text().splitlines())
    return ask


def profiles(pw, command, *more):
    keys = {"host": "db.example.com", "user": pw.user, "database": "shop", "auth": "command", "auth_command": command}
    text = "[profile p]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
    pw.broker.config(text + "".join(more))


def by_database(pw):
    """Fixed bug: a profile inherits the command, but its placeholder stands for another database."""
    path = pw.broker.write("pw.sh", f"#!/bin/sh\necho run >>{pw.broker.home}/runs\n"
                           f'printf \'{{"password": "fake-password-of-%s", "expires_at": "{at(120)}"}}\' "$1"\n', mode=0o700)
    profiles(pw, f"{path} {{database}}", "[profile hr]\ninherits = p\ndatabase = hr\n")
    return (["p"], {}, "shop"), (["hr"], {}, "hr")


def by_folder(pw):
    for who in ("sales", "hr"):
        program(pw.broker, f"{who}/pw.sh", who)
    profiles(pw, "./pw.sh")
    return (["p"], {"cwd": "sales"}, "sales"), (["p"], {"cwd": "hr"}, "hr")


def by_folder_of_a_file(pw):
    """The program is the same, but reads a file in the working directory."""
    for who in ("sales", "hr"):
        program(pw.broker, f"{who}/answer", who)
    profiles(pw, "/bin/sh answer")
    return (["p"], {"cwd": "sales"}, "sales"), (["p"], {"cwd": "hr"}, "hr")


def by_path(pw):
    for who in ("sales", "hr"):
        program(pw.broker, f"bin-{who}/get-pw", who)
    profiles(pw, "get-pw")
    path = f"{pw.broker.home}/bin-{{}}:/usr/bin:/bin"
    return (["p"], {"PATH": path.format("sales")}, "sales"), (["p"], {"PATH": path.format("hr")}, "hr")


def by_relative_path(pw):
    for who in ("sales", "hr"):
        program(pw.broker, f"{who}/bin/get-pw", who)
    profiles(pw, "get-pw")
    return (["p"], {"PATH": "bin:/bin", "cwd": "sales"}, "sales"), (["p"], {"PATH": "bin:/bin", "cwd": "hr"}, "hr")


def by_link(pw):
    """The same link points to another program."""
    link = pw.broker.home / "current"
    for who in ("sales", "hr"):
        program(pw.broker, f"v-{who}", who)
    link.symlink_to("v-sales")
    profiles(pw, str(link))

    def swap():
        link.unlink()
        link.symlink_to("v-hr")
    return (["p"], {}, "sales"), (["p"], {}, "hr"), swap


def by_home(pw):
    script = pw.broker.write("pw.sh", f"#!/bin/sh\necho run >>{pw.broker.home}/runs\ncat \"$HOME/answer\"\n", mode=0o700)
    for who in ("sales", "hr"):
        text = json.dumps({"password": f"fake-password-of-{who}", "expires_at": at(120)})
        pw.broker.write(f"home-{who}/answer", text)
    profiles(pw, str(script))
    return (["p"], {"HOME": f"{pw.broker.home}/home-sales"}, "sales"), (["p"], {"HOME": f"{pw.broker.home}/home-hr"}, "hr")


def swapped(pw, change):
    """The same program, which now prints another answer; for keys that are not in its command line."""
    path = program(pw.broker, "pw.sh", "first")
    profiles(pw, str(path), "[profile q]\ninherits = p\n" + change)

    def change_answer():
        program(pw.broker, "pw.sh", "second")
    return (["p"], {}, "first"), (["q"], {}, "second"), change_answer


def by_key(change):
    def make(pw):
        return swapped(pw, change)
    make.__name__ = change.split()[0] + " " + change.split()[2]
    return make


DIFFER = [by_database, by_folder, by_folder_of_a_file, by_path, by_relative_path, by_link, by_home,
          by_key("user = other\n"), by_key("host = other.example.com\n"), by_key("port = 3307\n"),
          by_key("database = other\n"), by_key("via = tcp://127.0.0.1:1\n"), by_key("via = ssh://bastion\n")]


@pytest.mark.parametrize("make", DIFFER, ids=lambda make: make.__name__)
def test_cached_credential_not_used(pw, make):
    first, second, *between = make(pw)
    for (args, options, who), change in ((first, None), (second, between and between[0])):
        if change:
            change()
        assert pw(*args, **options) == who
    assert pw.runs() == 2


def same_profile(pw):
    """Another name, another title, another database client: the same login."""
    profiles(pw, str(program(pw.broker, "pw.sh", "x")), "[profile q]\ninherits = p\ntitle = t\nclient = mariadb\nconnect_timeout = 3\n")
    return (["p"], {}), (["q"], {})


def by_unused_folder(pw):
    """A program with an absolute path, and arguments that are not files in the working directory."""
    profiles(pw, f"{program(pw.broker, 'pw.sh', 'x')} db/shop --x=y")
    (pw.broker.home / "else").mkdir()
    return (["p"], {}), (["p"], {"cwd": "else"})


def by_another_spelling(pw):
    path = program(pw.broker, "bin/get-pw", "x")
    profiles(pw, "get-pw  'a b'", f"[profile q]\ninherits = p\nauth_command = {path} a\\ b\n")
    return (["p"], {}), (["q"], {})


def by_a_longer_path(pw):
    program(pw.broker, "bin/get-pw", "x")
    profiles(pw, "get-pw")
    return (["p"], {}), (["p"], {"PATH": f"/nowhere:{pw.broker.home}/bin:/bin"})


@pytest.mark.parametrize("make", [same_profile, by_unused_folder, by_another_spelling, by_a_longer_path], ids=lambda make: make.__name__)
def test_cached_credential_used(pw, make):
    for args, options in make(pw):
        assert pw(*args, **options) == "x"
    assert pw.runs() == 1


def test_logout_removes_cached_credential(pw):
    by_folder(pw)
    assert pw("p", cwd="sales") == "sales" and pw("p", cwd="hr") == "hr"
    assert pw.broker.run("logout", "p", cwd=pw.broker.home / "sales").code == 0
    assert pw("p", cwd="sales") == "sales" and pw("p", cwd="hr") == "hr" and pw.runs() == 3


def test_command_line_too_long(pw):
    """If it were truncated, it could be the same as that of another login."""
    profiles(pw, f"{program(pw.broker, 'pw.sh', 'x')} {'{database}' * 20}", f"[profile q]\ninherits = p\ndatabase = {'d' * 7000}\n")
    done = pw.broker.run("token", "q")
    assert (done.code, done.errors) == (78, "broker: q: auth_command: over 65536 bytes with its placeholders filled\n"
                                        "hint: shorten auth_command\n")
