# SPDX-License-Identifier: MIT
"""What the user sees, to the character: usage errors, config errors, lists, plans, and prompts that are impossible.

Each case is a whole session of one command: what it prints where, and its exit status. The first profile is in
test_profile_add.py, JSON in test_json.py, help in test_help.py, logins in test_keychain_flow.py."""
import re
import socket

import pytest

from lib.broker import PROGRAM
from lib.built import PROVIDERS

RDS = "prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com"
CONFIG = f"""\
[profile prod]
host        = {RDS}
user        = app_ro
database    = shop
auth        = iam
aws_profile = prod
via         = bastion

[tunnel bastion]
type = ssh
host = bastion.example.com
user = ec2-user

[profile warehouse]
host       = db.internal.example.com
auth       = vault
vault_addr = https://vault.example.com
vault_path = database/creds/readonly
tls_ca     = ~/ca/internal.pem

[profile foreflow]
host     = 127.0.0.1
user     = foreflow
database = foreflow
via      = ssh://acme@acme.foreflow.example
"""
MORE_PROFILES = """
[profile stage]
inherits = prod
via      =

[profile shop]
host = db.example.com
user = app

[profile local]
"""
NAMES = "  prod warehouse foreflow stage shop local\n"
BUILT = f"hint: auth = one of: {PROVIDERS}\n"


@pytest.fixture
def filled(broker):
    broker.config(CONFIG + MORE_PROFILES)
    return broker


def said(done):
    return done.text, done.errors, done.code


