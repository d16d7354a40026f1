# SPDX-License-Identifier: MIT
"""Passwords in cleartext: a server that asks for one without verified TLS gets no part of it, whatever the user's
option files and environment say, and `cleartext = yes` works only if docs/config.md ("The level of TLS") allows it. The
server is a fake that records every byte; each test also shows that the client got far enough to be asked. MariaDB's
clients have no option to forbid it: they get a plug-in folder without the plug-ins that do it (session/plugins.c)."""
import os
import shutil
import subprocess

import pytest

from lib import canary, namespace
from lib.logins import HOSTILE_ENV, LEVELS, SECRET_ENV, connect, for_user, hostile_files, login, profile
from servers.pki import RIGHT_NAME, WRONG_NAME

SECRET = b"Zq9#kT7!vX2$mW4%canary"
PIECE = 4  # even so few bytes of it would be noticed
NATIVE, CLEAR, DIALOG = b"mysql_native_password", b"mysql_clear_password", b"dialog"
ASKS = [{"plugin": CLEAR}, {"plugin": DIALOG}, {"plugin": CLEAR, "greeting_plugin": CLEAR},
        {"plugin": DIALOG, "greeting_plugin": DIALOG}]
PLUGINS = "/usr/lib/x86_64-linux-gnu/libmariadb3/plugin"
ENV = {**HOSTILE_ENV, "MARIADB_PLUGIN_DIR": PLUGINS, "LIBMYSQL_PLUGIN_DIR": PLUGINS, "LIBMYSQL_PLUGINS": "mysql_clear_password"}
HOMES = {"clean": None, "hostile": [f"plugin-dir={PLUGINS}"],
         "default-auth": [f"plugin-dir={PLUGINS}", "default-auth=mysql_clear_password"]}
MARIADB = ("mariadb1011", "mariadb118")


@pytest.fixture
def secret(broker):
    broker.env[SECRET_ENV] = broker.secret(SECRET).decode()


def attempt(broker, client, fake, host, home="clean", **keys):
    """One login to the fake, by the client unless KEYS say otherwise; returns the result."""
    broker.config(profile(**{"host": host, "port": fake.port, "user": "app", "auth": "env", "auth_env": SECRET_ENV, "login": "client", **keys}))
    if HOMES[home]:
        hostile_files(broker, client, *HOMES[home])
    return connect(broker, client, env=ENV if HOMES[home] else {})


def got_nothing(fake):
    return not any(SECRET[i:i + PIECE] in fake.received for i in range(len(SECRET) - PIECE + 1)) and not any(fake.answers)


def refused(done):
    """TLS failed: the client's own error, or the keeper's error, which the client shows."""
    return b"ERROR 2026" in done.err or b": broker: 2026 " in done.err


def lacks_plugin(done):
    """The client was asked, but lacks the plug-in; MariaDB's client reports that with an error number of servers."""
    return done.err.startswith(b"ERROR 2059 (HY000)") or b"could not be loaded" in done.err


@pytest.mark.parametrize("host, home", [("127.0.0.1", "hostile"), ("localhost", "hostile"), *((RIGHT_NAME, home) for home in HOMES)])
@pytest.mark.parametrize("level", LEVELS)
def test_server_without_tls_gets_nothing(broker, names, client, fake_server, pki, secret, level, host, home):
    for ask in ASKS:
        fake = fake_server(**ask)
        done = attempt(broker, client, fake, host, home, tls=level, tls_ca=pki.ca)
        assert got_nothing(fake), (ask, fake.received)
        if level in ("disabled", "preferred"):
            assert done.code == 1 and fake.connections == 1 and lacks_plugin(done)
        else:
            assert done.code == 1 and fake.connections == 1 and refused(done)


def test_client_without_broker_sends_all(client, fake_server):
    """The other tests rely on this: without broker, a client that allows it, as MariaDB's always does, sends the
    password."""
    asked = ASKS if client.family == "mariadb" else [ask for ask in ASKS if DIALOG not in ask.values()]
    for ask in asked:
        fake = fake_server(**ask)
        client.raw(fake, "app", "select 1", *(["--enable-cleartext-plugin"] if client.family == "mysql" else []), password=SECRET)
        assert SECRET in fake.received


