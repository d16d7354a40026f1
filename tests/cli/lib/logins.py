# SPDX-License-Identifier: MIT
"""Profiles for real and fake servers, one login through `broker connect`, and what client and server negotiated.

The secret comes from `auth = env`, which neither prompts nor starts a program. The tests know the expected outcome."""
from dataclasses import dataclass

SECRET_ENV = "TEST_SECRET"
LEVELS = ("disabled", "preferred", "required", "verify-ca", "verify-identity")
QUERY = "select current_user(), user(); show session status where variable_name in ('Ssl_cipher', 'Ssl_version')"
HOSTILE_ENV = {"MYSQL_PWD": "fake-wrong", "MYSQL_HOST": "wrong.test.internal", "MYSQL_TCP_PORT": "1", "MYSQL_UNIX_PORT": "/nowhere",
               "MYSQL_GROUP_SUFFIX": "_evil", "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN": "1",
               "MARIADB_TLS_DISABLE_PEER_VERIFICATION": "1"}


@dataclass
class Login:
    """account: the one that the server logged in. seen_from: the client's host as the server sees it. cipher, version:
    of TLS, "" without TLS."""
    account: str
    seen_from: str
    cipher: str
    version: str


def profile(name="p", **keys):
    """The text of [profile NAME]; a key of None is left out."""
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    return "\n".join([f"[profile {name}]", *lines, ""])


def for_user(broker, server, user, **keys):
    """Writes the profile `p` for an account of SERVER, by TCP unless KEYS say otherwise; registers its password."""
    broker.env[SECRET_ENV] = broker.secret(server.password(user)).decode()
    place = {} if "socket" in keys else {"host": server.host, "port": server.port}
    broker.config(profile(**{"user": user, "auth": "env", "auth_env": SECRET_ENV, **place, **keys}))


def connect(broker, client, *args, options=(), query=QUERY, **run):
    """`broker connect p ARGS -- OPTIONS -NBe QUERY` with that client."""
    return broker.run("connect", "p", "--client", client.path, *args, "--", *options, "-NBe", query, **run)


def logged_in(done):
    """Asserts success without a message; returns the Login that the answer to QUERY describes."""
    assert done.code == 0 and not done.err, (done.code, done.err, done.out)
    row, *status = [line.split("\t") for line in done.text.splitlines()]
    tls = dict(status)
    return Login(row[0], row[1].partition("@")[2], tls["Ssl_cipher"], tls["Ssl_version"])


def login(broker, client, server, user, *args, env={}, **keys):
    """for_user, connect and logged_in at once."""
    for_user(broker, server, user, **keys)
    return logged_in(connect(broker, client, *args, options=client.options_for(server, user), env=env))


def hostile_files(broker, client, *lines):
    """A ~/.my.cnf for CLIENT's family that would redirect the login, in cleartext; then LINES in [client]."""
    family = {"mysql": ["ssl-mode=DISABLED", "enable-cleartext-plugin=1", "get-server-public-key=1"],
              "mariadb": ["skip-ssl", "disable-ssl-verify-server-cert"]}[client.family]
    text = ["[client]", "user=root", "password=fake-wrong", "host=wrong.test.internal", "port=1", "socket=/nowhere",
            "protocol=SOCKET", "tls-version=TLSv1.2", *family, *lines, "[client_evil]", "user=evil"]
    broker.write(".my.cnf", "\n".join(text) + "\n")