@pytest.mark.parametrize("args, code, err", [
    (["conect", "prod"], 64, "broker: conect: no such verb\nhint: did you mean 'connect'?\n"),
    (["prod"], 64, "broker: prod: no such verb\nhint: broker connect prod\n"),
    (["zzzzzz"], 64, "broker: zzzzzz: no such verb\nhint: broker help\n"),
    (["mysql://app@h/"], 64, "broker: mysql://app@h/: no such verb\nhint: broker connect mysql://app@h/\n"),
    (["connect", "prdo"], 78, "broker: prdo: no such profile\nhint: did you mean 'prod'?\n"),
    (["connect", "zzzzzz"], 78, "broker: zzzzzz: no such profile\nhint: broker profile list\n"),
    (["connect", "a/b"], 78, "broker: a/b: no such profile\nhint: a name has letters, digits and . _ @ + -; a URL has ://\n"),
    (["connect", "prod", "-e", "select 1"], 64,
     "broker: connect: unknown option '-e'\nhint: client options follow --: broker connect prod -- -e ...\n"),
    (["connect", "-e", "select 1"], 64,
     "broker: connect: unknown option '-e'\nhint: client options follow --: broker connect PROFILE -- -e ...\n"),
    (["connect"], 64, "broker: connect: which profile?\n" + NAMES + "hint: broker connect NAME, or set BROKER_PROFILE\n"),
    (["test"], 64, "broker: test: which profile?\n" + NAMES + "hint: broker test NAME, or set BROKER_PROFILE\n"),
    (["password", "set"], 64,
     "broker: password: which profile?\n" + NAMES + "hint: broker password set NAME, or set BROKER_PROFILE\n"),
    (["connect", "prod", "stage"], 64, "broker: connect: unexpected argument\nhint: client arguments follow --: broker connect prod -- ...\n"),
    (["connect", "-pfoo", "prod"], 64,
     "broker: connect: unknown option '-p'\nhint: no password on the command line: broker password set NAME\n"),
    (["connect", "prod", "-p"], 64,
     "broker: connect: unknown option '-p'\nhint: no password on the command line: broker password set NAME\n"),
    (["test", "prod", "--hots", "x"], 64, "broker: test: unknown option '--hots'\nhint: did you mean '--host'?\n"),
    (["test", "prod", "--hos=x"], 64, "broker: test: unknown option '--hos'\nhint: did you mean '--host'?\n"),
    (["test", "prod", "-x"], 64, "broker: test: unknown option '-x'\nhint: broker help test\n"),
    (["test", "prod", "--", "x"], 64, "broker: test: nothing can follow --\nhint: broker help test\n"),
    (["exec", "shop"], 64, "broker: exec: which command?\nhint: broker exec PROFILE -- COMMAND ARG...\n"),
    (["exec", "shop", "--"], 64, "broker: exec: which command?\nhint: broker exec PROFILE -- COMMAND ARG...\n"),
    (["exec", "prod", "--", "tool", "--password={password}"], 64,
     "broker: exec: {password} would be seen in the process list\nhint: {defaults-file}, or MYSQL_PWD in its environment\n"),
    (["exec", "prod", "--", "tool", "{url}"], 64,
     "broker: exec: {url} would be seen in the process list\nhint: {defaults-file}, or MYSQL_PWD in its environment\n"),
    (["exec", "shop", "--format", "evn", "--", "env"], 64,
     "broker: exec: no such format 'evn'\nhint: did you mean 'env'?\n"),
    (["profile"], 64, "broker: profile: no operation given\nhint: broker help profile\n"),
    (["profile", "lits"], 64, "broker: profile: no such operation 'lits'\nhint: did you mean 'list'?\n"),
    (["profile", "set", "shop"], 64, "broker: shop: which key?\nhint: broker profile set shop KEY=VALUE\n"),
    (["profile", "set", "shop", "port"], 64, "broker: shop: set needs KEY=VALUE\nhint: broker help config\n"),
    (["profile", "remove"], 64, "broker: profile: which profile?\nhint: broker profile remove NAME\n"),
    (["profile", "rename", "shop"], 64, "broker: shop: no new name given\nhint: broker profile rename shop NEW-NAME\n"),
    (["profile", "list", "prod"], 64, "broker: profile: unexpected argument\nhint: broker help profile\n"),
    (["profile", "check", "prod"], 64, "broker: profile: unexpected argument\nhint: broker help profile\n"),
    (["profile", "show", "prod", "shop"], 64,
     "broker: profile: unexpected argument\nhint: broker help profile\n"),
    (["profile", "add"], 64, "broker: profile: which name?\nhint: broker profile add NAME\n"),
    (["profile", "add", "a/b"], 64,
     "broker: a/b: not a valid profile name\nhint: use up to 64 letters, digits and . _ @ + -, the first a letter or digit\n"),
    (["profile", "add", "shop", "mysql://h/"], 78,
     "broker: shop: exists at ~/.config/broker/config:31\nhint: edit it there, or choose another name\n"),
    (["password"], 64,
     "broker: password: no operation given\nhint: broker password set NAME, or: broker password delete NAME\n"),
    (["password", "get", "shop"], 64,
     "broker: password: unknown operation\nhint: broker password set NAME, or: broker password delete NAME\n"),
    (["password", "set", "local"], 78,
     "broker: local: has no user to store a password for\nhint: set user in [profile local]\n"),
    (["completion"], 64, "broker: completion: no shell given\nhint: broker completion bash, zsh or fish\n"),
    (["completion", "tcsh"], 64, "broker: completion: no completion for 'tcsh'\nhint: broker completion bash, zsh or fish\n"),
    (["version", "x"], 64, "broker: version: unexpected argument\nhint: broker help version\n"),
    (["token", "warehouse"], 64, "broker: warehouse: auth = vault also creates the user, so a password alone is not enough\n"
     "hint: broker params warehouse --format json\n"),
    (["token", "--host", "h", "--auth", "client"], 64,
     "broker: h: auth = client has no secret to print\nhint: broker connect, with the same options\n"),
    (["token", "--host", "h", "--auth", "vault", "-o", "vault_addr=https://v", "--vault-path", "p"], 64,
     "broker: h: auth = vault also creates the user, so a password alone is not enough\n"
     "hint: broker params --format json, with the same options\n"),
    (["token", "local"], 64, "broker: local: auth = client has no secret to print\nhint: broker connect local\n"),
    (["connect", "warehouse", "-o", "tls_ca="], 79, "broker: warehouse: not logged in to https://vault.example.com\nhint: broker login warehouse\n"),
    (["connect", "shop", "-o", "login=keeper", "-o", "cleartext=yes", "--tls", "verify-ca"], 78,
     "broker: shop: login = keeper: it sends a password in cleartext only at tls = verify-identity\n"
     "hint: set tls = verify-identity, or login = client\n"),
    (["forward", "shop", "--inject", "--auth", "client"], 78,
     "broker: shop: --inject: auth = client leaves user and password to the client\nhint: set auth, or no --inject\n"),
    (["forward", "shop", "--inject", "--listen", "0.0.0.0:0"], 64,
     "broker: shop: --listen 0.0.0.0:0: with --inject, only this machine may connect\nhint: --listen PORT, or /PATH\n"),
    (["params", "shop", "--inject"], 69,
     "broker: shop: no forward --inject is running for it\nhint: broker forward shop --inject --detach\n"),
    (["params", "shop", "--inject", "--endpoint"], 64,
     "broker: params: --endpoint gives the server's own address, where broker does not log in\nhint: use --inject or --endpoint, not both\n"),
    (["connect", "shop", "--client", "/nowhere/mysql"], 127,
     "broker: shop: /nowhere/mysql: no such program\nhint: install a MySQL or MariaDB client, or set client to its path\n")])
