# SPDX-License-Identifier: MIT
"""If the keeper logs in: the client and the program are started without the server's password; what --dry-run and -v
print; `forward --inject`, with `params` and `status`; who can connect, and with which password. The login itself is
tested by test_keeper_inject_*.py."""
import json
import os
import re
import subprocess

import pytest

from lib import stranger
from lib.broker import REPO
from lib.logins import HOSTILE_ENV, SECRET_ENV, connect, for_user, hostile_files, logged_in, profile
from servers.pki import RIGHT_NAME

LEVELS = ["disabled", "preferred", "required", "verify-ca", "verify-identity"]
FORMATS = re.findall(r'^FORMAT\(\w+, "([^"]+)"', (REPO / "include/model/kinds.def").read_text(), re.M)
LOGS_IN = "logs in for each connection"
QUERY = "select user(); show session status like 'Ssl_version'"
ENV = ["sh", "-c", "env -0"]


def through(broker, server, user="app", **keys):
    """Writes the profile `p`, which reaches SERVER through a tcp tunnel."""
    for_user(broker, server, user, **{"host": RIGHT_NAME, "port": 3306, "via": f"tcp://127.0.0.1:{server.port}", "tls_ca": server.ca, **keys})


def shown(broker, *args):
    verb, name, *more = args
    done = broker.run(verb, name, "--dry-run", *more)
    assert (done.code, done.errors) == (0, "")
    return dict(re.split("  +", line, maxsplit=1) for line in done.text.splitlines())


# The client

@pytest.mark.parametrize("family", ["mysql", "mariadb"])
@pytest.mark.parametrize("level", LEVELS)
def test_option_file(broker, mysql_server, family, level):
    """It has the user, an empty password, a Unix socket and no TLS, and none of the precautions that a password
    needs."""
    stub = broker.stub("mariadb" if family == "mariadb" else "mysql", version="mariadb118" if family == "mariadb" else "mysql9")
    through(broker, mysql_server, tls=level)
    broker.write(".my.cnf", "[client]\npassword=fake-own\n")
    assert broker.run("connect", "p", "--client", stub.path, env=HOSTILE_ENV).code == 0
    options = stub.seen["options"]
    assert re.search(r'^!include .*/\.my\.cnf\n\[client\]\nuser="app"\npassword=""\nhost="localhost"\nsocket="/.*\.sock"\nprotocol=SOCKET\n',
                     options, re.M), options
    assert ("\nskip-ssl\n" if family == "mariadb" else "\nssl-mode=DISABLED\n") in options
    assert not re.search("skip-reconnect|plugin-dir|cleartext-plugin=1", options)
    assert SECRET_ENV not in stub.environ and "MYSQL_PWD" not in stub.environ
    seen = json.dumps([stub.seen["argv"], stub.seen["environ"], stub.seen["parents"], options])
    assert mysql_server.password("app").decode() not in seen


@pytest.mark.parametrize("level", LEVELS)
def test_connect(broker, client, mysql_server, level):
    """The user's own option files would lead elsewhere. The keeper handles TLS, at the profile's level."""
    through(broker, mysql_server, tls=level, server_public_key="yes" if level == "disabled" else None)
    hostile_files(broker, client)
    login = logged_in(connect(broker, client, env=HOSTILE_ENV))
    assert login.account == "app@%" and bool(login.version) == (level != "disabled")


def test_rows(broker, clients, mysql_server):
    client = ["--client", clients["mysql9"].path]
    through(broker, mysql_server, tls="preferred")
    rows = shown(broker, "connect", "p", *client)
    assert rows["keeper"] == LOGS_IN and rows["tls"] == "preferred, by the keeper" and rows["address"] == "unix socket"
    rows = shown(broker, "connect", "p", *client, "-o", "login=client")
    assert "keeper" not in rows and rows["tls"] == "preferred, by the client"
    rows = shown(broker, "exec", "p", "-o", "login=keeper", "-o", "via=direct", "--tls", "disabled", "--", "true")
    assert rows["address"] == "127.0.0.1, a free port, and a unix socket" and rows["tls"] == "disabled"
    rows = shown(broker, "forward", "p", "--inject", "-o", "listen=0")
    assert rows["keeper"] == LOGS_IN and rows["credential"] == f"the variable {SECRET_ENV}" and rows["address"] == "127.0.0.1:0"
    assert "credential" not in shown(broker, "forward", "p")
    done = broker.run("connect", "p", "-v", *client, "--", "-e", "select 1")
    assert re.search(rf"credential  the variable {SECRET_ENV}, password \*{{8}}\n.* keeper      {LOGS_IN}\n", done.errors), done.errors


