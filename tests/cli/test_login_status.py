# SPDX-License-Identifier: MIT
"""login does in advance what needs the user; status lists the sessions that are kept between runs, and how long they
are valid; logout removes them. Each test has a kernel keyring of its own, because status lists everything in it and
logout --all removes that."""

import json
import os
import re
import sys

import pytest

from lib.aws import ID, SECRET, arn, endpoint, files, pair, HOST
from servers.aws_fake import iso, keys_of
from test_aws_sso import START, configure, fake, role, token_file  # noqa: F401
from test_command_provider import NO_KEYRING

PASSWORD = "fake-canary-status-8f2c11"
SERIAL = "arn:aws:iam::123456789012:mfa/dev"
EMPTY = '{"forwards":[],"sessions":[]}\n'


@pytest.fixture
def home(broker, keyring, aws_fake):
    """run(verb, ...) runs broker in that keyring, with a fake STS. Profiles: role-a, role-b and role-m (with MFA) by
    iam, fetch by a command, plain by static keys, shop by the keychain."""
    sts = aws_fake({"sts": {"minutes": 60.5}})
    for secret in (SECRET, PASSWORD, *(keys_of(r)["secret"] for r in "ab")):
        broker.secret(secret.encode())
    roles = "".join(f"[profile {r}]\nrole_arn = {arn(r)}\nsource_profile = base\n" for r in "ab")
    files(
        broker,
        f"[profile base]\n{pair()}region = eu-west-1\n{roles}"
        f"[profile m]\nrole_arn = {arn('m')}\nsource_profile = base\nmfa_serial = {SERIAL}\n",
    )
    broker.script("fetch", f"printf '%s' '{json.dumps({'password': PASSWORD, 'expires_at': iso(7230)})}'", secret=True)
    iam = "".join(
        f"[profile role-{r}]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = {r}\n" for r in ("a", "b", "m")
    )
    broker.config(
        iam + f"[profile plain]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = base\n"
        "[profile fetch]\nhost = db.example.com\nport = 3307\nuser = app\nauth = command\n"
        "auth_command = ~/bin/fetch --now\n"
        "[profile shop]\nhost = db.example.com\nuser = app\n"
    )

    def run(*args, env={}, **more):
        return broker.run(
            *args, wrap=keyring.wrap, env={**endpoint(sts), **env}, **{"secret_out": args[0] == "token", **more}
        )

    run.sts, run.broker, run.keyring = sts, broker, keyring
    return run


def outcome(done):
    return done.text, done.errors, done.code


def fill(home):
    for name in ("role-b", "fetch", "role-a"):
        assert home("token", name).code == 0


def names(home):
    return [s["name"] for s in json.loads(home("status", "--json").text)["sessions"]]


# status


def test_no_sessions(home):
    assert outcome(home("status")) == ("", "", 0) and outcome(home("status", "--json")) == (EMPTY, "", 0)


def test_table(home):
    fill(home)
    done = home("status")
    assert done.text == """\
KIND         NAME    LIFE           DETAIL
aws_session  role/a  valid for 55m  account 123456789012
aws_session  role/b  valid for 55m  account 123456789012
command      fetch   valid for 2h   app@db.example.com:3307
""", done.text
    assert (done.errors, done.code) == ("", 0)


def test_json(home):
    fill(home)
    done = home("status", "--json")
    sessions = json.loads(done.text)
    assert done.text.count("\n") == 1 and list(sessions) == ["forwards", "sessions"] and sessions["forwards"] == []
    ends = [s.pop("expires_at") for s in sessions["sessions"]]
    assert ends[0] <= iso(3330) < ends[2] <= iso(7230) and all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e) for e in ends
    )
    account = {"kind": "aws_session", "user": None, "detail": "account 123456789012"}
    assert sessions["sessions"] == [
        {**account, "name": "role/a"},
        {**account, "name": "role/b"},
        {"kind": "command", "name": "fetch", "user": None, "detail": "app@db.example.com:3307"},
    ]


@pytest.mark.parametrize("args", [[], ["--json"]])
def test_without_a_keyring(home, args):
    done = home.broker.run("status", *args, wrap=[sys.executable, "-c", NO_KEYRING])
    assert outcome(done) == (EMPTY if args else "", "", 0)


