# SPDX-License-Identifier: MIT
"""TLS of direct connections: all five levels, each client with each server, a right and a wrong CA, a right and a wrong
name, a server without TLS. A login only counts if the server says which cipher it uses, a refusal only if no login
happened. If a MariaDB client does not support a level, the keeper handles TLS."""
import re

import pytest

from lib.logins import HOSTILE_ENV, LEVELS, connect, for_user, hostile_files, logged_in, login, profile
from servers.pki import RIGHT_NAME, WRONG_NAME

SERVERS = ["mariadb_server", "mysql_server"]
VERIFYING = ("verify-ca", "verify-identity")
# The host, the CA, the levels that must refuse.
CASES = {"all right": (RIGHT_NAME, "ca", ()), "wrong name": (WRONG_NAME, "ca", ("verify-identity",)),
         "wrong ca": (RIGHT_NAME, "wrong_ca", VERIFYING)}
OVER_SOCKET = ("broker: p: tls = {} over the server's own socket\n"
               "hint: set tls = preferred (a local socket does not use the network), or set host for TCP\n")
CIPHERS = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]


def refused_by_client(done):
    """The client's own error 2026: no login happened."""
    return done.code == 1 and not done.out and done.err.startswith(b"ERROR 2026 (HY000)")


def by_keeper(client, level, host=RIGHT_NAME):
    """Whether the keeper handles TLS: at the levels that a MariaDB client does not support."""
    loopback = host in ("localhost", "127.0.0.1")
    return client.family == "mariadb" and (level in ("required", "verify-ca") or (level == "verify-identity" and loopback))


def refused_by_keeper(done):
    """The keeper's error, shown by the client: no login happened."""
    return done.code == 1 and not done.out and re.match(rb"ERROR 1105 \((08S01|HY000)\): broker: 2026 ", done.err)


def refused_by_us(done, text):
    return (done.code, done.out, done.errors) == (78, b"", text)


@pytest.mark.parametrize("case, home", [*((case, "clean") for case in CASES), ("all right", "hostile"), ("wrong ca", "hostile")])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fixture", SERVERS)
def test_levels(request, broker, names, client, fixture, level, case, home):
    server = request.getfixturevalue(fixture)
    host, ca, refusing = CASES[case]
    for_user(broker, server, "app", host=host, tls=level, tls_ca=getattr(server, ca), server_public_key="yes")
    hostile = home == "hostile"
    if hostile:
        hostile_files(broker, client, f"ssl-ca={server.ca if ca == 'wrong_ca' else server.wrong_ca}")
    done = connect(broker, client, options=client.options_for(server, "app"), env=HOSTILE_ENV if hostile else {})
    if level in refusing:
        assert refused_by_keeper(done) if by_keeper(client, level) else refused_by_client(done)
    elif hostile and client.family == "mariadb" and level == "preferred" and ca == "ca":
        assert refused_by_client(done)  # no option unsets the user's ssl-ca; it cannot lower the level
    else:
        if hostile and client.family == "mysql" and level not in VERIFYING:
            assert done.err.startswith(b"WARNING: no verification of server certificate") and done.err.count(b"\n") == 1
            done.err = b""  # mysql's own warning about the user's ssl-ca
        assert logged_in(done).version == ("" if level == "disabled" else "TLSv1.3")


