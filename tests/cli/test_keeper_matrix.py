# SPDX-License-Identifier: MIT
"""Every kind of credential by every route, with the three clients at each level of TLS: it connects, or is refused for
the documented reason. A wrong name and a wrong CA are refused; an attacker that strips TLS never gets the password."""
import tempfile
from functools import partial
from pathlib import Path

import pytest

from conftest import BASE, lasting
from lib import canary, ways
from lib.logins import logged_in
from servers.secret_service import SecretService

LEVELS = ("preferred", "required", "verify-ca", "verify-identity")
ROUTES = ("direct", "tcp", "command")


@pytest.fixture(scope="module")
def shared_keychain():
    yield from lasting(SecretService, Path(tempfile.mkdtemp(dir=BASE)) / "ss")


@pytest.fixture
def place_for(request, broker, names):
    """place_for(provider, client), of lib/ways.py."""
    return partial(ways.place_for, request, broker)


@pytest.fixture
def through(relay, ssm):
    """through(route, place, strip): what the profile needs for that route, as keys and a section. strip: a relay that
    strips TLS is between the end of the route and the server."""
    def make(route, place, strip=False):
        target = (place.server.host, place.server.port)
        made = relay(target, strip_tls=strip) if strip or route == "tcp" else None
        if strip and route != "tcp":
            place.port = made.port
        make.relay = made
        return {"direct": ({}, ""), "tcp": ({"via": f"tcp://127.0.0.1:{made and made.port}"}, ""),
                "command": ({"via": "far"}, ways.SSM)}[route]
    return make


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", ["keychain", "iam", "command"])
def test_matrix(broker, client, place_for, through, shared_keychain, provider, route, level):
    place = place_for(provider, client)
    keys, tunnel = through(route, place)
    ways.write(broker, place, provider, tunnel, shared_keychain, tls=level, tls_ca=place.server.ca, server_public_key="yes", **keys)
    with broker.watch() as watch:
        done = ways.ask(broker, client, place)
    ways.outcome(done, place, provider, level)
    broker.assert_hidden(watch)


def refused(done, *words):
    """No login happened, and one of the words is in the error."""
    assert done.code in (1, 69) and not done.out, (done.code, done.out, done.errors)
    assert any(word in done.errors for word in words), done.errors


@pytest.mark.parametrize("wrong", ["ca", "name"])
@pytest.mark.parametrize("level", LEVELS[2:])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", ["iam", "command"])
def test_wrong_server(broker, client, place_for, through, provider, route, level, wrong):
    """verify-ca accepts a certificate for any name that its CA has signed, as documented."""
    place = place_for(provider, client)
    keys, tunnel = through(route, place)
    ca = place.server.wrong_ca if wrong == "ca" else place.server.ca
    if wrong == "name" and provider == "iam":
        keys["sign_host"] = "third.abcdefghijkl.eu-west-1.rds.amazonaws.com"
    elif wrong == "name":
        place.host = ways.wrong_name(place)
    ways.write(broker, place, provider, tunnel, tls=level, tls_ca=ca, **keys)
    done = ways.ask(broker, client, place)
    if wrong == "ca":
        refused(done, "certificate", "2026")
    elif level == "verify-identity":
        refused(done, "certificate is not valid for", "2026")
    elif provider == "iam":  # a token for another name
        assert done.code == 1 and "1045" in done.errors
    else:
        assert logged_in(done).cipher


@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("provider", ["iam", "command"])
def test_tls_stripped_by_an_attacker(broker, client, place_for, through, provider, route, level):
    """The client closes the connection: the attacker gets neither user nor password."""
    place = place_for(provider, client)
    keys, tunnel = through(route, place, strip=True)
    ways.write(broker, place, provider, tunnel, tls=level, tls_ca=place.server.ca, **keys)
    done = ways.ask(broker, client, place)
    refused(done, "2026", "TLS")
    seen = through.relay
    assert seen.connections and not canary.found([*broker.secrets, b"X-Amz-Signature"], seen.sent), seen.sent
    assert place.user.encode() + b"\0" not in seen.sent


@pytest.mark.parametrize("route", ROUTES)
def test_the_wire_is_encrypted(broker, client, place_for, through, relay, route):
    """A relay that changes nothing records TLS, and neither the query nor the password."""
    place = place_for("command", client)
    spy = relay((place.server.host, place.server.port))
    if route != "tcp":
        place.port = spy.port
    keys, tunnel = through(route, place)
    if route == "tcp":
        keys, spy = keys, through.relay
    ways.write(broker, place, "command", tunnel, tls="verify-identity", tls_ca=place.server.ca, **keys)
    assert logged_in(ways.ask(broker, client, place)).cipher
    assert b"select current_user" not in spy.sent and not canary.found(broker.secrets, spy.sent) and spy.connections == 1