@pytest.mark.parametrize("cleartext", ["no", "yes"])
@pytest.mark.parametrize("level", LEVELS[2:])
@pytest.mark.parametrize("case", ["wrong name", "wrong ca", "all right"])
def test_server_with_tls(broker, names, client, fake_server, pki, secret, case, level, cleartext):
    """A TLS server that fails the check of its certificate gets nothing. At `required` nothing is checked, and any
    server gets the password if the profile itself sets that level and `cleartext = yes`. A verified server gets it
    from MariaDB's clients, and with `cleartext = yes` from Oracle's."""
    for ask in ASKS[::2]:
        fake = fake_server(certificate=pki.server, **ask)
        host = WRONG_NAME if case == "wrong name" else RIGHT_NAME
        done = attempt(broker, client, fake, host, tls=level, cleartext=cleartext,
                       tls_ca=pki.wrong_ca if case == "wrong ca" else pki.ca)
        verified = case == "all right" or level == "required" or (level, case) == ("verify-ca", "wrong name")
        willing = cleartext == "yes" or (client.family == "mariadb" and level != "required")
        assert fake.connections == 1
        if not verified:
            assert done.code == 1 and refused(done)
        assert got_nothing(fake) if not (verified and willing) else SECRET + b"\0" in fake.answers


@pytest.mark.parametrize("ask", ASKS[:2], ids=["switch", "dialog"])
def test_preferred_tls_proves_nothing(broker, names, client, fake_server, pki, secret, ask):
    """At `preferred`, TLS does not prove who the server is, so it does not get the password."""
    fake = fake_server(certificate=pki.server, **ask)
    done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls="preferred")
    assert done.code == 1 and fake.tls_used and got_nothing(fake) and lacks_plugin(done)


@pytest.mark.parametrize("level", [None, "verify-identity", "verify-ca", "required"])
def test_cleartext_account_without_tls(broker, names, client, fake_server, pki, secret, level):
    fake = fake_server()
    done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls=level, cleartext="yes", tls_ca=pki.ca)
    assert got_nothing(fake)
    assert refused(done) and fake.connections == 1


@pytest.mark.parametrize("tool", ["dump", "admin", "load"])
def test_tools_send_nothing(broker, client, fake_server, secret, tool):
    """The same for tools that run with `exec` and {defaults-file}."""
    hostile_files(broker, client, *HOMES["hostile"])
    args = {"dump": ["shop"], "admin": ["processlist"], "load": ["--local", "shop", "item.txt"]}[tool]
    for ask in ASKS:
        fake = fake_server(**ask)
        broker.config(profile(host="127.0.0.1", port=fake.port, user="app", auth="env", auth_env=SECRET_ENV))
        done = broker.run("exec", "p", "--", getattr(client, tool), "--defaults-file={defaults-file}", *args, env=ENV)
        assert done.code == 1 + (tool == "dump") and fake.connections == 1 and got_nothing(fake)
        assert ask["plugin"] in done.err


def test_long_password_without_tls(broker, clients, fake_server):
    """A password of over 4,000 bytes is passed to MariaDB's client as MYSQL_PWD; the plug-in folder is the same."""
    long = (SECRET.decode() * 200)[:4100]
    for name in MARIADB:
        fake = fake_server()
        broker.env[SECRET_ENV] = long
        done = attempt(broker, clients[name], fake, "127.0.0.1", "hostile", tls="preferred")
        assert done.code == 1 and got_nothing(fake) and lacks_plugin(done) and fake.connections == 1


SENT = "broker: {}: tls = {} with a password sent in cleartext\nhint: set tls = verify-identity{}\n"
OR_FILE = ", or write tls = required in the profile itself"


