# SPDX-License-Identifier: MIT
"""`broker exec`: mysqldump, mysqladmin and mysqlimport of both families on real servers, over TCP with verified TLS and
over a unix socket, with option files in the home directory that name another server; the environment, the placeholders,
and how the program ends."""
import os
import re
import signal
import subprocess

import pytest

from lib import procs
from lib.logins import HOSTILE_ENV, SECRET_ENV, for_user, hostile_files, profile
from servers.pki import RIGHT_NAME

DEFAULTS = "--defaults-file={defaults-file}"
ROWS = b"".join(b"INSERT INTO `item` VALUES (%d,'%s');\n" % row for row in ((1, b"apple"), (2, b"pear"), (3, b"quince")))
NAMES = {"dump": "mysqldump", "admin": "mysqladmin", "load": "mysqlimport"}
TRANSPORTS = ["tls", "socket"]


class Tools:
    """The tools of one client with the server of its family, and an account that has the privileges for them and, over
    TCP, requires TLS. run("dump", ARG...) is `broker exec p -- mysqldump --defaults-file={defaults-file} ARG...`."""

    def __init__(self, broker, client, server, transport, by_name):
        self.broker, self.client, self.server, self.by_name = broker, client, server, by_name
        server.create_user("tool", server.password("tool"), None, "SSL" if transport == "tls" else None)
        server.admin("grant all on *.* to tool@'%'")
        self.options = client.options_for(server, "tool")
        keys = {"host": RIGHT_NAME, "tls": "verify-identity", "tls_ca": server.ca} if transport == "tls" else {"socket": server.socket}
        for_user(broker, server, "tool", **keys)
        hostile_files(broker, client, *([f"plugin-dir={self.options[0].partition('=')[2]}"] if self.options else []))

    def words(self, tool, *args):
        return "exec", "p", "--", NAMES[tool] if self.by_name else getattr(self.client, tool), DEFAULTS, *args

    def run(self, tool, *args, **options):
        return self.broker.run(*self.words(tool, *args), env=HOSTILE_ENV, **options)

    def start(self, tool, *args, **options):
        return self.broker.start(*self.words(tool, *args), env=HOSTILE_ENV, **options)


@pytest.fixture(params=["mysql9", "mariadb1011", "mariadb118", "debian"])
def tools(request, broker, names, clients, transport):
    """debian: the tools by their names on PATH, where mysqldump is a link to mariadb-dump."""
    client = clients["mariadb1011" if request.param == "debian" else request.param]
    fixture = "mysql_server" if client.family == "mysql" else "mariadb_server"
    return Tools(broker, client, request.getfixturevalue(fixture), transport, request.param == "debian")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_dump(tools):
    more = ["--set-gtid-purged=OFF"] if tools.client.family == "mysql" else []
    done = tools.run("dump", "--no-tablespaces", "--skip-extended-insert", "--compact", *more, "shop", "item")
    assert (done.code, done.err) == (0, b"") and ROWS in done.out


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_argv(tools):
    """The argv of the program, which runs in the process of `exec`; it waits until the test reads its output."""
    fifo = tools.broker.home / "fifo"
    os.mkfifo(fifo)
    run = tools.start("dump", "--no-tablespaces", f"--result-file={fifo}", "shop", "item", stdin=subprocess.DEVNULL)
    with open(fifo, "rb") as end:
        argv = procs.cmdline(run.pid)
        assert end.read().count(b"apple") == 1
    assert run.wait(20) == 0 and re.search(rb"dump\0--defaults-file=/proc/%d/fd/\d+\0--no-tablespaces\0" % run.pid, argv), argv
    assert tools.server.password("tool") not in argv


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_admin(tools, transport):
    done = tools.run("admin", "processlist")
    assert (done.code, done.err) == (0, b"")
    row = next(line.split("|") for line in done.text.splitlines() if "processlist" in line)
    assert [cell.strip() for cell in row[2:4]][0] == "tool"
    assert row[3].strip().partition(":")[0] == ("127.0.0.1" if transport == "tls" else "localhost")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_import(tools):
    tools.server.admin("drop table if exists shop.fruit; create table shop.fruit like shop.item")
    rows = tools.broker.write("fruit.txt", "7\tfig\n8\tdate\n")
    done = tools.run("load", "--local", "shop", rows)
    assert (done.code, done.err) == (0, b"") and done.text == "shop.fruit: Records: 2  Deleted: 0  Skipped: 0  Warnings: 0\n"
    assert tools.server.admin("select * from shop.fruit") == "7\tfig\n8\tdate"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_refused(tools):
    tools.broker.env[SECRET_ENV] = "fake-wrong"
    done = tools.run("dump", "shop")
    assert done.code == 2 and b"1045" in done.err and b"using password: YES" in done.err


