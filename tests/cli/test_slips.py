# SPDX-License-Identifier: MIT
"""Mistakes that users of mysql, ssh and docker make out of habit, and broker's answers. An argument in the wrong place,
which may be a secret, is not repeated in any output. Words that are only misspelt are tested in test_transcripts.py."""
import pytest

SECRET = "hunter2-fake-canary"
CONFIG = """\
[profile shop]
host = db.example.com
user = app
auth = none
tls = preferred

[profile me@bastion.example.org]
host = db2.example.com

[tunnel fra]
type = ssh
host = fra.example.com
"""


@pytest.fixture
def filled(broker):
    broker.config(CONFIG)
    return broker


def outcome(done):
    return done.text, done.errors, done.code


@pytest.mark.parametrize("args, code, err", [
    (["connect", "-u", "app", "-h", "db.example.com"], 64, "broker: connect: -h is help; use --host\nhint: broker connect --host NAME\n"),
    (["connect", "-uapp", "-hdb.example.com"], 64, "broker: connect: -h is help; use --host\nhint: broker connect --host NAME\n"),
    (["exec", "shop", "mysqldump", "shop"], 64, "broker: exec: put the command after --\nhint: broker exec shop -- mysqldump shop\n"),
    (["exec", "shop", "mysql", "-e", "select 1"], 64, "broker: exec: put the command after --\nhint: broker exec shop -- mysql ...\n"),
    (["exec", "shop", "env", "A=b"], 64, "broker: exec: put the command after --\nhint: broker exec shop -- env ...\n"),
    (["exec", "shop", "no-such-program-here"], 64, "broker: exec: unexpected argument\nhint: broker help exec\n"),
    (["connect", "shop", "--tls-ca", "/x"], 64, "broker: connect: unknown option '--tls-ca'\nhint: -o tls_ca=VALUE\n"),
    (["connect", "shop", "--ssl-ca=/x"], 64, "broker: connect: unknown option '--ssl-ca'\nhint: -o tls_ca=VALUE\n"),
    (["connect", "shop", "--connect-timeout", "3"], 64, "broker: connect: unknown option '--connect-timeout'\nhint: -o connect_timeout=VALUE\n"),
    (["test", "shop", "--ssl-mode=REQUIRED"], 64, "broker: test: unknown option '--ssl-mode'\nhint: did you mean '--tls'?\n"),
    (["connect", "--username", "u"], 64, "broker: connect: unknown option '--username'\nhint: did you mean '--user'?\n"),
    (["connect", "--profile", "shop"], 64,
     "broker: connect: unknown option '--profile'\nhint: the profile's name needs no option: broker connect NAME\n"),
    (["status", "--config=/x"], 64, "broker: status: unknown option '--config'\nhint: set BROKER_CONFIG=FILE in the environment\n"),
    (["connect", "shop", "--name", "x"], 64,
     "broker: connect: unknown option '--name'\nhint: client options follow --: broker connect shop -- --name ...\n"),
    (["connect", "shop", "-o", "username=u"], 64, "broker: -o username: unknown key 'username'\nhint: did you mean 'user'?\n"),
    (["profile", "create", "x"], 64, "broker: profile: no such operation 'create'\nhint: did you mean 'add'?\n"),
    (["profile", "rm", "shop"], 64, "broker: profile: no such operation 'rm'\nhint: did you mean 'remove'?\n"),
    (["profile", "add", "mysql://app@h/x"], 64, "broker: mysql://app@h/x: not a valid profile name\n"
     "hint: the name comes first: broker profile add NAME mysql://app@h/x\n"),
    (["test", "app@tcp(db.example.com:3306)/shop"], 78, "broker: app@tcp(db.example.com:3306)/shop: no such profile\n"
     "hint: broker test 'mysql://app@tcp(db.example.com:3306)/shop'\n"),
    (["connect", "app@db.example.com"], 78,
     "broker: app@db.example.com: no such profile\nhint: broker connect mysql://app@db.example.com\n"),
    (["test", "app@db.example.com:3307"], 78,
     "broker: app@db.example.com:3307: no such profile\nhint: broker test mysql://app@db.example.com:3307\n"),
    (["connect", "db.example.com:3307"], 78,
     "broker: db.example.com:3307: no such profile\nhint: broker connect mysql://db.example.com:3307\n"),
    (["connect", "me@bastoin.example.org"], 78,
     "broker: me@bastoin.example.org: no such profile\nhint: did you mean 'me@bastion.example.org'?\n"),
    (["list"], 64, "broker: list: no such verb\nhint: broker profile list\n"),
    (["set"], 64, "broker: set: no such verb\nhint: broker password set\n"),
    (["stp"], 64, "broker: stp: no such verb\nhint: broker help\n"),
    (["stpo"], 64, "broker: stpo: no such verb\nhint: broker help\n"),
    (["connect", "shop", "--json"], 64, "broker: connect has no --json\nhint: broker help connect\n"),
    (["token", "shop", "--detach"], 64, "broker: token has no --detach\nhint: broker help token\n"),
    (["status", "-u"], 64, "broker: status has no -u\nhint: broker help status\n"),
    (["stop", "fra"], 0, "no forward 'fra' is running\n"),
    (["stop", "fra", "-q"], 0, ""),
    (["-x", "connect", "shop"], 64,
     "broker: connect: unknown option '-x'\nhint: client options follow --: broker connect PROFILE -- -x ...\n"),
    (["-v", "conect", "shop"], 64, "broker: conect: no such verb\nhint: did you mean 'connect'?\n"),
    (["--", "connect"], 64, "broker: --: no such verb\nhint: broker help\n")])
