# SPDX-License-Identifier: MIT
"""`broker params`: the exact text of each format, what it shows on a terminal, which address it prints, and what it
refuses. test_formats.py tests the formats with the programs that read them."""
import json
import os

import pytest

from lib.built import FORMATS
from lib.hostile import VALUES, others, params, write
from lib.logins import SECRET_ENV, profile
from servers import process

SHOP = {"host": "db.example.com", "user": "app", "database": "shop", "client": "mysql"}
SECRET = "fake-s3cret"
NOTE = "password masked on a terminal; --reveal shows it\n"
ENV = """\
export MYSQL_HOST='db.example.com'
export MYSQL_TCP_PORT='3306'
export MYSQL_USER='app'
export MYSQL_PWD='fake-s3cret'
export MYSQL_DATABASE='shop'
"""
MYCNF = """\
[client]
user="app"
password="fake-s3cret"
host="db.example.com"
port=3306
protocol=TCP
ssl-mode=REQUIRED
[mysql]
database="shop"
"""
URL = "mysql://app:fake-s3cret@db.example.com:3306/shop?ssl-mode=REQUIRED\n"
JSON = {"profile": "p", "host": "db.example.com", "port": 3306, "socket": None, "user": "app", "password": SECRET, "database": "shop",
        "endpoint": {"host": "db.example.com", "port": 3306, "socket": None}, "cleartext": False, "tls": "required", "tls_ca": None,
        "tls_cert": None, "tls_key": None, "expires_at": None, "tls_ciphers": None, "tls_version": None}


@pytest.fixture
def shop(broker, clients):
    broker.script("mysql", f'exec {clients["mysql9"].path} "$@"')
    write(broker, SECRET, **SHOP)
    return broker


@pytest.mark.parametrize("args, text", [([], ENV), (["--format", "env"], ENV), (["--format", "mycnf"], MYCNF), (["--format", "url"], URL),
                                        (["--format", "dotenv"], ENV.replace("export ", "").replace("'", "")),
                                        (["--shell", "fish"], ENV.replace("export ", "set -gx ").replace("=", " "))])
def test_text(shop, args, text):
    assert params(shop, *args) == text


@pytest.mark.parametrize("args", [["--format", "json"], ["--json"]])
def test_json(shop, args):
    text = params(shop, *args)
    assert text.isascii() and text.count("\n") == 1
    assert list(json.loads(text).items()) == list(JSON.items())


def test_fields(shop):
    printed = {name: params(shop, "--field", name) for name in JSON}
    text = {name: str(value) for name, value in JSON.items() if value is not None}
    assert printed == {**dict.fromkeys(JSON, "\n"), **{name: value + "\n" for name, value in text.items()},
                    "endpoint": "db.example.com:3306\n", "cleartext": "false\n"}


@pytest.mark.parametrize("args, shown, err", [
    ([], ENV.replace("export MYSQL_PWD='fake-s3cret'", "# export MYSQL_PWD=********"), NOTE),
    (["--shell", "fish"], None, NOTE), (["--format", "dotenv"], None, NOTE),
    (["--format", "mycnf"], MYCNF.replace('password="fake-s3cret"', "# password=********"), NOTE),
    (["--format", "url"], URL.replace(SECRET, "********"), NOTE), (["--json"], None, NOTE),
    (["--field", "password"], "# ********\n", NOTE), (["--field", "user"], "app\n", ""), (["--reveal"], ENV, ""),
    (["--reveal", "--field", "password"], SECRET + "\n", ""), (["-q"], None, ""),
    (["--no-password"], "".join(line for line in ENV.splitlines(True) if "PWD" not in line), "")])
def test_on_a_terminal(shop, args, shown, err):
    """The password is masked, in a form that a shell does not evaluate; with --reveal it is shown."""
    if "--reveal" in args:
        shop.secrets.clear()
    terminal = shop.pty("params", "p", *args, stderr="pipe")
    assert terminal.wait(60) == 0 and terminal.err.decode() == err
    text = terminal.shown.decode().replace("\r\n", "\n")
    assert shown is None or text == shown
    assert "--reveal" in args or SECRET not in text


def test_control_characters_on_a_terminal(shop):
    write(shop, "fake-\x1b[2J-canary", **SHOP)
    shop.secrets.clear()
    terminal = shop.pty("params", "p", "--reveal")
    assert terminal.wait(60) == 0 and b"\x1b" not in terminal.shown


# Shells that evaluate the output

