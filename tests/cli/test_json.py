# SPDX-License-Identifier: MIT
"""The structure of --json output: one object on one line, with every field always present, or null. Scripts depend on
it."""
import json

import pytest

LISTED = ["name", "title", "auth", "host", "port", "socket", "user", "database", "via", "tls"]
KEYS = '''title inherits host port socket user database auth via client my_cnf tls tls_ca tls_cert tls_key tls_ciphers
tls_version cleartext server_public_key compress local_infile time_zone connect_timeout login_timeout listen login
aws_profile region sign_host sign_port mfa_command
vault_addr vault_namespace vault_ca vault_cert vault_key vault_auth vault_mount vault_role vault_user vault_role_id vault_secret_id_file vault_jwt_file vault_token_file vault_path vault_callback vault_revoke
auth_command auth_file auth_env auth_helper auth_helper_url
tunnel.type tunnel.host tunnel.port tunnel.user tunnel.identity tunnel.ssh_engine tunnel.keepalive tunnel.connect_timeout
tunnel.command tunnel.ready tunnel.address'''.split()
TESTED = ["profile", "ok", "exit", "hops", "user", "version", "tls_cipher", "error"]
HOP = ["hop", "ok", "ms", "detail"]
ERROR = ["message", "hint", "server_code"]


def read(done):
    """The object on stdout; its fields keep their order."""
    assert done.out.endswith(b"\n") and done.out.count(b"\n") == 1 and done.out.isascii()
    return json.loads(done.out)


def test_list(broker):
    assert broker.run("profile", "list", "--json").text == '{"profiles":[]}\n'
    broker.config('[profile prod]\nhost = RDS\nuser = app_ro\ndatabase = shop\nvia = ssh://b\nauth = iam\ntitle = "\u00e9"\n'
                  "[profile local]\n[profile bad]\nhots = x\n")
    profiles = read(broker.run("profile", "list", "--json"))["profiles"]
    assert [list(p) for p in profiles] == [LISTED] * 3
    assert [list(p.values()) for p in profiles] == [
        ["prod", "\u00e9", "iam", "RDS", 3306, None, "app_ro", "shop", "ssh://b", "verify-identity"],
        ["local", None, "client", None, None, "auto", None, None, None, "preferred"],
        ["bad", *[None] * 9]]


def test_show(broker):
    path = str(broker.config("""\
[defaults]
compress = yes
connect_timeout = 500ms
[profile prod]
host = db.example.com
user = app
via = bastion
client = mysql
[tunnel bastion]
type = ssh
host = b
port = 2222
"""))
    done = broker.run("profile", "show", "prod", "--json", "-uother", "-o", "login-timeout=2m",
                      env={"BROKER_TIME_ZONE": "UTC"})
    shown = read(done)
    assert list(shown) == ["name", "keys", "tunnel"] and shown["name"] == "prod"

    def key(value, origin, source=None, line=None):
        return {"value": value, "origin": origin, "from": source, "line": line}
    assert shown["keys"] == {
        "host": key("db.example.com", "file", path, 5), "user": key("other", "flag", "-u"),
        "via": key("bastion", "file", path, 7),
        "client": key("mysql", "file", path, 8), "auth": key("keychain", "derived", "user"),
        "tls": key("preferred", "derived", "via"), "compress": key(True, "file", path, 2),
        "time_zone": key("UTC", "env", "BROKER_TIME_ZONE"), "connect_timeout": key(0.5, "file", path, 3),
        "login_timeout": key(120, "flag", "-o login-timeout")}
    assert shown["tunnel"] == {"type": key("ssh", "file", path, 10), "host": key("b", "file", path, 11),
                               "port": key(2222, "file", path, 12)}
    assert all(list(row) == ["value", "origin", "from", "line"] for row in shown["keys"].values())


def test_show_all(broker):
    shown = read(broker.run("profile", "show", "mysql://h?tls=disabled&auth=none", "--json", "--all"))
    assert shown["name"] is None
    keys, tunnel = shown["keys"], shown["tunnel"]
    assert keys["host"] == {"value": "h", "origin": "url", "from": "host", "line": None}
    assert keys["my_cnf"] == {"value": True, "origin": "built_in", "from": None, "line": None}
    assert keys["port"]["value"] == 3306 and keys["login_timeout"]["value"] == 120 and keys["title"]["value"] is None
    # Every key, in the order of the table.
    listed = [line.split()[0] for line in broker.run("profile", "show", "mysql://h", "--all").text.splitlines()[1:]]
    assert listed == [*keys, *(f"tunnel.{k}" for k in tunnel)] == KEYS


def test_ok(broker, clients, mariadb_server):
    server = mariadb_server
    broker.config(f"[profile p]\nhost = 127.0.0.1\nport = {server.port}\nuser = app\nauth = env\nauth_env = PW\ntls = preferred\n"
                  f"client = {clients['mariadb1011'].path}\n")
    broker.secret(server.password("app"))
    tested = read(broker.run("test", "p", "--json", env={"PW": server.password("app").decode()}))
    assert list(tested) == TESTED and [list(hop) for hop in tested["hops"]] == [HOP] * 3
    assert [hop["hop"] for hop in tested["hops"]] == ["route", "credential", "server"]
    assert all(hop["ok"] is True and isinstance(hop["ms"], int) and hop["ms"] >= 0 for hop in tested["hops"])
    assert (tested["profile"], tested["ok"], tested["exit"], tested["error"]) == ("p", True, 0, None)
    assert "app@" in tested["user"] and "MariaDB" in tested["version"] and "TLS_" in tested["tls_cipher"]


def test_refused(broker, clients, mariadb_server):
    server = mariadb_server
    broker.config(f"[profile p]\nhost = 127.0.0.1\nport = {server.port}\nuser = app\nauth = env\nauth_env = PW\n"
                  f"client = {clients['mariadb1011'].path}\n")
    done = broker.run("test", "p", "--json", env={"PW": "wrong"})
    tested = read(done)
    assert list(tested) == TESTED and list(tested["error"]) == ERROR
    assert (tested["ok"], tested["exit"], done.code, tested["error"]["server_code"]) == (False, 77, 77, 1045)
    assert done.errors == f"broker: p: {tested['error']['message']}\nhint: {tested['error']['hint']}\n"
    assert [hop["ok"] for hop in tested["hops"]] == [True, True, False]
    assert tested["hops"][2]["detail"] == tested["error"]["message"]
    assert (tested["user"], tested["version"], tested["tls_cipher"]) == (None, None, None)


@pytest.mark.parametrize("args, code, profile", [
    (["prdo"], 78, "prdo"), ([], 64, None), (["mysql://h/?x=1"], 65, None), (["prod"], 78, "prod"),
    (["bad"], 78, "bad")])
def test_failure_before_the_first_hop(broker, args, code, profile):
    broker.config("[profile prod]\nhost = h\nuser = u\nauth = vault\n[profile bad]\nhots = x\n")
    done = broker.run("test", "--json", *args)
    tested = read(done)
    assert list(tested) == TESTED and list(tested["error"]) == ERROR and tested["error"]["server_code"] is None
    assert (done.code, tested["exit"], tested["ok"], tested["hops"]) == (code, code, False, [])
    assert tested["profile"] == profile
    assert f": {tested['error']['message']}\n" in done.errors and f"\nhint: {tested['error']['hint']}\n" in done.errors


def test_warnings_stay_on_stderr(broker):
    done = broker.run("profile", "show", "mysql://a:fake-pw@h", "--json")
    assert read(done) and done.errors == "broker: warning: password on the command line\nhint: broker profile show -\n"
    assert "fake-pw" not in done.text