def test_mistake(filled, args, code, err):
    assert outcome(filled.run(*args)) == ("", err, code)


def test_shop_is_not_stop(broker):
    """The hint for the name of a profile that does not exist must not propose `stop`, which ends forwards."""
    assert outcome(broker.run("shop")) == ("", "broker: shop: no such verb\nhint: broker help\n", 64)


@pytest.mark.parametrize("before", [["-v"], ["--quiet"], ["-u", "other"], ["--user=other"], ["-vuother"], ["-o", "user=other", "-q"],
                                    ["--no-input", "--port", "3307"], ["-P", "3307", "--user", "other"]])
def test_options_before_the_verb(filled, clients, before):
    """They have the same effect as after the verb."""
    after = filled.run("connect", "shop", "--dry-run", "--client", clients["mysql9"].path, *before)
    done = filled.run(*before, "connect", "shop", "--dry-run", "--client", clients["mysql9"].path)
    assert after.code == 0 and done.text == after.text


def test_options_without_a_verb(broker):
    for args in (["-v"], ["--user", "app"], ["-u", "connect"]):
        done = broker.run(*args)
        assert done.code == 64 and done.out == b"" and done.errors.startswith("usage: broker VERB ")


def test_help_and_version_in_front(broker):
    assert broker.run("--help", "connect").text == broker.run("help", "connect").text
    assert broker.run("-v", "--version").text == broker.run("version", "-v").text


def test_stock_client_that_ignores_mysql_user(filled, clients):
    """It reads the server from the environment, but not the user: the note says how to pass the user."""
    stub = filled.stub("mysql")
    note = f"note: mysql ignores MYSQL_USER; use broker connect shop, or mysql --defaults-file={{defaults-file}}\n"
    assert outcome(filled.run("exec", "shop", "--", stub.path, "-e", "select 1")) == ("", note, 0)
    for words in (["--defaults-file={defaults-file}"], ["-uapp"], ["-u", "app"], ["--user=app"]):
        assert outcome(filled.run("exec", "shop", "--", stub.path, *words)) == ("", "", 0), words
    assert outcome(filled.run("exec", "shop", "-q", "--", stub.path)) == ("", "", 0)
    dump = filled.stub("mysqldump")
    assert outcome(filled.run("exec", "shop", "--", dump.path)) == (
        "", "note: mysqldump ignores MYSQL_USER; use mysqldump --defaults-file={defaults-file}\n", 0)


# Arguments that may be a secret