@pytest.mark.parametrize(
    "args,words",
    [
        (["status", "prod", "stage"], "unexpected argument"),
        (["status", "--jsno"], "unknown option '--jsno'"),
        (["logout", "prod", "--all"], "--all goes without a name"),
    ],
)
def test_usage_errors(home, args, words):
    done = home(*args)
    assert done.errors.startswith(f"broker: {args[0]}: {words}\nhint: ") and done.code == 64


# logout


def test_logout_of_one(home):
    fill(home)
    assert outcome(home("logout", "role-a")) == ("", "forgot 1 session\n", 0)
    assert names(home) == ["role/b", "fetch"]
    assert outcome(home("logout", "role-a")) == ("", "no session to forget\n", 0)
    assert outcome(home("logout", "fetch", "--quiet")) == ("", "", 0)
    assert names(home) == ["role/b"]
    calls = len(home.sts.calls)
    assert home("token", "role-a").code == 0 and len(home.sts.calls) == calls + 1


def test_logout_of_all(home):
    fill(home)
    assert outcome(home("logout", "--all")) == ("", "forgot 3 sessions\n", 0)
    assert outcome(home("status")) == ("", "", 0) and outcome(home("logout", "--all")) == ("", "no session to forget\n", 0)


@pytest.mark.parametrize("name", ["shop", "plain"])
def test_logout_without_a_session(home, name):
    assert outcome(home("logout", name)) == ("", "no session to forget\n", 0)


def test_logout_without_a_keyring(home):
    done = home.broker.run("logout", "role-a", wrap=[sys.executable, "-c", NO_KEYRING])
    assert outcome(done) == ("", "no session to forget\n", 0)


def test_logout_keeps_the_login_of_the_aws_cli(home, fake, role):  # noqa: F811
    broker = home.broker
    configure(broker, role)
    broker.config(f"[profile prod]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = prod\n")
    path = token_file(broker, 3600)
    before = path.read_bytes()
    fake.state["sso"]["creds"][f"123456789012/{role}"]["expiration"] *= 2
    assert home("token", "prod", env=endpoint(fake)).code == 0 and names(home) == [f"role/{role}"]
    done = home("logout", "prod", env=endpoint(fake))
    assert outcome(done) == ("", "the AWS CLI's own login stays; aws sso logout ends it\nforgot 1 session\n", 0)
    assert path.read_bytes() == before and names(home) == []


# login


@pytest.mark.parametrize(
    "name,words", [("plain", "aws profile base, static keys"), ("shop", "auth = keychain"), ("fetch", "auth = command")]
)
def test_nothing_to_log_in_to(home, name, words):
    assert outcome(home("login", name)) == ("", f"nothing to log in to: {words}\n", 0)
    assert outcome(home("login", name, "-q")) == ("", "", 0)


def test_login_of_a_url(home):
    url = b"mysql://app:" + PASSWORD.encode() + b"@db.example.com/x\n"
    assert outcome(home("login", "-", input=url)) == ("", "nothing to log in to: the password came with the URL\n", 0)


def test_login_gets_a_new_session(home):
    """Even if one is cached, so that it is valid as long as possible."""
    for _ in range(2):
        done = home("login", "role-a")
        assert re.fullmatch(r"logged in, valid for 1h\n", done.errors) and (done.text, done.code) == ("", 0)
    assert len(home.sts.calls) == 2
    assert home("token", "role-a").code == 0 and len(home.sts.calls) == 2


def test_login_with_a_second_factor(home):
    """After it, programs without a terminal use the session."""
    assert home("token", "role-m").code == 79
    home.sts.state["sts"]["mfa"] = {SERIAL: "123456"}
    tty = home.broker.pty("login", "role-m", wrap=home.keyring.wrap, env=endpoint(home.sts))
    tty.expect(b"MFA code")
    tty.sendline(b"123456")
    assert tty.wait() == 0 and re.search(rb"logged in, valid for 1h\r\n$", tty.shown)
    assert home("token", "role-m").code == 0


def test_login_that_is_refused(home):
    home.sts.state["sts"]["refuse"] = [(403, "AccessDenied", "not you")]
    done = home("login", "role-a")
    assert done.code == 77 and "not you" in done.errors and names(home) == []