@pytest.mark.parametrize("level, by", [
    ("disabled", "file"), ("preferred", "file"), ("preferred", "flag"), ("preferred", "-o"), ("preferred", "env"),
    ("preferred", "defaults"), ("required", "flag"), ("required", "-o"), ("required", "env"), ("required", "defaults")])
def test_cleartext_level_refused(broker, clients, level, by):
    text = profile(host=RIGHT_NAME, user="app", auth="none", cleartext="yes", tls=level if by == "file" else None)
    broker.config(text + (f"[defaults]\ntls = {level}\n" if by == "defaults" else ""))
    flags = {"flag": ["--tls", level], "-o": ["-o", f"tls={level}"]}.get(by, [])
    for client in clients.values():
        done = connect(broker, client, *flags, env={"BROKER_TLS": level} if by == "env" else {})
        hint = OR_FILE if level == "required" else ""
        assert (done.code, done.out, done.errors) == (78, b"", SENT.format("p", level, hint))


@pytest.mark.parametrize("keys, level", [({}, "verify-identity"), ({"tls": "required"}, "required"), ({"tls": "verify-ca"}, "verify-ca")])
def test_cleartext_level_allowed(broker, clients, keys, level):
    broker.config(profile(host=RIGHT_NAME, user="app", auth="none", cleartext="yes", **keys))
    done = broker.run("connect", "p", "--dry-run", "--client", clients["mysql9"].path)
    assert done.code == 0 and f"\ntls         {level}, by the client" in done.text


def test_cleartext_level_in_a_url(broker, clients):
    url = f"mysql://app@{RIGHT_NAME}/?enable_cleartext_plugin=1&tls="
    run = ["--dry-run", "--auth", "none", "--client", clients["mysql9"].path]
    assert "\ntls         required, by the client\n" in broker.run("connect", url + "required", *run).text
    done = broker.run("connect", url + "preferred", *run)
    assert (done.code, done.errors) == (78, SENT.format(RIGHT_NAME, "preferred", ""))


@pytest.mark.parametrize("level", [None, "disabled", "preferred"])
def test_cleartext_over_the_servers_socket(broker, client, mysql_server, level):
    keys = {"socket": mysql_server.socket, "tls": level, "cleartext": "yes"}
    assert login(broker, client, mysql_server, "app", **keys).seen_from == "localhost"


# What docs/security.md says of caching_sha2_password and sha256_password below verify-ca: an unverified server gets the
# password itself ("clear"; "tls": through TLS with any certificate), or the password encrypted with a key that it sends
# ("key"). The rows were measured with these clients: if one changes, that page must change too. `disabled` is the same
# with a server that has TLS; "no" and "yes" are the values of server_public_key.
NOTHING, CLEAR_TEXT, BY_KEY, BY_TLS = "nothing", "clear", "key", "tls"
SHA2 = {
    # mode, family, key: disabled, preferred without TLS, preferred with TLS, required with TLS
    ("sha2", "mysql", "no"): (NOTHING, NOTHING, BY_TLS, BY_TLS),
    ("sha2", "mysql", "yes"): (BY_KEY, BY_KEY, BY_TLS, BY_TLS),
    ("sha2", "mariadb", None): (BY_KEY, CLEAR_TEXT, BY_TLS, BY_TLS),
    ("sha256", "mysql", "no"): (BY_KEY, BY_KEY, BY_TLS, BY_TLS),
    ("sha256", "mysql", "yes"): (BY_KEY, BY_KEY, BY_TLS, BY_TLS),
    ("sha256", "mariadb", None): (NOTHING, NOTHING, NOTHING, NOTHING),  # left out of their plug-in folder
}
SHA2_LEVELS = [("disabled", False), ("preferred", False), ("preferred", True), ("required", True)]


@pytest.fixture(scope="module")
def rsa(tmp_path_factory):
    path = tmp_path_factory.mktemp("rsa") / "key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", path], check=True, capture_output=True)
    return path


def given(fake):
    """How the fake got the password, if it did."""
    if SECRET in fake.received:
        return BY_TLS if fake.tls_used else CLEAR_TEXT
    return BY_KEY if fake.encrypted and fake.answers[-1] == SECRET + b"\0" else NOTHING


