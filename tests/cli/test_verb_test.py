# SPDX-License-Identifier: MIT
"""`broker test`, directly and on routes through a keeper: its rows and errors. Each server error is provoked with a
real server, or with a fake if a real server cannot do it. The message, the hint, the number and the exit status are
broker's own, and the same for all three clients. With `--json` they are one object, also on failure."""
import json
import re
import socket
import subprocess

import pytest

from lib import clients as client_table
from lib.logins import LEVELS, SECRET_ENV, for_user, profile
from lib.ways import SSM, through
from servers.pki import RIGHT_NAME, WRONG_NAME

FIELDS = ["profile", "ok", "exit", "hops", "user", "version", "tls_cipher", "error"]
USER_HINT = "check user and password; REQUIRE SSL needs tls = required, REQUIRE X509 tls_cert too"
USER_HINT_TLS = "check user and password; REQUIRE X509 needs tls_cert"
CREDENTIAL = f"the variable {SECRET_ENV}"


def run(broker, client, *args, **options):
    return broker.run("test", "p", "--client", client.path, *args, **options)


def rows(text):
    """[(hop, state, detail)]; asserts that the columns of each row have their exact widths."""
    found = []
    for line in text.splitlines():
        assert re.fullmatch(rf".{{10}}  (ok    |failed)  (?= *\d)[ \dms]{{6}}  \S.*", line), line
        found.append((line[:10].rstrip(), line[12:18].rstrip(), line[28:]))
    return found


def passed(route):
    """The rows before the server's; ROUTE: None if no row says that the route is ok."""
    return [*([("route", "ok", route)] if route else []), ("credential", "ok", CREDENTIAL)]


def on(route_kind, broker, server, **keys):
    """Writes the profile `p` for the server, by its own name, over that kind of route; returns the detail of the
    route's row. "keeper": direct, and a keeper handles TLS, because it is at a level that a MariaDB client does not
    support."""
    if route_kind == "direct":
        for_user(broker, server, "app", **{"host": RIGHT_NAME, "tls_ca": server.ca, **keys})
    elif route_kind == "keeper":
        for_user(broker, server, "app", **{"host": RIGHT_NAME, "tls": "required", **keys})
    elif route_kind == "tcp":
        through(broker, server, **keys)
    else:
        through(broker, server, tunnel=SSM, **{"host": "localhost", "port": server.port, "via": "far", **keys})
    direct = f"direct to {keys.get('host') or RIGHT_NAME}:{server.port}"
    return {"tcp": f"tcp 127.0.0.1:{server.port}", "command": "command aws"}.get(route_kind, direct)


def failed(broker, client, message, hint, exit, endpoint, *args, env={}, route=None):
    """Asserts that the last hop failed like this, in rows and in JSON. If nothing answered, no row says that the route
    is ok. ROUTE: the detail of a route that is not direct."""
    before = passed(None if message[:4] in ("2002", "2003") else route or f"direct to {endpoint}")
    done = run(broker, client, *args, env=env)
    assert done.errors == f"broker: p: {message}\nhint: {hint}\n" and done.code == exit
    assert rows(done.text) == [*before, ("server", "failed", message)]
    done = run(broker, client, "--json", *args, env=env)
    assert done.errors == f"broker: p: {message}\nhint: {hint}\n" and done.code == exit and done.out.count(b"\n") == 1
    said = json.loads(done.out)
    assert list(said) == FIELDS
    assert {k: said[k] for k in FIELDS if k != "hops"} == {
        "profile": "p", "ok": False, "exit": exit, "user": None, "version": None, "tls_cipher": None,
        "error": {"message": message, "hint": hint, "server_code": int(message.split()[0])}}
    assert [(hop["hop"], hop["ok"], hop["detail"]) for hop in said["hops"]] == [
        *((hop, True, detail) for hop, _, detail in before), ("server", False, message)]
    assert all(list(hop) == ["hop", "ok", "ms", "detail"] and isinstance(hop["ms"], int) for hop in said["hops"])


# Success