def test_own_socket(broker, client, mysql_server, mariadb_server):
    """The keeper connects to the server's own socket, without TLS."""
    server = mysql_server if client.family == "mysql" else mariadb_server
    for_user(broker, server, "app", socket=server.socket, login="keeper")
    assert shown(broker, "connect", "p", "--client", client.path)["tls"] == "none, it is the server's own socket"
    assert logged_in(connect(broker, client)).account.startswith("app@")


def test_direct_route_with_long_lived_password_has_no_keeper(broker, clients, mysql_server):
    stub = broker.stub()
    for_user(broker, mysql_server, "app", host=RIGHT_NAME, port=mysql_server.port, tls_ca=mysql_server.ca)
    assert broker.run("connect", "p", "--client", stub.path).code == 0
    assert mysql_server.password("app").decode() in stub.seen["options"] and "broker-keeper" not in json.dumps(stub.seen["parents"])


@pytest.mark.parametrize("login, secret_in_file", [("auto", False), ("client", True), ("keeper", False)])
@pytest.mark.parametrize("verb", ["connect", "exec"])
def test_auth_command_with_expiry(broker, clients, mysql_server, verb, login, secret_in_file):
    """That is only known once the program has run, and then a keeper is needed. Without an expiry there is no
    keeper."""
    password = broker.secret(mysql_server.password("app")).decode()
    stub = broker.stub(version="mysql9")
    broker.config(profile("p", host=RIGHT_NAME, port=mysql_server.port, user="app", auth="command", auth_command="give", tls_ca=mysql_server.ca,
                          login=login))
    args = ["--client", stub.path] if verb == "connect" else ["--", stub.path, "--defaults-file={defaults-file}"]
    client = clients["mysql9"]

    def gives(life):
        """Writes a script that prints the password and, unless LIFE is None, when it expires."""
        end = f", 'expires_at': $(($(date +%s) + {life}))" if life else ""
        text = ("{'password': '" + password + "'" + end + "}").replace("'", '\\"')
        broker.script("give", f'echo x >> $HOME/asked; echo "{text}"', secret=True)
    for life, has_secret in ((600, secret_in_file), (None, login != "keeper")):
        gives(life)
        assert broker.run(verb, "p", "--fresh", *args).code == 0
        assert (password in stub.seen["options"]) == has_secret, stub.seen["options"]
        assert ("skip-reconnect" in stub.seen["options"]) == (has_secret and bool(life))
    gives(600)
    (broker.home / "asked").unlink()
    assert logged_in(connect(broker, client, "--fresh")).account.startswith("app@")
    assert (broker.home / "asked").read_text() == "x\n"  # once, also if the plan has changed


def test_probe(broker, client, mysql_server):
    """`test` connects through the keeper. A wrong password is reported by the server."""
    through(broker, mysql_server)
    done = broker.run("test", "p", "--client", client.path)
    assert done.code == 0 and done.errors == "" and re.search(r"^server +ok .*, app@.*TLS", done.text, re.M), done.text
    broker.env[SECRET_ENV] = "fake-wrong"
    done = broker.run("test", "p", "--client", client.path)
    assert done.code == 77 and done.errors.startswith("broker: p: 1045 access denied for app@"), done.errors