@pytest.fixture
def plain(broker):
    """The profile `p` for programs that make no connection, with a secret that must be quoted in a URL."""
    broker.env[SECRET_ENV] = broker.secret(b"fake /?#%\xc3\xa9\"'canary").decode()
    broker.config(profile(host=RIGHT_NAME, port=3307, user="us er", database="d/b", tls="preferred", auth="env",
                          auth_env=SECRET_ENV))
    return broker


def exec_env(broker, *args, env={}):
    """The environment of a program that exec became, as a dict."""
    done = broker.run("exec", "p", *args, "--", "env", "-0", env=env, secret_out=True)
    assert (done.code, done.err) == (0, b"")
    return dict(line.split("=", 1) for line in done.text.split("\0") if line)


def changed(broker, *args, env={}):
    """What exec changed in the environment: {name: value}, None for a removed variable."""
    before, after = broker.environment(env), exec_env(broker, *args, env=env)
    return {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}


def mysql_env(broker, **changes):
    return {"MYSQL_HOST": RIGHT_NAME, "MYSQL_TCP_PORT": "3307", "MYSQL_USER": "us er", "MYSQL_PWD": broker.env[SECRET_ENV],
            "MYSQL_DATABASE": "d/b", **changes}


def url_env(broker):
    return {"DATABASE_URL": "mysql://us%20er:fake%20%2F%3F%23%25%C3%A9%22%27canary@db.test.internal:3307/d%2Fb"}


def test_environment(plain):
    assert changed(plain) == changed(plain, "--format", "env") == mysql_env(plain)
    assert changed(plain, "--env", "url") == {**mysql_env(plain), **url_env(plain)}
    assert changed(plain, "--format", "url") == url_env(plain)


def test_environment_of_the_caller(plain):
    """Variables that describe another server are replaced or removed; all others stay."""
    stale = {"MYSQL_UNIX_PORT": "/nowhere", "MYSQL_PWD": "fake-stale", "MYSQL_HOST": "stale", "MINE": "kept", "MYSQL_PS1": "kept"}
    assert changed(plain, env=stale) == mysql_env(plain, MYSQL_UNIX_PORT=None)
    plain.config(profile(socket="/run/s.sock", user="app", auth="none"))
    stale = {**stale, "MYSQL_TCP_PORT": "1", "MYSQL_DATABASE": "stale", "MYSQL_USER": "stale"}
    assert changed(plain, env=stale) == {"MYSQL_HOST": "localhost", "MYSQL_UNIX_PORT": "/run/s.sock", "MYSQL_USER": "app",
                                         "MYSQL_PWD": "", "MYSQL_TCP_PORT": None, "MYSQL_DATABASE": None}


def test_environment_of_auth_client(broker):
    """broker sets no user and no password: those of the caller stay."""
    broker.config(profile(host="127.0.0.1", auth="client"))
    assert changed(broker, env={"MYSQL_PWD": "fake-own", "MYSQL_USER": "own"}) == {"MYSQL_HOST": "127.0.0.1", "MYSQL_TCP_PORT": "3306"}


def test_placeholders(plain):
    words = ["{host}", "{port}", "{socket}", "{user}", "{database}", "--to={host}:{port}", "{{host}}",
             "{other}", "{}", "{HOST}", "{host", "host}", "${port}", "{defaults_file}"]
    done = plain.run("exec", "p", "--", "printf", "%s\\n", *words)
    assert done.text.split("\n") == [RIGHT_NAME, "3307", "", "us er", "d/b", f"--to={RIGHT_NAME}:3307", "{" + RIGHT_NAME + "}",
                                     "{other}", "{}", "{HOST}", "{host", "host}", "$3307", "{defaults_file}", ""]
    plain.config(profile(socket="/run/s.sock", user="app", auth="none"))
    done = plain.run("exec", "p", "--", "printf", "%s\\n", "{host}", "{socket}", "{database}")
    assert done.text == "localhost\n/run/s.sock\n\n"


@pytest.mark.parametrize("word", ["--password={password}", "{url}", "x{defaults-file}{password}"])
def test_placeholder_of_a_secret_is_refused(broker, word):
    """It is refused before the credential is read, which would fail here."""
    broker.config(profile(host="127.0.0.1", user="app", auth="file", auth_file="/nonexistent"))
    done = broker.run("exec", "p", "--", "true", word)
    name = "{url}" if "url" in word else "{password}"
    assert (done.code, done.out, done.errors) == (64, b"", f"broker: exec: {name} would be seen in the process list\n"
                                                           "hint: {defaults-file}, or MYSQL_PWD in its environment\n")