KNOWN = [("mysql9", "mysql_server", "app_sha2"), *((name, fixture, user) for name in ("mariadb1011", "mariadb118") for fixture, user in (
    ("mysql_server", "app_sha2"), ("mariadb_server", "app_ed"), ("mariadb_server", "app_native")))]


@pytest.mark.parametrize("name, fixture, user", KNOWN)
@pytest.mark.parametrize("place", ["tcp", "socket"])
def test_ok(request, broker, clients, name, fixture, user, place):
    client, server = clients[name], request.getfixturevalue(fixture)
    for_user(broker, server, user, **({"socket": server.socket} if place == "socket" else {}))
    done = run(broker, client)
    assert (done.code, done.err) == (0, b"")
    endpoint = server.socket if place == "socket" else f"127.0.0.1:{server.port}"
    *hops, (hop, state, detail) = rows(done.text)
    assert (hops, hop, state) == (passed(f"direct to {endpoint}"), "server", "ok")
    version, who, cipher = detail.split(", ")
    assert version == server.admin("select version()") and who == f"{user}@{'localhost' if place == 'socket' else '127.0.0.1'}"
    assert place == "socket" or cipher.startswith("TLS_")
    said = json.loads(run(broker, client, "--json").out)
    assert list(said) == FIELDS and (said["ok"], said["exit"], said["error"]) == (True, 0, None)
    assert (said["user"], said["version"], said["tls_cipher"] or "no TLS") == (who, version, cipher)
    assert [hop["hop"] for hop in said["hops"]] == ["route", "credential", "server"] and all(hop["ok"] for hop in said["hops"])


@pytest.mark.parametrize("route_kind, name", [*((route_kind, name) for route_kind in ("tcp", "command") for name in client_table.NAMES), ("keeper", "mariadb118")])
def test_ok_through_a_keeper(broker, names, clients, mysql_server, ssm, route_kind, name):
    route = on(route_kind, broker, mysql_server)
    done = run(broker, clients[name])
    assert (done.code, done.errors) == (0, ""), done.errors
    *before, (hop, state, detail) = rows(done.text)
    assert (before, hop, state) == (passed(route), "server", "ok") and re.fullmatch(r"\S+, app@\S+, TLS_\w+", detail), detail


def test_missing_tls_is_shown(broker, client, mysql_server):
    for_user(broker, mysql_server, "app", tls="disabled", server_public_key="yes")
    assert rows(run(broker, client).text)[-1][2].endswith(", app@127.0.0.1, no TLS")
    assert json.loads(run(broker, client, "--json").out)["tls_cipher"] is None


@pytest.mark.parametrize("place, noted", [("tcp", True), ("socket", False)])
def test_root_without_a_password(broker, client, mysql_server, place, noted):
    mysql_server.admin("create user if not exists root@'%'; grant all on *.* to root@'%'")
    keys = {"socket": mysql_server.socket} if place == "socket" else {"host": "127.0.0.1", "port": mysql_server.port}
    broker.config(profile(user="root", auth="none", **keys))
    note = "note: root logs in over TCP without a password\n" if noted else ""
    said, quiet = run(broker, client), run(broker, client, "--quiet")
    assert (said.code, said.errors, quiet.code, quiet.errors) == (0, note, 0, "")
    mysql_server.admin("drop user root@'%'")


# Server errors

@pytest.mark.parametrize("route_kind, level, hint", [("direct", "preferred", USER_HINT), ("tcp", "verify-identity", USER_HINT_TLS)])
def test_1045(broker, names, client, mysql_server, route_kind, level, hint):
    """A refusal by the server is reported in the server's row, over every route."""
    route = on(route_kind, broker, mysql_server, tls=level, tls_ca=mysql_server.ca if level == "verify-identity" else None)
    failed(broker, client, "1045 access denied for app@127.0.0.1", hint, 77, None, env={SECRET_ENV: "fake-wrong"}, route=route)


def test_1044_and_1049(broker, client, mysql_server):
    for_user(broker, mysql_server, "app")
    endpoint = f"127.0.0.1:{mysql_server.port}"
    failed(broker, client, "1044 access denied for app@% to database mysql", "set another database, or grant it to the user",
           77, endpoint, "--database", "mysql")
    mysql_server.create_user("all_rights", mysql_server.password("all_rights"))
    mysql_server.admin("grant all on *.* to all_rights@'%'")
    for_user(broker, mysql_server, "all_rights", database="nowhere")
    failed(broker, client, "1049 no database nowhere", "set database to one that exists", 77, endpoint)