@pytest.mark.parametrize("args", [
    ["password", "set", "shop", SECRET], ["password", "set", "--tunnel", "fra", SECRET], ["password", SECRET],
    ["password", "shop", SECRET], ["connect", "shop", SECRET], ["test", "shop", SECRET], ["exec", "shop", SECRET],
    ["exec", "shop", SECRET, "--", "true"], ["exec", "shop", "true", SECRET], ["exec", "shop", "--env", f"PASS WORD={SECRET}", "--", "true"],
    ["exec", "shop", "--format", f"x={SECRET}", "--", "true"], ["exec", "shop", "mysql", f"-p{SECRET}"],
    ["exec", "shop", "--", f"mysql -p{SECRET}"], ["connect", "shop", "--client", f"mysql -p{SECRET}"],
    ["connect", "shop", "--client", f"/usr/bin/mysql --password={SECRET}"],
    ["connect", "--host", f"u:{SECRET}@h"], ["connect", "--host", f"u:{SECRET}"], ["connect", "--host", f"{SECRET}@h"],
    ["connect", "shop", "-P", SECRET], ["connect", "shop", f"-P{SECRET}"], ["connect", "shop", f"-p{SECRET}"],
    ["connect", "shop", f"-vp{SECRET}"], [f"-p{SECRET}", "connect", "shop"], ["-v", f"--password={SECRET}", "connect", "shop"],
    ["connect", "shop", f"--password={SECRET}"], ["connect", "shop", f"--passwd={SECRET}"], ["connect", "shop", f"--password{SECRET}"],
    ["connect", "shop", "--password", SECRET], ["connect", "shop", "-p", SECRET], ["connect", "shop", f"--x={SECRET}"],
    ["connect", "shop", "-o", f"password={SECRET}"], ["connect", "shop", "-o", f"tunnel.password={SECRET}"],
    ["connect", "shop", "-o", SECRET], ["connect", "shop", "-o", f"port={SECRET}"], ["connect", "shop", "--via", f"ssh://u:{SECRET}@h"],
    ["connect", "shop", "--via", f"u:{SECRET}@h"], ["forward", "shop", "--listen", f"u:{SECRET}@h"],
    ["connect", f"u:{SECRET}@h"], ["connect", f"u:{SECRET}"], ["connect", f"u:{SECRET}@tcp(h:1)/d"],
    ["connect", f"Server=h;Uid=u;Pwd={SECRET}"], ["test", f"host=h password={SECRET}"], [f"password={SECRET}"],
    ["connect", f"mysql -h h -p{SECRET} d"], ["profile", "show", f"mysql -p{SECRET}"], ["profile", "add", f"mysql://u:{SECRET}@h/"],
    [f"u:{SECRET}@h"], [f"mysql:/u:{SECRET}@h"], ["profile", "show", "shop", SECRET],
    ["profile", "add", "x", SECRET], ["profile", "add", "x", f"u:{SECRET}@h"], ["profile", "add", "x", "mysql://h/", SECRET],
    ["profile", "list", SECRET], ["status", "a", SECRET], ["stop", "a", SECRET], ["login", "shop", SECRET], ["version", SECRET],
    ["completion", "bash", SECRET], ["help", "connect", SECRET],
    ["connect", "shop", "--dry-run", "--", f"-p{SECRET}"], ["connect", "shop", "--dry-run", "--", f"--password={SECRET}"],
    ["exec", "shop", "--dry-run", "--", "tool", f"--api-token={SECRET}"], ["exec", "shop", "--dry-run", "--", "tool", "--token", SECRET],
    ["exec", "shop", "--dry-run", "--", "mysqldump", f"-p{SECRET}"]])
def test_argument_that_may_be_a_secret_is_not_repeated(filled, clients, args):
    """The fixture `broker` searches all output for it."""
    filled.secret(SECRET.encode())
    filled.config("[defaults]\nclient = " + str(clients["mysql9"].path) + "\n" + CONFIG)
    done = filled.run(*args, "-v") if "--" not in args else filled.run(*args)
    assert done.code != 0 or "--dry-run" in args
    assert SECRET.encode() not in done.out + done.err


def test_a_secret_in_the_environment_is_not_repeated(filled):
    filled.secret(SECRET.encode())
    for name, value in (("BROKER_HOST", f"u:{SECRET}@h"), ("BROKER_PORT", SECRET), ("BROKER_PROFILE", f"u:{SECRET}@h")):
        done = filled.run("connect", env={"BROKER_PROFILE": "shop2", name: value})
        assert done.code in (64, 78), done


HIDDEN = {"C1": "\u009b31m", "bidi": "\u202e", "isolate": "\u2066", "mark": "\u200f", "zero-width": "\u200b", "tag": "\U000e0041",
          "line separator": "\u2028", "byte order mark": "\ufeff"}


@pytest.mark.parametrize("what", HIDDEN)
def test_characters_that_hide_text_are_refused(filled, what):
    """In the file, a flag, the environment and a URL. Joiners are accepted, because scripts and emoji need them."""
    value = f"a{HIDDEN[what]}b"
    why = "title: contains a character that controls a terminal or hides text\nhint: type the value again; the copied text has invisible characters\n"
    filled.config(f"[profile p]\nhost = h\nuser = u\ntitle = {value}\n")
    assert filled.run("profile", "show", "p").errors == f"broker: ~/.config/broker/config:4: {why}"
    filled.config(CONFIG)
    assert filled.run("profile", "show", "shop", "-o", f"title={value}").errors == f"broker: -o title: {why}"
    assert filled.run("profile", "show", "shop", env={"BROKER_TITLE": value}).errors == f"broker: BROKER_TITLE: {why}"
    done = filled.run("profile", "show", f"mysql://u@h/?title={value}")
    assert (done.errors, done.code) == (f"broker: URL: {why}", 65)
    assert filled.run("profile", "show", "shop", "-o", "title=\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb").code == 0