@pytest.mark.parametrize("via", [False, True], ids=["direct", "tcp"])
@pytest.mark.parametrize("greets", [False, True], ids=["switched", "greeted"])
@pytest.mark.parametrize("level, tls", SHA2_LEVELS)
@pytest.mark.parametrize("mode", ["sha2", "sha256"])
def test_sha2_below_verify_ca(broker, names, client, fake_server, pki, secret, rsa, mode, level, tls, greets, via):
    plugin = {"sha2": b"caching_sha2_password", "sha256": b"sha256_password"}[mode]
    for (_, _, key), row in [(k, v) for k, v in SHA2.items() if k[:2] == (mode, client.family)]:
        fake = fake_server(mode, certificate=pki.server if tls else None, rsa=rsa, greeting_plugin=plugin if greets else NATIVE)
        done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls=level, server_public_key=key,
                       via=f"tcp://127.0.0.1:{fake.port}" if via else None)
        expected = row[SHA2_LEVELS.index((level, tls))]
        assert given(fake) == expected and done.code == 1 and fake.connections == 1, (key, fake.received, done.err)
        if (mode, client.family) == ("sha256", "mariadb"):
            assert lacks_plugin(done) and got_nothing(fake)


@pytest.mark.parametrize("level", ["verify-ca", "verify-identity"])
@pytest.mark.parametrize("mode", ["sha2", "sha256"])
def test_sha2_verified(broker, names, client, fake_server, pki, secret, rsa, mode, level):
    """With a certificate from another CA the server gets nothing; with the right one it may get the password."""
    for certificate, ca, expected in ((None, pki.ca, NOTHING), (pki.server, pki.wrong_ca, NOTHING), (pki.server, pki.ca, BY_TLS)):
        fake = fake_server(mode, certificate=certificate, rsa=rsa)
        done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls=level, tls_ca=ca)
        assert given(fake) == expected and done.code == 1 and fake.connections == 1, (certificate, done.err)
        assert expected == BY_TLS or (refused(done) and got_nothing(fake))


def test_sha256_account(broker, names, client, mysql_server):
    """With a real server: MariaDB's clients log in only if the server is verified."""
    mysql_server.create_user("app_sha256", mysql_server.password("app_sha256"), "sha256_password")
    for level in LEVELS:
        for_user(broker, mysql_server, "app_sha256", host=RIGHT_NAME, tls=level, tls_ca=mysql_server.ca, login="client")
        done = connect(broker, client)
        if client.family == "mariadb" and level in LEVELS[:3]:
            assert done.code == 1 and lacks_plugin(done), done.err
        else:
            assert done.code == 0 and done.out.startswith(b"app_sha256@%\t"), done.err


# If the keeper logs in, the result is the same for all clients

BY_KEEPER = {
    ("sha2", "no"): (NOTHING, NOTHING, BY_TLS, BY_TLS), ("sha2", "yes"): (BY_KEY, BY_KEY, BY_TLS, BY_TLS),
    ("sha256", "no"): (NOTHING, NOTHING, BY_TLS, BY_TLS), ("sha256", "yes"): (BY_KEY, BY_KEY, BY_TLS, BY_TLS),
}


@pytest.mark.parametrize("greets", [False, True], ids=["switched", "greeted"])
@pytest.mark.parametrize("level, tls", SHA2_LEVELS)
@pytest.mark.parametrize("mode, key", BY_KEEPER)
def test_sha2_by_the_keeper(broker, names, client, fake_server, pki, secret, rsa, mode, key, level, tls, greets):
    plugin = {"sha2": b"caching_sha2_password", "sha256": b"sha256_password"}[mode]
    fake = fake_server(mode, certificate=pki.server if tls else None, rsa=rsa, greeting_plugin=plugin if greets else NATIVE)
    done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls=level, server_public_key=key, login="keeper")
    assert given(fake) == BY_KEEPER[mode, key][SHA2_LEVELS.index((level, tls))] and done.code == 1, (fake.received, done.err)