def test_2002(broker, client):
    broker.config(profile(socket="/nowhere/s.sock", user="app", auth="env", auth_env=SECRET_ENV))
    broker.env[SECRET_ENV] = "fake"
    failed(broker, client, "2002 /nowhere/s.sock: no such file", "start the server, or set host or socket", 69, "/nowhere/s.sock")


@pytest.fixture
def anywhere(broker):
    """anywhere(host=..., port=...): writes a profile for a host that is not a real server."""
    broker.env[SECRET_ENV] = "fake"
    return lambda **keys: broker.config(profile(**{"user": "app", "auth": "env", "auth_env": SECRET_ENV, "host": "127.0.0.1", **keys}))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_2003(broker, client, anywhere, host):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, but not listening
        port = s.getsockname()[1]
        anywhere(host=host, port=port)
        failed(broker, client, f"2003 {host}:{port}: connection refused",
               "check port and firewall; a server behind a bastion needs via", 69, f"{host}:{port}")


@pytest.mark.parametrize("name", ["mariadb118", "mysql9"])
def test_2003_through_a_keeper(broker, names, clients, anywhere, name):
    """The message is the same if a keeper connects."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        anywhere(host=RIGHT_NAME, port=port, tls="required")
        done = run(broker, clients[name])
    assert [row[:2] for row in rows(done.text)] == [("credential", "ok"), ("server", "failed")]
    assert done.code == 69 and done.errors.startswith(f"broker: p: 2003 {RIGHT_NAME}:{port}: connection refused\nhint: ")


@pytest.mark.parametrize("login", ["auto", "client"])
def test_2003_with_a_credential_that_expires(broker, clients, keyring, login):
    """Only the answer of `auth = command` shows that a keeper is needed, which then connects with the login."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        broker.script("give", """echo '{"password": "fake", "expires_at": "2099-01-01T00:00:00Z"}'""")
        broker.config(profile(host="127.0.0.1", port=port, user="app", auth="command", auth_command="give", login=login))
        done = run(broker, clients["mysql9"], wrap=keyring.wrap)
    message = f"2003 127.0.0.1:{port}: connection refused"
    (hop, state, detail), server = rows(done.text)
    assert (hop, state) == ("credential", "ok") and detail.startswith("what give prints, valid for ")
    assert server == ("server", "failed", message) and done.code == 69
    assert done.errors == f"broker: p: {message}\nhint: check port and firewall; a server behind a bastion needs via\n"


def test_2003_of_the_route(broker, clients):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        broker.config(profile(host="db", user="app", auth="none", via=f"tcp://127.0.0.1:{port}"))
        done = run(broker, clients["mysql9"])
    assert done.code == 69 and rows(done.text) == [("route", "failed", f"2003 127.0.0.1:{port}: connection refused")]
    assert done.errors.startswith(f"broker: p: 2003 127.0.0.1:{port}: connection refused\nhint: ")


def test_command_of_the_tunnel_dies(broker, clients, mysql_server, ssm):
    ssm.tell(die="An error occurred (TargetNotConnected): i-0123 is not connected.")
    on("command", broker, mysql_server)
    done = run(broker, clients["mysql9"])
    (hop, state, _), = rows(done.text)
    assert done.code == 69 and (hop, state) == ("route", "failed")
    assert "TargetNotConnected" in done.errors and done.errors.count("\nhint: ") == 1


def test_2003_no_answer(broker, clients, anywhere):
    """A port whose queue is full drops packets, like a firewall."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for w in waiting:
            w.setblocking(False)
            w.connect_ex(("127.0.0.1", port))
        anywhere(port=port, connect_timeout="1s")
        done = run(broker, clients["mariadb1011"])
        for w in waiting:
            w.close()
    assert done.code == 69 and done.errors.startswith(f"broker: p: 2003 127.0.0.1:{port}: no answer in time\nhint: check port")