def test_server_with_few_capabilities(broker, client, fake_server, pki):
    """Clients lay out their answer by the capabilities of the server; MariaDB's do so whatever their own flags say."""
    fake = fake_server("sha256", certificate=pki.server, refusal=(1045, b"Access denied for user 'app'@'h' (using password: YES)"))
    broker.env[SECRET_ENV] = "fake"
    broker.config(profile(host="127.0.0.1", port=fake.port, user="app", auth="env", auth_env=SECRET_ENV, tls="required", login="keeper"))
    done = broker.run("test", "p", "--client", client.path)
    assert done.code == 77 and done.errors.startswith("broker: p: 1045 access denied for app"), done.errors


# A program that exec runs

def environment(broker, *args, **options):
    done = broker.run("exec", "p", *args, "--", *ENV, **options)
    assert (done.code, done.errors) == (0, "")
    return dict(line.split("=", 1) for line in done.text.split("\0") if line)


def test_environment(broker, mysql_server):
    """Each variable has the password of this run. The variable with the profile's password is not passed on."""
    through(broker, mysql_server, tls="required")
    first = environment(broker, "--env", "url", "--env", "P={password}", "--env", "DSN={go}")
    password = first["MYSQL_PWD"]
    assert re.fullmatch("[0-9a-f]{32}", password) and first["P"] == password and SECRET_ENV not in first
    assert f"app:{password}@127.0.0.1:{first['MYSQL_TCP_PORT']}" in first["DATABASE_URL"]
    assert first["DSN"].startswith(f"app:{password}@tcp(127.0.0.1:{first['MYSQL_TCP_PORT']})")
    assert environment(broker)["MYSQL_PWD"] != password
    through(broker, mysql_server, auth_env="MYSQL_PWD")
    secret = mysql_server.password("app").decode()
    assert environment(broker, env={"MYSQL_PWD": secret, SECRET_ENV: None})["MYSQL_PWD"] != secret


def test_port_requires_the_password_of_the_run(broker, clients, mysql_server):
    """The socket accepts any password, the port only that one."""
    through(broker, mysql_server)
    mysql = clients["mysql9"].path
    port = f"{mysql} --no-defaults -NBe 'select user()' -h 127.0.0.1 -P $MYSQL_TCP_PORT --ssl-mode=DISABLED --get-server-public-key -u"
    script = f"""{port} app; {port} anybody; MYSQL_PWD=fake-wrong {port} app 2>&1; MYSQL_PWD= {port} app 2>&1
{mysql} --no-defaults -NBe 'select user()' -h localhost -S $MYSQL_UNIX_PORT --ssl-mode=DISABLED -u app -pfake-wrong 2>&1 | grep -v Warning"""
    done = broker.run("exec", "p", "--", "sh", "-c", script)
    lines = [line for line in done.text.splitlines() if not line.startswith("hint: ")]
    assert len(lines) == 5 and lines[0] == lines[1] == lines[4] and lines[0].startswith("app@"), (done.text, done.errors)
    assert all(re.match(r"ERROR 1045 \(28000\)", line) for line in lines[2:4]), lines


def test_another_user(broker, mysql_server):
    """Another user cannot connect, not even with the password of the run: not to the port, not to the socket."""
    through(broker, mysql_server)
    broker.folder.parent.chmod(0o711)
    mysql = f"{' '.join(stranger.WRAP)} mariadb --no-defaults -NBe 'select user()' --skip-ssl -u app"
    script = f"{mysql} -h 127.0.0.1 -P $MYSQL_TCP_PORT 2>&1; {mysql} -h localhost -S $MYSQL_UNIX_PORT 2>&1"
    done = broker.run("exec", "p", "--", "sh", "-c", script.replace(" ".join(stranger.WRAP), ""))
    assert done.text.count("app@") == 2, done.text
    done = broker.run("exec", "p", "--", "sh", "-c", script)
    assert len(done.text.splitlines()) == 2 and "app@" not in done.text, done.text
    assert re.match(r"ERROR (2013|2003|1045|1105)", done.text) and re.search(r"^ERROR 2002", done.text, re.M), done.text