@pytest.mark.parametrize("level", LEVELS)
def test_no_cleartext_by_the_keeper(broker, names, client, fake_server, pki, secret, level):
    """Whatever the server asks for and the user's own files allow: with TLS to an unverified server, and without
    TLS."""
    for ask in ASKS:
        for certificate in (None, pki.server):
            fake = fake_server(**ask, certificate=certificate)
            done = attempt(broker, client, fake, RIGHT_NAME, "hostile", tls=level, tls_ca=pki.wrong_ca, login="keeper")
            assert done.code == 1 and got_nothing(fake), (ask, certificate, fake.received)


# The plug-in folder for MariaDB's clients

def plugin_folders(broker):
    return sorted((broker.runtime / "broker").glob("plugins-*"))


@pytest.mark.parametrize("name", MARIADB)
def test_plugin_folder(broker, clients, mariadb_server, mysql_server, name):
    """It is made once for all profiles; the other authentication plug-ins work with it."""
    for server, user in ((mariadb_server, "app_ed"), (mysql_server, "app_sha2"), (mariadb_server, "app_native")):
        for level in ("preferred", "disabled"):
            assert login(broker, clients[name], server, user, tls=level).account == f"{user}@%"
    folder, = plugin_folders(broker)
    names = sorted(os.listdir(folder))
    assert "client_ed25519.so" in names and "caching_sha2_password.so" in names
    assert not {"mysql_clear_password.so", "dialog.so", "sha256_password.so"} & set(names)
    assert all((folder / n).resolve() == (namespace.Path(PLUGINS) / n).resolve() for n in names)
    assert folder.parent.stat().st_mode & 0o777 == 0o700 and folder.stat().st_mode & 0o777 == 0o700


def test_plugin_folder_made_by_eight_brokers(broker, clients, mariadb_server):
    """Eight brokers start while there is no folder: each logs in, and one folder is left without a partly made one."""
    client = clients["mariadb1011"]
    login(broker, client, mariadb_server, "app_ed", socket=mariadb_server.socket)
    assert not plugin_folders(broker)  # not needed over the server's socket
    login_profile = profile(host="127.0.0.1", port=mariadb_server.port, user="app_ed", auth="env", auth_env=SECRET_ENV)
    broker.config(login_profile)
    runs = [broker.start("connect", "p", "--client", client.path, "--", "-NBe", "select 1", stdout=-1, stderr=-1) for _ in range(8)]
    assert [(run.communicate(timeout=20), run.returncode) for run in runs] == [((b"1\n", b""), 0)] * 8
    assert len(plugin_folders(broker)) == 1 and os.listdir(broker.runtime / "broker") == [plugin_folders(broker)[0].name]


@pytest.fixture(params=["", "broker"])
def read_only(request, broker, names):
    """The runtime folder, or broker's folder in it, is on a read-only file system; returns its path."""
    folder = broker.runtime / request.param
    folder.mkdir(mode=0o700, exist_ok=True)
    namespace._mount("tmpfs", folder, "tmpfs", 1, "mode=700")
    yield folder
    namespace.LIBC.umount2(str(folder).encode(), namespace.MNT_DETACH)


@pytest.mark.parametrize("name", MARIADB)
def test_read_only_runtime(broker, clients, mariadb_server, mysql_server, read_only, name):
    for_user(broker, mariadb_server, "app_ed")
    shutil.rmtree(broker.tmp)  # otherwise broker would use this folder
    done = connect(broker, clients[name])
    no_folder = read_only == broker.runtime
    assert (done.code, done.out) == (78 if no_folder else 74, b"")
    assert done.errors.replace(f"  {broker.tmp}/broker-{os.getuid()}: No such file or directory\n" if no_folder else "", "") == (f"broker: {broker.runtime}/broker: Read-only file system\n"
                           "hint: set XDG_RUNTIME_DIR to a folder that you own, mode 0700\n")
    assert login(broker, clients["mysql9"], mysql_server, "app").cipher  # needs no plug-in folder