def test_no_such_host(broker, names, clients, anywhere):
    """It fails before any client is started, so there is no error number."""
    anywhere(host="nowhere.test.internal")
    text = "nowhere.test.internal: no such host"
    hint = "check host; a name that only a bastion can resolve needs via"
    for options in ([], ["--json"]):
        done = run(broker, clients["mysql9"], *options)
        assert done.code == 69 and done.errors == f"broker: p: {text}\nhint: {hint}\n"
    said = json.loads(done.out)
    assert said["error"] == {"message": text, "hint": hint, "server_code": None}
    assert [(hop["hop"], hop["ok"], hop["detail"]) for hop in said["hops"]] == [("route", False, text)]


def test_2005(broker, anywhere):
    """broker looks the name up first, so a client reports 2005 only if the name disappears in between: a stub reports
    it here."""
    anywhere(host="localhost", port=1)
    for version, line in (("mysql9", "ERROR 2005 (HY000): Unknown MySQL server host 'localhost' (-2)"),
                          ("mariadb118", "ERROR 2005 (HY000): Unknown server host 'localhost' (-2)")):
        stub = broker.stub(version=version, stderr=line + "\n", exit=1)
        done = broker.run("test", "p", "--client", stub.path)
        assert done.code == 69 and done.errors == ("broker: p: 2005 localhost:1: connection refused\n"
                                                   "hint: check host; a name that only a bastion can resolve needs via\n")


def test_2013_reset(broker, client, anywhere, fake_server):
    """The server closes before its greeting: the clients report 2002, 2003 or 2013, depending on timing; broker always
    reports 2013."""
    fake = fake_server("reset")
    anywhere(port=fake.port)
    for _ in range(3):
        failed(broker, client, f"2013 127.0.0.1:{fake.port}: the server closed the connection before the login",
               "check that it is a MySQL server that accepts connections from this machine", 69, f"127.0.0.1:{fake.port}")


def test_2013_silent(broker, client, anywhere, fake_server):
    """connect_timeout is the deadline; a greeting never comes."""
    fake = fake_server("silent")
    anywhere(port=fake.port, connect_timeout="1s")
    done = run(broker, client)
    assert done.code == 69 and done.errors == (f"broker: p: 2013 127.0.0.1:{fake.port}: no answer in time\n"
                                               "hint: check that it is a MySQL server and does not wait for a PROXY header; if it is slow, raise connect_timeout\n")
    assert [row[:2] for row in rows(done.text)] == [("credential", "ok"), ("server", "failed")]


def test_2013_silent_through_a_keeper(broker, clients, anywhere, fake_server):
    """The same if the keeper connects: a port that only accepts the connection has not answered."""
    fake = fake_server("silent")
    anywhere(port=fake.port, connect_timeout="1s", tls="required")
    done = run(broker, clients["mariadb118"])
    assert done.code == 69 and done.errors.startswith(f"broker: p: 2013 127.0.0.1:{fake.port}: no ") and "PROXY header" in done.errors, done.errors
    assert [row[:2] for row in rows(done.text)] == [("credential", "ok"), ("server", "failed")]


def test_1130_proxy_header(broker, names, client, start_server, relay):
    """A proxy from which the server accepts no header: the server says so after its greeting, where the clients expect
    TLS."""
    server = start_server("mariadb", options=["--proxy-protocol-networks=10.9.9.9"])
    proxy = relay((server.host, server.port), header=b"PROXY TCP4 10.0.0.7 10.0.0.8 5555 3306\r\n")
    for level in LEVELS:
        if client.name == "mysql9" and level == "disabled":
            continue  # it lacks the plug-in that the greeting names, and reads no further
        for_user(broker, server, "app", host=RIGHT_NAME, port=proxy.port, tls=level, tls_ca=server.ca if level.startswith("verify") else None)
        done = run(broker, client, "--json")
        what, *detail, hint = done.errors.splitlines()
        assert done.code == 77 and what == "broker: p: 1130 the server accepts no PROXY header from this proxy", (level, done.errors)
        assert hint == "hint: on the server, add the proxy's address to proxy_protocol_networks; or bypass the proxy"
        said = json.loads(done.out)
        assert said["error"]["server_code"] == 1130 and said["hops"][0]["ok"] and said["hops"][0]["hop"] == "route"