@pytest.mark.parametrize("level", ["disabled", "preferred", "verify-identity"])
def test_defaults_file(broker, client, mysql_server, mariadb_server, level):
    """The file for a stock client has no password, the file for another program that of the run. Both work."""
    server = mysql_server if client.family == "mysql" else mariadb_server
    through(broker, server, tls=level, server_public_key="yes" if level == "disabled" else None)
    args = ["--", client.path, "--defaults-file={defaults-file}", "-NBe", QUERY]
    done = broker.run("exec", "p", *args)
    assert done.code == 0 and bool("TLSv" in done.text) == (level != "disabled"), done.errors
    read = broker.run("exec", "p", "--", "cat", "{defaults-file}")
    assert re.search(r"^\[client\]\nuser=app\npassword=[0-9a-f]{32}\nhost=127.0.0.1\nport=\d+\n", read.text), read.text


# forward --inject

def ask_server(broker, client, params, **env):
    """Runs a stock client with what the JSON parameters say, and without option files."""
    place = ["-S", params["socket"]] if params["socket"] else ["-h", params["host"], "-P", str(params["port"]), "--protocol=TCP"]
    no_tls = ["--ssl-mode=DISABLED"] if client.family == "mysql" else ["--skip-ssl"]
    return subprocess.run([client.path, "--no-defaults", *no_tls, *place, "-u", params["user"], "-NBe", QUERY], capture_output=True,
                          env={"PATH": "/usr/bin:/bin", "MYSQL_PWD": params["password"], **env}, text=True, timeout=60)


def params(broker, *args):
    done = broker.run("params", "p", "--format", "json", *args)
    assert (done.code, done.errors) == (0, ""), done.errors
    return json.loads(done.text)


@pytest.mark.parametrize("kind", ["port", "path"])
def test_forward(broker, forwards, client, mysql_server, kind):
    """--json and params print the same. A client can log in with that, but not with another password."""
    path = broker.home / "db.sock"
    through(broker, mysql_server)
    run = forwards.start("p", "--inject", "--json", *(["--listen", path] if kind == "path" else []))
    said = json.loads(run.lines[0])
    assert said["user"] == "app" and re.fullmatch("[0-9a-f]{32}", said["password"])
    assert {key: forwards.one("p")[key] for key in said} == said
    got = params(broker, "--inject")
    assert [got[key] for key in ("host", "port", "socket", "user", "password", "tls")] == \
        [*(said[key] for key in ("host", "port", "socket", "user", "password")), "disabled"]
    assert got["expires_at"] is None and got["cleartext"] is False and got == params(broker)
    done = ask_server(broker, client, got)
    assert done.returncode == 0 and done.stdout.startswith("app@") and "TLSv" in done.stdout, done.stderr
    if kind == "port":
        done = ask_server(broker, client, got, MYSQL_PWD="fake-wrong")
        assert done.returncode == 1 and "ERROR 1045 (28000)" in done.stderr
    run.end(15)


def test_formats_of_a_forward(broker, forwards, mysql_server):
    """Each format but `command` has the password of the forward; none has the server's."""
    through(broker, mysql_server)
    forwards.detach("p", "--inject")
    password = forwards.one("p")["password"]
    secret = mysql_server.password("app").decode()
    assert len(FORMATS) > 15
    for name in FORMATS:
        done = broker.run("params", "p", "--format", name.replace("_", "-"), "--client", "mariadb")
        assert secret not in done.text and done.code == 0, (name, done.errors)
        assert (password in done.text) == (name != "command"), name
    assert broker.run("params", "p", "--field", "password").text == password + "\n"
    assert password not in broker.run("params", "p", "--no-password").text
    done = broker.run("params", "p", "--endpoint", "--format", "json", secret_out=True)
    assert json.loads(done.text)["password"] == secret


def test_without_a_tunnel(broker, forwards, client, mysql_server):
    """The parameters of a profile without a tunnel are the server's own, or the forward's while one runs that logs
    in."""
    for_user(broker, mysql_server, "app", host=RIGHT_NAME, port=mysql_server.port, tls_ca=mysql_server.ca)
    assert json.loads(broker.run("params", "p", "--json", secret_out=True).text)["host"] == RIGHT_NAME
    assert broker.run("params", "p", "--inject").code == 69
    forwards.detach("p")
    assert json.loads(broker.run("params", "p", "--json", secret_out=True).text)["host"] == RIGHT_NAME
    assert broker.run("params", "p", "--inject").code == 69
    again = broker.run("forward", "p", "--inject", "--detach")
    assert again.code == 69 and "has other settings\nhint: broker stop p\n" in again.errors
    assert broker.run("stop", "p").code == 0
    address = forwards.detach("p", "--inject")
    assert forwards.detach("p", "--inject") == address
    got = params(broker)
    assert f"{got['host']}:{got['port']}" == address
    assert ask_server(broker, client, got).returncode == 0