@pytest.mark.parametrize("home", ["clean", "hostile"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fixture", ["mariadb_notls", "mysql_notls"])
def test_server_without_tls(request, broker, names, client, clients, fixture, level, home):
    """Unencrypted at disabled and preferred, refused at required and stricter."""
    server, user = request.getfixturevalue(fixture), "app"
    if fixture == "mysql_notls" and client.family == "mariadb":  # mysqld then caches the password: see test_servers.py
        assert clients["mysql9"].raw(server, user, "select 1", "--get-server-public-key").returncode == 0
    for_user(broker, server, user, host=RIGHT_NAME, tls=level, tls_ca=server.ca if level in VERIFYING else None,
             server_public_key="yes")
    if home == "hostile":
        hostile_files(broker, client)
    done = connect(broker, client, options=client.options_for(server, user), env=HOSTILE_ENV if home == "hostile" else {})
    if level in ("disabled", "preferred"):
        assert logged_in(done).cipher == ""
    else:
        assert refused_by_keeper(done) if by_keeper(client, level) else refused_by_client(done)


@pytest.mark.parametrize("keys, tls", [({}, "required"), ({"tls_ca": True}, "verify-identity"), ({"host": "localhost"}, "preferred")])
def test_default_level(broker, names, client, mariadb_server, mariadb_notls, keys, tls):
    """Without the key tls, host and tls_ca decide the level; a server without TLS is refused if that level needs it."""
    for server in (mariadb_server, mariadb_notls):
        known = {"host": RIGHT_NAME, **keys, **({"tls_ca": server.ca} if "tls_ca" in keys else {})}
        for_user(broker, server, "app", **known)
        done = connect(broker, client, options=client.options_for(server, "app"))
        by = by_keeper(client, tls)
        if server is mariadb_server:
            assert logged_in(done).version == "TLSv1.3"
        elif tls == "preferred":
            assert logged_in(done).cipher == ""
        else:
            assert refused_by_keeper(done) if by else refused_by_client(done)
        shown = broker.run("connect", "p", "--client", client.path, "--dry-run")
        assert f"\ntls         {tls}, by the {'keeper' if by else 'client'}" in shown.text


@pytest.mark.parametrize("level", LEVELS[2:])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_names(broker, client, mysql_server, host, level):
    """The certificate is valid for localhost, and for no address."""
    for_user(broker, mysql_server, "app", host=host, tls=level, tls_ca=mysql_server.ca)
    done = connect(broker, client)
    if (host, level) == ("127.0.0.1", "verify-identity"):
        assert refused_by_keeper(done) if by_keeper(client, level, host) else refused_by_client(done)
    else:
        assert logged_in(done).cipher


def test_address_in_certificate(broker, clients, start_server, pki):
    server = start_server("mariadb", certificate=pki.issue("address", ["IP:127.0.0.1"]))
    assert login(broker, clients["mysql9"], server, "app", tls="verify-identity", tls_ca=server.ca).cipher
    for_user(broker, server, "app", host="localhost", tls="verify-identity", tls_ca=server.ca)
    assert refused_by_client(connect(broker, clients["mysql9"], options=clients["mysql9"].options_for(server, "app")))


def test_system_ca_certificates(broker, names, client, mysql_server, pki):
    """Without tls_ca the system's CA file is used: the login fails until the server's CA is in it."""
    for_user(broker, mysql_server, "app", host=RIGHT_NAME, tls="verify-identity")
    assert refused_by_client(connect(broker, client))
    system = "/etc/ssl/certs/ca-certificates.crt"
    with open(system, "rb") as f:
        broker.etc.write(system, f.read() + pki.ca.read_bytes())
    assert logged_in(connect(broker, client)).cipher


def test_empty_password_does_not_skip_verification(broker, names, client, mariadb_server):
    """MariaDB's client from 11.4 on skips the verification for an empty password, unless it is requested."""
    mariadb_server.create_user("open_door")
    for_user(broker, mariadb_server, "open_door", host=RIGHT_NAME, tls="verify-identity", auth="none", auth_env=None,
             tls_ca=mariadb_server.wrong_ca)
    done = connect(broker, client, options=client.options_for(mariadb_server, "open_door"))
    assert refused_by_client(done)


@pytest.mark.parametrize("fixture", SERVERS)
@pytest.mark.parametrize("level", ["preferred", "verify-identity"])
def test_client_certificate(request, broker, names, client, pki, fixture, level):
    server = request.getfixturevalue(fixture)
    keys = {"host": RIGHT_NAME, "tls": level, "tls_ca": server.ca if level == "verify-identity" else None}
    for_user(broker, server, "app_x509", **keys)
    done = connect(broker, client, options=client.options_for(server, "app_x509"))
    assert done.code == 1 and done.err.startswith(b"ERROR 1045 (28000)")
    assert login(broker, client, server, "app_x509", tls_cert=pki.client_cert, tls_key=pki.client_key, **keys).cipher


@pytest.mark.parametrize("fixture", SERVERS)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_version(request, broker, client, fixture, version):
    assert login(broker, client, request.getfixturevalue(fixture), "app", tls_version=version).version == version


@pytest.mark.parametrize("cipher", CIPHERS)
def test_ciphers(broker, client, mysql_server, cipher):
    assert login(broker, client, mysql_server, "app", tls_version="TLSv1.2", tls_ciphers=cipher).cipher == cipher


@pytest.mark.parametrize("by", ["file", "flag"])
@pytest.mark.parametrize("level", LEVELS)
def test_level_over_the_servers_socket(broker, clients, mariadb_server, level, by):
    """No network is in between, so a stricter level is a user's mistake, with every client."""
    for client in clients.values():
        for_user(broker, mariadb_server, "app", socket=mariadb_server.socket, tls=level if by == "file" else None)
        flags = ["--tls", level] if by == "flag" else []
        done = connect(broker, client, *flags, options=client.options_for(mariadb_server, "app"))
        if level in ("disabled", "preferred"):
            assert logged_in(done).seen_from == "localhost"
        else:
            assert refused_by_us(done, OVER_SOCKET.format(level))


def test_level_over_a_default_socket(broker, clients):
    """Without host and socket the server is at a local socket; the error comes before any connection attempt."""
    broker.config(profile(user="app", auth="none", tls="verify-ca"))
    assert refused_by_us(connect(broker, clients["mysql9"]), OVER_SOCKET.format("verify-ca"))


# Names that would match many names

INVALID_NAMES = [".test.internal", "*.test.internal", "db..test.internal", ".", "..", ".internal"]
PLACES = {
    "file": ("[profile p]\nhost = {}\n", {}, ["p"], 78), "defaults": ("[defaults]\nhost = {}\n[profile p]\nuser = u\n", {}, ["p"], 78),
    "signed for": ("[profile p]\nhost = h\nsign_host = {}\n", {}, ["p"], 78),
    "via": ("[profile p]\nhost = h\nvia = tcp://{}:3306\n", {}, ["p"], 78), "via ssh": ("[profile p]\nhost = h\nvia = ssh://{}\n", {}, ["p"], 78),
    "tunnel": ("[profile p]\nhost = h\nvia = t\n[tunnel t]\ntype = tcp\naddress = {}:3306\n", {}, ["p"], 78),
    "variable": ("[profile p]\nuser = u\n", {"BROKER_HOST": "{}"}, ["p"], 78),
    "variable of sign_host": ("[profile p]\nhost = h\n", {"BROKER_SIGN_HOST": "{}"}, ["p"], 78),
    "flag": ("[profile p]\nuser = u\n", {}, ["p", "--host", "{}"], 64), "setting": ("[profile p]\nuser = u\n", {}, ["p", "-o", "host={}"], 64),
    "signed for, by flag": ("[profile p]\nhost = h\n", {}, ["p", "-o", "sign_host={}"], 64),
    "via by flag": ("[profile p]\nhost = h\n", {}, ["p", "--via", "tcp://{}:3306"], 64),
    "URL": ("", {}, ["mysql://u@{}/"], 65), "URL with a port": ("", {}, ["mysql://u@{}:3306/d"], 65), "hidden": ("", {}, ["mysql://u@%2e{}/"], 65),
    "JDBC": ("", {}, ["jdbc:mysql://{}:3306/d"], 65), "URL's query": ("", {}, ["mysql://u@h/?sign_host={}"], 65), "hidden label": ("", {}, ["mysql://u@db%2E{}/"], 65)}


@pytest.mark.parametrize("name", INVALID_NAMES)
@pytest.mark.parametrize("place", PLACES)
def test_invalid_host_names(broker, place, name):
    """For `.test.internal` OpenSSL would accept a certificate of any name below it."""
    config, env, args, code = PLACES[place]
    broker.config(config.format(name))
    done = broker.run("connect", *[arg.format(name) for arg in args], "--dry-run", env={key: value.format(name) for key, value in env.items()})
    assert done.code == code and not done.out and re.search("\nhint: .", done.errors), (done.code, done.errors)