def test_mariadb_does_not_wait_for_a_proxy_header(broker, clients, start_server):
    """Percona's server would wait, which leads to the hint of test_2013_silent."""
    server = start_server("mariadb", options=["--proxy-protocol-networks=*"])
    for_user(broker, server, "app")
    assert run(broker, clients["mariadb1011"]).code == 0


def test_timeout_of_the_run(broker, clients, anywhere, fake_server):
    """--timeout limits all hops together, whatever connect_timeout the client got."""
    fake = fake_server("silent")
    anywhere(port=fake.port, connect_timeout="30s")
    done = run(broker, clients["mysql9"], "--timeout", "1s")
    assert done.code == 69 and done.errors == (
        f"broker: p: 127.0.0.1:{fake.port}: no answer in time\n"
        "hint: --timeout ended the run: raise it, or check the server\n")
    assert [row[:2] for row in rows(done.text)] == [("credential", "ok"), ("server", "failed")]


@pytest.mark.parametrize("route_kind, host, ca", [("direct", RIGHT_NAME, "wrong_ca"), ("direct", WRONG_NAME, "ca"), ("tcp", WRONG_NAME, "ca")])
def test_2026(broker, names, client, mysql_server, route_kind, host, ca):
    """A wrong certificate is reported with the keeper's message, even if the client handled TLS: a keeper then looks
    again."""
    route = on(route_kind, broker, mysql_server, host=host, tls="verify-identity", tls_ca=getattr(mysql_server, ca))
    words = f"certificate is not valid for {WRONG_NAME}" if ca == "ca" else "certificate is from a CA that is not in "
    done = run(broker, client)
    what, *details, hint = done.errors.splitlines()
    assert done.code == 69 and what.startswith(f"broker: p: 2026 {words}") and hint.startswith("hint: "), done.errors
    if ca == "ca":
        assert (details, hint) == ([f"  it names {RIGHT_NAME}, localhost"], f"hint: host = {RIGHT_NAME}")
    assert rows(done.text) == [*passed(route), ("server", "failed", what[len("broker: p: "):])]
    assert json.loads(run(broker, client, "--json").text)["error"]["server_code"] == 2026


@pytest.mark.parametrize("route_kind, level", [("direct", "verify-identity"), ("tcp", "required")])
def test_2026_no_tls(broker, names, client, mysql_server, mysql_notls, route_kind, level):
    ca = mysql_server.ca if level == "verify-identity" else None
    route = on(route_kind, broker, mysql_notls, tls=level, tls_ca=ca)
    endpoint = f"{RIGHT_NAME}:{mysql_notls.port if route_kind == 'direct' else 3306}"
    failed(broker, client, f"2026 {endpoint}: the server has no TLS",
           "tls = preferred connects without TLS, and an attacker on the network can read and change everything", 69, None, route=route)


def same_error(broker, clients, levels, what, hint):
    """Asserts that the error is the same with each client, and if the keeper handles TLS."""
    for client in clients.values():
        for level in levels:
            done = run(broker, client, "--tls", level, "--json")
            first, *_, last = done.errors.splitlines()
            assert done.code == 69 and re.fullmatch(f"broker: p: 2026 {what}", first) and last == f"hint: {hint}", (client.name, level, done.errors)
            assert json.loads(done.out)["error"]["server_code"] == 2026


DATES = {"expired": ("20200101000000Z", "20200201000000Z", "certificate has expired on 2020-02-01"),
         "early": ("20990101000000Z", "20990201000000Z", "certificate is not valid yet")}


@pytest.mark.parametrize("dates", DATES)
def test_certificate_outside_its_validity(broker, names, clients, start_server, pki, dates):
    start, end, words = DATES[dates]
    server = start_server("mariadb", certificate=pki.issue_for(dates, [f"DNS:{RIGHT_NAME}"], start, end))
    for_user(broker, server, "app", host=RIGHT_NAME, tls_ca=server.ca)
    same_error(broker, clients, ("verify-ca", "verify-identity"), words, "renew it on the server; or correct this machine's clock")