def test_other_keys_are_another_forward(broker, forwards, mysql_server):
    through(broker, mysql_server)
    forwards.detach("p", "--inject")
    done = broker.run("forward", "p", "--inject", "--detach", "-u", "tool")
    assert done.code == 69 and "other settings" in done.errors


def test_on_a_terminal(broker, forwards, mysql_server):
    """The address as usual, and a note that says how to continue, but no password."""
    through(broker, mysql_server)
    done = broker.run("forward", "p", "--inject", "--detach", tty=True, stdout="tty", stderr="tty")
    assert done.code == 0 and re.fullmatch(rb"127\.0\.0\.1:\d+\r\np: broker params p --inject prints user and password\r\n", done.tty), done.tty
    password = forwards.one("p")["password"]
    done = broker.run("status", "p", "--json", tty=True, stdout="tty", stderr="tty")
    assert b'"password":"********"' in done.tty.replace(b": ", b":") and password.encode() not in done.tty, done.tty


def test_missing_password_is_an_error_at_once(broker, mysql_server, keychain):
    """No forward is started, and no browser."""
    broker.env.update(keychain.env)
    through(broker, mysql_server, auth="keychain", auth_env=None)
    for more in ([], ["--detach"]):
        done = broker.run("forward", "p", "--inject", *more)
        assert (done.code, done.text) == (79, "") and done.errors.endswith("\nhint: broker password set p\n"), done.errors
    assert broker.run("status", "p").code == 69


def test_commands_of_docs_tools(broker, forwards, client, mysql_server):
    """docs/tools.md: the parameters for a program that broker does not start."""
    through(broker, mysql_server)
    broker.config(broker.config_path.read_text().replace("[profile p]", "[profile prod]"))
    text = (REPO / "docs/tools.md").read_text()
    forward, params = re.findall(r"^    broker ((?:forward|params) .*)$", text, re.M)
    assert broker.run(*forward.replace(" 13306", " 0").split()).code == 0
    done = broker.run(*params.split())
    password = forwards.one("prod")["password"]
    assert done.code == 0 and done.text.startswith("jdbc:mysql:") and password in done.text and "sslMode=DISABLED" in done.text


def test_several(broker, forwards, mysql_server):
    """Each forward has a password of its own."""
    through(broker, mysql_server)
    with open(broker.config_path, "a") as f:
        f.write("[profile q]\ninherits = p\n")
    run = forwards.start("p", "q", "--inject", "--json", lines=2)
    passwords = {json.loads(line)["password"] for line in run.lines}
    assert len(passwords) == 2 and all(re.fullmatch("[0-9a-f]{32}", p) for p in passwords)
    run.end(15)


def test_forward_without_inject_has_no_user_and_password(broker, forwards, mysql_server):
    through(broker, mysql_server)
    run = forwards.start("p", "--json")
    said = json.loads(run.lines[0])
    assert said["user"] is said["password"] is None and forwards.one("p")["password"] is None
    done = broker.run("params", "p", "--inject")
    assert done.code == 69 and done.errors == "broker: p: no forward --inject is running for it\nhint: broker forward p --inject --detach\n"
    run.end(15)


def test_nothing_on_the_disk(broker, forwards, mysql_server):
    """Neither the server's password (the harness looks for that) nor that of the run."""
    through(broker, mysql_server)
    forwards.detach("p", "--inject", "--log", "log")
    password = forwards.one("p")["password"].encode()
    for folder, _, files in os.walk(broker.folder):
        for name in files:
            path = os.path.join(folder, name)
            assert not os.path.isfile(path) or password not in open(path, "rb").read(), path