@pytest.mark.parametrize("args, text", [
    ([], "broker: exec: which command?\nhint: broker exec PROFILE -- COMMAND ARG...\n"),
    (["--"], "broker: exec: which command?\nhint: broker exec PROFILE -- COMMAND ARG...\n"),
    (["--format", "xml", "--", "true"], "broker: exec: no such format 'xml'\nhint: broker help formats\n"),
    (["--env", "ulr", "--", "true"], "broker: exec: no such format 'ulr'\nhint: did you mean 'url'?\n")])
def test_usage(plain, args, text):
    done = plain.run("exec", "p", *args)
    assert (done.code, done.out, done.errors) == (64, b"", text)


def test_defaults_file(plain):
    """A file that only this user can read, more than once, and also in a child that inherits no descriptor."""
    plain.write(".my.cnf", "[client]\nuser = wrong\n")
    script = "stat -L -c %a:%F $1; cat $1; echo again; (exec 3>&- 4>&- 5>&- 6>&-; sh -c 'cat $1' sh $1)"
    done = plain.run("exec", "p", "--", "bash", "-c", script, "sh", "{defaults-file}", secret_out=True)
    kind, _, text = done.text.partition("\n")
    first, second = text.split("again\n")
    assert kind == "600:regular file" and first == second
    assert first.startswith("[client]\nuser=us er\npassword=\"fake /?#%é\\\"'canary\"\nhost=db.test.internal\nport=3307\n")


def test_other_programs_need_no_client(plain):
    """A program that is not a stock client needs no installed client."""
    plain.env["PATH"] = str(plain.home / "bin")
    done = plain.run("exec", "p", "--", "/bin/echo", "hello")
    assert (done.code, done.out, done.err) == (0, b"hello\n", b"")
    done = plain.run("exec", "p", "--", "/bin/cat", "{defaults-file}", secret_out=True)
    assert done.code == 0 and done.text.startswith("[client]\n")
    done = plain.run("exec", "p", "--", "mysqldump", "{defaults-file}")
    assert (done.code, done.out) == (127, b"") and done.errors.startswith("broker: p: mysqldump: not found on PATH\nhint: ")


@pytest.mark.parametrize("script, code, died", [("exit 0", 0, 0), ("exit 1", 1, 0), ("exit 2", 2, 0), ("exit 7", 7, 0),
                                                ("kill -TERM $$", 143, signal.SIGTERM), ("kill -INT $$", 130, signal.SIGINT)])
def test_exit_status(plain, script, code, died):
    done = plain.run("exec", "p", "--", "sh", "-c", script)
    assert (done.code, done.signal, done.out, done.err) == (code, died, b"", b"")


def test_signals_and_stdin_reach_the_program(plain):
    """The program runs in broker's process, so what is sent to broker reaches the program."""
    script = "trap 'echo caught; exit 3' HUP; echo ready; while :; do read line || sleep 0.01; done"
    run = plain.start("exec", "p", "--", "sh", "-c", script, stdin=-3, stdout=-1, stderr=-1)
    assert run.stdout.readline() == b"ready\n"
    run.send_signal(signal.SIGHUP)
    assert (*run.communicate(timeout=20), run.returncode) == (b"caught\n", b"", 3)
    assert plain.run("exec", "p", "--", "cat", input=b"\0in\xff").out == b"\0in\xff"


@pytest.mark.parametrize("name, code", [("no-such-program", 127), ("/nonexistent/tool", 127), ("locked", 126), ("/tmp", 126)])
def test_program_that_cannot_run(plain, name, code):
    if name == "locked":
        name = plain.write("bin/locked", "#!/bin/sh\n", mode=0o600)
    done = plain.run("exec", "p", "--", name)
    what, hint = done.errors.splitlines()
    assert done.code == code and what.startswith(f"broker: p: {name}: ") and hint.startswith("hint: ") and not done.out


def test_dry_run(plain):
    done = plain.run("exec", "p", "--dry-run", "--", "touch", plain.home / "made")
    assert done.code == 0 and not os.path.exists(plain.home / "made") and not done.err
    assert done.text == (f"endpoint    {RIGHT_NAME}:3307\nroute       direct\ntls         preferred, by the client\n"
                         f"credential  the variable {SECRET_ENV}\naddress     {RIGHT_NAME}:3307\n"
                         f"command     touch {plain.home}/made\n")