def test_server_with_tls_1_1_only(broker, names, clients, start_server, monkeypatch):
    """OpenSSL supports it only at its lowest security level, which is set for the server; that of broker and the
    clients is unchanged."""
    path = broker.write("old.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT@SECLEVEL=0\n"
                        "MinProtocol = TLSv1.1\n")
    with monkeypatch.context() as m:
        m.setenv("OPENSSL_CONF", str(path))
        server = start_server("mariadb", options=["--tls-version=TLSv1.1"])
        argv = ["openssl", "s_client", "-starttls", "mysql", "-connect", f"127.0.0.1:{server.port}"]
        assert re.search(rb"Protocol *: TLSv1\.1\n", subprocess.run(argv, input=b"", capture_output=True, timeout=60).stdout)
    for_user(broker, server, "app", host=RIGHT_NAME, tls_ca=server.ca)
    same_error(broker, clients, LEVELS[1:], "the server supports no TLS version that tls_version allows",
               "set tls_version = TLSv1.2,TLSv1.3, or upgrade the server")


def test_key_with_a_passphrase(broker, names, client, mysql_server):
    """The clients only report that they have no private key."""
    key, cert = broker.home / "key.pem", broker.home / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:fake-phrase", "-subj", "/CN=x", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    for_user(broker, mysql_server, "app", host=RIGHT_NAME, tls="required", tls_cert=cert, tls_key=key)
    done = run(broker, client)
    assert done.code == 78 and "it has a passphrase" in done.errors and "\nhint: openssl pkey -in " in done.errors, done.errors


@pytest.mark.parametrize("fixture", ["mysql_server", "mariadb_server"])
def test_expired_password(request, broker, client, fixture):
    if fixture == "mariadb_server" and client.name == "mysql9":
        return  # MySQL 9 lacks the plug-in
    server = request.getfixturevalue(fixture)
    plugin = "caching_sha2_password" if fixture == "mysql_server" else None
    server.create_user("late", server.password("late"), *([plugin] if plugin else []))
    server.admin("alter user late@'%' password expire")
    for_user(broker, server, "late", tls="required")
    done = run(broker, client)
    what, hint = done.errors.splitlines()
    assert done.code == 77 and re.fullmatch("broker: p: 18(20|62) the password has expired", what), done.errors
    assert hint == "hint: broker connect p, then: alter user user() identified by '...'"


def test_1226(broker, client, mysql_server):
    mysql_server.create_user("one", mysql_server.password("one"), "caching_sha2_password")
    mysql_server.admin("alter user one@'%' with max_connections_per_hour 1")
    for_user(broker, mysql_server, "one", tls="required")
    for _ in range(2):
        done = run(broker, client)
    assert done.code == 75 and done.errors.splitlines()[1] == "hint: try again later, or raise the limit of the account", done.errors
    mysql_server.admin("drop user one@'%'")


@pytest.mark.parametrize("user, plugin", [("app_native", "mysql_native_password"), ("app_ed", "client_ed25519")])
def test_plugin_missing(broker, clients, mariadb_server, user, plugin):
    for_user(broker, mariadb_server, user)
    failed(broker, clients["mysql9"], f"2059 the client does not have the plug-in {plugin}, which the account needs",
           "set client to one that has it", 77, f"127.0.0.1:{mariadb_server.port}")


@pytest.mark.parametrize("greeting", [b"mysql_native_password", b"mysql_clear_password"])
def test_2059_cleartext(broker, client, anywhere, fake_server, greeting):
    fake = fake_server(greeting_plugin=greeting)
    anywhere(port=fake.port)
    failed(broker, client, "2059 the server wants the password in cleartext",
           "set cleartext = yes if you trust this server; broker then verifies its certificate", 77, f"127.0.0.1:{fake.port}")