def test_usage_error(filled, args, code, err):
    assert said(filled.run(*args)) == ("", err, code)


@pytest.mark.parametrize("args", [["connect"], ["test"], ["token"], ["profile", "show"]])
def test_no_profiles(broker, args):
    done = broker.run(*args)
    assert said(done) == ("", f"broker: {args[0]}: which profile?\nhint: broker profile add NAME\n", 64)


def test_list(broker):
    assert said(broker.run("profile", "list")) == ("", "no profiles; broker profile add NAME\n", 0)
    assert said(broker.run("profile", "list", "-q")) == ("", "", 0)
    broker.config(CONFIG)
    assert said(broker.run("profile", "list")) == (f"""\
NAME       AUTH      VIA                               SERVER
prod       iam       bastion                           app_ro@{RDS}/shop
warehouse  vault     -                                 db.internal.example.com
foreflow   keychain  ssh://acme@acme.foreflow.example  foreflow@127.0.0.1/foreflow
""", "", 0)


def test_list_with_a_broken_profile(broker):
    broker.config("[profile a]\nhots = x\n[profile b]\nhost = h\nport = 3307\nuser = u\n[profile c]\nsocket = /s\ndatabase = d\n")
    assert said(broker.run("profile", "list")) == ("""\
NAME  AUTH      VIA  SERVER
a     -         -    (broken: broker profile check)
b     keychain  -    u@h:3307
c     client    -    /s d
""", "", 0)


def test_show(broker):
    broker.config(CONFIG)
    done = broker.run("profile", "show", "prod", env={"BROKER_TIME_ZONE": "UTC"})
    bundle = str(PROGRAM.parents[1] / "share/broker/rds-ca.pem")
    wide = max(len(RDS), len(bundle))

    def row(key, value, origin):
        return f"{key:11}  {value:{wide}}  {origin}\n"
    file = "~/.config/broker/config:"
    assert said(done) == (
        row("KEY", "VALUE", "ORIGIN") + row("host", RDS, file + "2") + row("user", "app_ro", file + "3") +
        row("database", "shop", file + "4") + row("auth", "iam", file + "5") + row("via", "bastion", file + "7") +
        row("tls", "verify-identity", "from auth") + row("tls_ca", bundle, "from host") +
        row("time_zone", "UTC", "BROKER_TIME_ZONE") + row("aws_profile", "prod", file + "6") +
        row("region", "eu-west-1", "from host") + row("tunnel.type", "ssh", file + "10") +
        row("tunnel.host", "bastion.example.com", file + "11") + row("tunnel.user", "ec2-user", file + "12"), "", 0)


def test_table_columns_count_characters(broker):
    broker.config("[profile a]\nhost = h\nuser = \u00e9\u00fc\u00df\ntitle = x\n")
    assert broker.run("profile", "show", "a").text == """\
KEY    VALUE     ORIGIN
title  x         ~/.config/broker/config:4
host   h         ~/.config/broker/config:2
user   \u00e9\u00fc\u00df       ~/.config/broker/config:3
auth   keychain  from user
tls    required  from host
"""


def test_no_server_answers_on_a_local_socket(filled, names):
    dead = filled.folder / "dead"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(dead))
    filled.etc.link("/run/mysqld/mysqld.sock", dead)
    named = filled.home / "my.sock"
    done = filled.run("connect", "local", env={"MYSQL_UNIX_PORT": str(named)})
    lines = done.errors.splitlines()
    assert done.code == 69 and done.out == b""
    assert lines[0] == "broker: local: no server answers on a local socket"
    assert lines[-1] == "hint: start the server, or set host or socket in [profile local]"
    tried = dict(line[2:].split("  ", 1) for line in lines[1:-1])
    assert all(line.startswith("  /") for line in lines[1:-1]) and list(tried)[0] == str(named)
    tried = {path.strip(): why.strip() for path, why in tried.items()}
    assert tried.pop(str(named)) == "no such file"
    assert tried.pop("/run/mysqld/mysqld.sock") == "connection refused"
    assert tried.pop("/tmp/mysql.sock") == "no such file"
    assert "/var/lib/mysql/mysql.sock" in tried and "/var/run/mysqld/mysqld.sock" not in tried
    assert filled.run("connect", "-S", "auto", "-u", "root").errors.splitlines()[-1] == \
        "hint: start the server, or give --host or --socket"