PRINTS = "printf '%s\\0' \"$MYSQL_HOST\" \"$MYSQL_TCP_PORT\" \"$MYSQL_USER\" \"$MYSQL_PWD\" \"$MYSQL_DATABASE\""
SHELLS = {"sh": ["sh"], "dash": ["dash"], "bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}
EVALUATE = {"fish": 'eval (broker params p --shell fish | string collect); '}
MORE = ["two\nlines", "tab\t", "\udcff\udc80"]  # the last one is not UTF-8: a password may contain any byte


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("password", VALUES + MORE, ids=ascii)
def test_shells(broker, bare_broker, shell, password):
    """Each shell that evaluates the lines gets exactly the values."""
    user, database = others(password)
    write(broker, password, user=user, database=database, host="2001:db8::1")
    program, *words = SHELLS[shell]
    script = (EVALUATE.get(shell) or 'eval "$(broker params p)"; ') + PRINTS
    sh = bare_broker(process.need("/usr/bin/" + program))
    env = {**broker.env, "PATH": f"{broker.program.parent}:{broker.env['PATH']}"}
    done = sh.run(*words, "-c", script, env=env)
    wanted = ["2001:db8::1", "3306", user, password, database]
    assert done.out == b"".join(os.fsencode(value) + b"\0" for value in wanted) and not done.err


# The address that it prints

@pytest.fixture
def prod(broker, mariadb_server, names):
    """write(**keys) writes the profile `prod`, with a tcp tunnel."""
    def make(**keys):
        broker.env[SECRET_ENV] = broker.secret(mariadb_server.password("app_native")).decode()
        broker.config(profile("prod", **{"host": "db.test.internal", "port": mariadb_server.port, "user": "app_native", "auth": "env",
                                         "auth_env": SECRET_ENV, "via": f"tcp://127.0.0.1:{mariadb_server.port}", **keys}))
    make()
    return make


def fields(broker, *args):
    done = broker.run("params", "prod", "--json", *args, secret_out=True)
    assert done.code == 0, done.errors
    return json.loads(done.text)


def test_no_forward(broker, prod):
    done = broker.run("params", "prod")
    assert (done.text, done.errors, done.code) == ("", "broker: prod: no forward\nhint: broker forward prod --detach\n", 69)
    place = fields(broker, "--endpoint")
    assert (place["host"], place["tls"]) == ("db.test.internal", "preferred")


def test_address_of_the_running_forward(broker, prod, forwards, mariadb_server):
    address = forwards.detach("prod")
    got = fields(broker)
    assert f"{got['host']}:{got['port']}" == address and got["socket"] is None and got["tls"] == "preferred"
    assert got["endpoint"] == {"host": "db.test.internal", "port": mariadb_server.port, "socket": None}
    assert got["password"] == mariadb_server.password("app_native").decode()


def test_address_of_a_forward_that_makes_the_tls(broker, prod, forwards, mariadb_server):
    """The program that connects to it uses no TLS, and has nothing to verify."""
    prod(tls_ca=mariadb_server.ca)
    path = str(broker.runtime / "f.sock")
    assert forwards.detach("prod", "--listen", path) == path
    got = fields(broker)
    assert (got["host"], got["port"], got["socket"], got["tls"], got["tls_ca"]) == (None, None, path, "disabled", None)
    broker.run("stop", "prod")
    address = forwards.detach("prod", "--terminate-tls")
    got = fields(broker)
    assert (f"{got['host']}:{got['port']}", got["tls"]) == (address, "disabled")


def test_a_name_that_cannot_be_verified(broker, prod, forwards, mariadb_server):
    """127.0.0.1 is not the server's name, so a format with TLS parameters is refused: a program could not verify the
    server."""
    prod(tls_ca=mariadb_server.ca)
    forwards.detach("prod")
    done = broker.run("params", "prod", "--format", "url")
    assert done.code == 69 and done.errors == (
        "broker: prod: tls = verify-identity, but 127.0.0.1 is not the server's name\n"
        "hint: broker stop prod && broker forward prod --terminate-tls --detach\n")
    assert broker.run("params", "prod", secret_out=True).code == 0  # the format env has no TLS parameters


def test_a_forward_to_another_server(broker, prod, forwards):
    forwards.detach("prod")
    done = broker.run("params", "prod", "-P", "1")
    assert done.code == 69 and done.errors == ("broker: prod: its forward leads to a server other than db.test.internal:1\n"
                                               "hint: broker stop prod\n")


def test_inject_without_such_a_forward(shop):
    done = shop.run("params", "p", "--inject")
    assert (done.code, done.text) == (69, "") and "no forward --inject is running for it" in done.errors


# What is refused

@pytest.mark.parametrize("args, err", [
    (["--format", "jsno"], "no such format 'jsno'\nhint: did you mean 'json'?"),
    (["--field", "pasword"], "no such field 'pasword'\nhint: did you mean 'password'?"),
    (["--json", "--format", "url"], "--json is --format json\nhint: use --json or --format, not both"),
    (["--field", "user", "--json"], "--field prints only a value, without a format\nhint: --field NAME without --format"),
    (["--shell", "csh"], "--shell: 'csh' is not sh or fish\nhint: --shell sh, which bash, dash and zsh take too")])
def test_usage_errors(shop, args, err):
    done = shop.run("params", "p", *args)
    assert (done.code, done.text, done.errors) == (64, "", f"broker: params: {err}\n")


@pytest.mark.parametrize("format, password", [("json", "fake-\udcff-canary"), ("dotenv", "fake'\"canary"), ("dotenv", "fake\ncanary"),
                                              ("dotenv", "fake-${HOME}")])
def test_a_password_that_the_format_cannot_carry(shop, format, password):
    write(shop, password, **SHOP)
    done = shop.run("params", "p", "--format", format)
    assert (done.code, done.text) == (65, "") and done.errors.startswith(f"broker: p: format {format} cannot carry ")


def test_levels_that_mariadb_has_no_option_for(broker, clients):
    write(broker, SECRET, **{**SHOP, "client": clients["mariadb1011"].path})
    done = broker.run("params", "p", "--format", "mycnf")
    assert done.code == 65 and done.errors.startswith("broker: p: format mycnf: MariaDB's clients have no option for tls = required\n")


def test_full_disk(shop):
    done = shop.run("params", "p", stdout=open("/dev/full", "wb"), secret_out=True)
    assert done.code == 74 and "stdout" in done.errors


def test_credential_is_not_fetched_if_it_is_not_printed(shop):
    """--no-password and --dry-run work although the credential is missing."""
    del shop.env[SECRET_ENV]
    assert shop.run("params", "p").code != 0
    assert "PWD" not in params(shop, "--no-password") and shop.run("params", "p", "--dry-run").code == 0


def test_formats_topic(broker):
    """The table lists the formats of this build."""
    lines = broker.run("help", "formats").text.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == FORMATS.split()