@pytest.mark.parametrize("name", ["mariadb1011", "mariadb118"])
@pytest.mark.parametrize("level", ["preferred", "required"])
def test_2059_sha256(broker, clients, anywhere, fake_server, pki, level, name):
    fake = fake_server("sha256", certificate=pki.server)
    anywhere(port=fake.port, tls=level, login="client")
    failed(broker, clients[name], "2059 the server wants the password itself (sha256_password)",
           "set tls = verify-identity, so that only the verified server gets it; or the user does not exist", 77, f"127.0.0.1:{fake.port}")


def test_2061(broker, clients, mysql_server):
    mysql_server.create_user("fresh", mysql_server.password("fresh"), "caching_sha2_password")
    for_user(broker, mysql_server, "fresh", tls="disabled")
    failed(broker, clients["mysql9"], "2061 the account needs TLS, or the server's public key",
           "tls = required, or server_public_key = yes", 77, f"127.0.0.1:{mysql_server.port}")


def test_3159(broker, client, mysql_server):
    mysql_server.admin("set global require_secure_transport = on")
    try:
        for_user(broker, mysql_server, "app", tls="disabled", server_public_key="yes")
        failed(broker, client, "3159 the server requires TLS", "tls = required", 77,
               f"127.0.0.1:{mysql_server.port}")
    finally:
        mysql_server.admin("set global require_secure_transport = off")


# Errors before the server's hop, and dry runs

def test_error_without_a_hop(broker, clients, anywhere):
    anywhere(host=RIGHT_NAME, login="keeper", auth="client", auth_env=None)
    done = run(broker, clients["mariadb118"], "--json")
    said = json.loads(done.out)
    assert done.code == said["exit"] == 78 and said["hops"] == [] and not said["ok"]
    assert said["error"]["message"] == "login = keeper: auth = client leaves user and password to the client"
    assert said["error"]["server_code"] is None


def test_credential_fails(broker, clients, mysql_server):
    broker.config(profile(host="127.0.0.1", port=mysql_server.port, user="app", auth="env", auth_env="TEST_UNSET"))
    done = run(broker, clients["mysql9"])
    assert done.code == 78 and [row[:2] for row in rows(done.text)] == [("credential", "failed")]  # and no connection
    assert done.errors.startswith("broker: p: ") and done.errors.count("\nhint: ") == 1
    assert rows(done.text)[0][2] == done.errors.splitlines()[0][len("broker: p: "):]


def test_dry_run_and_verbose(broker, client, mysql_server):
    for_user(broker, mysql_server, "app", database="shop")
    endpoint = f"127.0.0.1:{mysql_server.port}"
    plan = (f"endpoint    {endpoint}\nroute       direct\ntls         preferred, by the client\ncredential  the variable "
            f"{SECRET_ENV}\naddress     {endpoint}\nclient      {client.path} --defaults-file=/dev/fd/N")
    for verb, args, more in (("test", [], ""), ("connect", ["--", "-e", "select 'x'"], r" -e 'select '\''x'\'''")):
        done = broker.run(verb, "p", "--client", client.path, "--dry-run", *args)
        assert (done.code, done.err, done.text) == (0, b"", plan + more + "\n")
    done = broker.run("connect", "p", "-v", "--client", client.path, "--", "-NBe", "select 1")
    assert (done.code, done.out) == (0, b"1\n")
    lines = [re.fullmatch(r"\+\d+ms {1,4}(\S+) +(.*)", line).groups() for line in done.errors.splitlines()]
    assert lines == [("config", "~/.config/broker/config:1"), ("route", f"direct, {endpoint}"),
                     ("credential", f"the variable {SECRET_ENV}, password ********"),
                     ("client", lines[3][1])] and re.fullmatch(rf"{client.path} --defaults-file=/dev/fd/\d+", lines[3][1])


def test_dry_run_makes_no_connection(broker, clients, fake_server):
    fake = fake_server("silent")
    broker.config(profile(host="127.0.0.1", port=fake.port, user="app", auth="file", auth_file="/nonexistent"))
    for verb in (["test"], ["connect"], ["exec"]):
        done = broker.run(*verb, "p", "--client", clients["mysql9"].path, "--dry-run", *(["--", "true"] if verb == ["exec"] else []))
        assert done.code == 0 and fake.connections == 0