@pytest.mark.parametrize("args, code, message, hint", [
    (["{file}:4", "[profile prod]\nhost = h\nuser = u\ndatabse = shop\n"], 78, "unknown key 'databse'",
     "did you mean 'database'?"),
    (["{file}:3", "[profile prod]\nhost = h\npassword = x\n"], 78, "no secrets in this file: 'password'",
     "delete the line, then: broker password set prod")])
def test_config_error(broker, args, code, message, hint):
    place, text = args
    broker.config(text)
    wanted = f"broker: {place.format(file='~/.config/broker/config')}: {message}\nhint: {hint}\n"
    assert said(broker.run("connect", "prod")) == ("", wanted, code)


def test_config_writable_by_group(filled):
    filled.config_path.chmod(0o660)
    assert said(filled.run("connect", "prod")) == (
        "", "broker: ~/.config/broker/config: writable by group\nhint: chmod go-w ~/.config/broker/config\n", 78)


# If the user cannot be prompted

def test_no_stored_password(filled, clients, keychain):
    filled.env.update(keychain.env)
    for options in ([], ["--no-input"]):
        done = filled.run("connect", "shop", "--client", clients["mysql9"].path, *options, "--", "-e", "call nightly()")
        assert said(done) == (
            "", "broker: shop: no stored password for app@db.example.com:3306\nhint: broker password set shop\n", 79)


def test_no_keychain_and_no_prompt(filled):
    done = filled.run("token", "shop")
    assert done.out == b"" and done.code == 78
    assert done.errors.endswith("\nhint: start a Secret Service, or set auth = command, auth = file or auth = env\n")
    assert len(done.errors.splitlines()) == 2


# --dry-run: a plan, and nothing done

@pytest.mark.parametrize("profile, flavour, wanted", [
    ("prod", "mysql9", """\
endpoint    {rds}:3306
login       aws profile prod
route       ssh ec2-user@bastion.example.com:22
tls         verify-identity, by the keeper, {bundle}
credential  iam token for app_ro, region eu-west-1
keeper      logs in for each connection
address     unix socket
client      {client} --defaults-file=/dev/fd/N -e 'select 1'
"""),
    ("foreflow", "mariadb118", """\
endpoint    127.0.0.1:3306
route       ssh acme@acme.foreflow.example:22
tls         preferred, by the keeper
credential  stored password of foreflow@127.0.0.1:3306
keeper      logs in for each connection
address     unix socket
client      {client} --defaults-file=/dev/fd/N -e 'select 1'
"""),
    ("shop", "mysql9", """\
endpoint    db.example.com:3306
route       direct
tls         required, by the client
credential  stored password of app@db.example.com:3306
address     db.example.com:3306
client      {client} --defaults-file=/dev/fd/N -e 'select 1'
"""),
    ("local", "mariadb1011", """\
endpoint    auto
route       direct
tls         preferred, by the client
credential  the client's own option files
address     unix socket
client      {client} --defaults-file=/dev/fd/N -e 'select 1'
""")])
def test_dry_run(filled, clients, silent_bus, profile, flavour, wanted):
    client = clients[flavour].path
    filled.env.update(silent_bus.env)
    done = filled.run("connect", profile, "--dry-run", "--client", client, "--", "-e", "select 1", tty=True)
    wanted = wanted.format(client=client, rds=RDS, bundle=PROGRAM.parents[1] / "share/broker/rds-ca.pem")
    assert said(done) == (wanted, "", 0) and done.tty == b""
    assert silent_bus.open == []


LOCAL_ADDRESSES = "address     127.0.0.1, a free port, and a unix socket\n"


def test_dry_run_of_other_verbs(filled, clients):
    wanted = filled.run("connect", "shop", "--dry-run", "--client", clients["mysql9"].path).text
    assert filled.run("test", "shop", "--dry-run", "--client", clients["mysql9"].path).text == wanted
    done = filled.run("exec", "shop", "--dry-run", "--client", clients["mysql9"].path, "--", "touch", "never")
    wanted = re.sub(r"(credential .*)", r"\1\nkeeper      logs in for each connection", wanted).replace("by the client", "by the keeper").replace("address     db.example.com:3306\n", LOCAL_ADDRESSES)
    assert done.text == wanted[:wanted.index("client ")] + "command     touch never\n" and not (filled.home / "never").exists()
