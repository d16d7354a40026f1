# SPDX-License-Identifier: MIT
"""`broker exec` with the real programs that people run with it: by each method of telling them where the server is, at
each TLS level, directly and through a tunnel.

A relay in front of the server records what is sent to it, so that the test knows what was on the wire and need not
believe the program. Each program creates one table; it has succeeded if the server has that table, made by the right
account."""
import itertools
import os
import subprocess
from dataclasses import dataclass, field

import pytest

from lib.clients import find
from lib.logins import SECRET_ENV, for_user, profile
from servers import process
from servers.pki import RIGHT_NAME, WRONG_NAME
from conftest import BASE, having, lasting
from servers.mariadb import MariaDB
from servers.mysql9 import MySQL

CLIENT_SSL, SSL_REQUEST = 0x0800, 32
MARK = "made by the program"  # in every statement; must not be readable on the wire if TLS is required
TLS = "variable_value as tls from performance_schema.session_status where variable_name = 'Ssl_version'"
URL = ["--env", "url"]
SHELL_DSN = "$MYSQL_USER:$MYSQL_PWD@tcp($MYSQL_HOST:$MYSQL_TCP_PORT)/$MYSQL_DATABASE"

MYSQL2 = """
const mysql = require('mysql2/promise'), e = process.env
const place = e.DATABASE_URL || {host: e.MYSQL_HOST, port: e.MYSQL_TCP_PORT, user: e.MYSQL_USER, password: e.MYSQL_PWD,
                                database: e.MYSQL_DATABASE}
mysql.createConnection(place).then(async c => { await c.query(process.argv[2]); await c.end() })
    .catch(error => { console.error(error.message); process.exit(1) })
"""
PYMYSQL = """
import os, pymysql, sys
place = {"read_default_file": sys.argv[2]} if len(sys.argv) > 2 else {
    "host": os.environ["MYSQL_HOST"], "port": int(os.environ["MYSQL_TCP_PORT"]), "user": os.environ["MYSQL_USER"],
    "password": os.environ["MYSQL_PWD"]}
pymysql.connect(**place, database=os.environ["MYSQL_DATABASE"]).cursor().execute(sys.argv[1])
"""
MYSQLCLIENT = """
import MySQLdb, os, sys
MySQLdb.connect(read_default_file=sys.argv[2], db=os.environ["MYSQL_DATABASE"]).cursor().execute(sys.argv[1])
"""
IN_A_CHILD = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, *sys.argv[1:]]).returncode)
"""
NODE_CHILD = """
const done = require('child_process').spawnSync(process.argv[2], process.argv.slice(3), {stdio: 'inherit'})
process.exit(done.status)
"""
SQLALCHEMY = """
import os, sqlalchemy, sys
with sqlalchemy.create_engine(os.environ["DATABASE_URL"]).begin() as c:
    c.execute(sqlalchemy.text(sys.argv[1]))
"""
ALEMBIC_ENV = """
import os, sqlalchemy
from alembic import context
with sqlalchemy.create_engine(os.environ["DATABASE_URL"]).connect() as c:
    context.configure(connection=c, version_table="alembic_" + os.environ["TABLE"])
    with context.begin_transaction():
        context.run_migrations()
"""
ALEMBIC_STEP = """
from alembic import op
import os
revision, down_revision = "1", None
def upgrade():
    op.execute(os.environ["STATEMENT"])
"""
DJANGO = """
import dj_database_url, django, sys
from django.conf import settings
settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()
from django.db import connection
with connection.cursor() as c:
    c.execute(sys.argv[1])
"""
RUBY = """
require 'mysql2'
e = ENV
place = ARGV[1] ? {default_file: ARGV[1], default_group: 'client'} :
    {host: e['MYSQL_HOST'], port: e['MYSQL_TCP_PORT'].to_i, username: e['MYSQL_USER'], password: e['MYSQL_PWD']}
Mysql2::Client.new(**place, database: e['MYSQL_DATABASE']).query(ARGV[0])
"""
RAILS = """
require 'active_record'
ActiveRecord::Base.establish_connection(ENV['DATABASE_URL'].sub('mysql:', 'mysql2:'))
ActiveRecord::Base.connection.execute(ARGV[0])
"""
FLYWAY = """
import org.flywaydb.core.Flyway;
public class Main {
    public static void main(String[] words) { Flyway.configure().envVars().load().migrate(); }
}
"""


@dataclass
class Program:
    """words(place): the command, for a Place. options: the options of exec. files: {name: text}, written to the home
    folder."""
    words: object
    options: list = field(default_factory=list)
    files: dict = field(default_factory=dict)


@dataclass
class Place:
    """Where a program's own files are, and the statement that it must run."""
    home: object
    table: str
    statement: str

    def sql(self, name, text):
        (self.home / "steps").mkdir(exist_ok=True)
        (self.home / "steps" / name).write_text(text)
        return str(self.home / "steps")


def fetched(path):
    return str(process.need(process.cache_dir() / "programs" / path))


def installed(path):
    return str(process.need(path))


def python(script, *words):
    return lambda place: [fetched("python/bin/python"), "-c", script, place.statement, *words]


def sh(script, *words):
    """A command that runs SCRIPT in a shell, with WORDS as $1, $2 and so on."""
    return ["sh", "-c", script, "sh", *words]


def dbmate(place):
    steps = place.sql("1_step.sql", f"-- migrate:up\n{place.statement};\n-- migrate:down\n")
    return [fetched("node/node_modules/.bin/dbmate"), "--no-dump-schema", "--migrations-dir", steps,
            "--migrations-table", f"dbmate_{place.table}", "migrate"]


def goose(place):
    steps = place.sql("00001_step.sql", f"-- +goose Up\n{place.statement};\n")
    return sh(f'exec "$1" -dir "$2" -table "goose_$3" mysql "{SHELL_DSN}" up', fetched("go/goose"), steps, place.table)


def migrate(place):
    steps = place.sql("1_step.up.sql", f"{place.statement};\n")
    return sh(f'exec "$1" -path "$2" -database "mysql://{SHELL_DSN}?x-migrations-table=migrate_$3" up', fetched("go/migrate"), steps,
              place.table)


def gosql(place):
    return [fetched("go/gosql"), "{host}", "{port}", "{database}", place.statement]


def alembic(place):
    folder = place.home / "alembic"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ALEMBIC_ENV)
    (folder / "versions" / "1_step.py").write_text(ALEMBIC_STEP)
    (place.home / "alembic.ini").write_text(f"[alembic]\nscript_location = {folder}\n")
    return ["env", f"TABLE={place.table}", f"STATEMENT={place.statement}", fetched("python/bin/alembic"), "upgrade", "head"]


def compiled(main, source, jars):
    """A folder with the classes of a Java program; it is in the tests' cache."""
    def make(part):
        part.mkdir()
        (part / f"{main}.java").write_text(source)
        subprocess.run([installed("/usr/bin/javac"), "-cp", jars, "-d", part, part / f"{main}.java"], check=True, capture_output=True)
    return process.cached("java", source, jars, make=make)


def java_program(main, source, jar):
    """The command for the Java program MAIN, with all jars in the folder of JAR. The options halve its run time."""
    jars = f"{os.path.dirname(fetched_file(jar))}/*"
    return [installed("/usr/bin/java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{compiled(main, source, jars)}:{jars}", main]


def flyway_program():
    return java_program("Main", FLYWAY, "java/lib/flyway-mysql-13.12.0.jar")


def flyway(place):
    steps = place.sql("V1__step.sql", f"{place.statement};\n")
    return sh('export FLYWAY_URL="jdbc:mysql://$MYSQL_HOST:$MYSQL_TCP_PORT/$MYSQL_DATABASE?allowPublicKeyRetrieval=true" '
              'FLYWAY_USER="$MYSQL_USER" FLYWAY_PASSWORD="$MYSQL_PWD" FLYWAY_LOCATIONS="filesystem:$1" FLYWAY_TABLE="flyway_$2" '
              'FLYWAY_BASELINE_ON_MIGRATE=true FLYWAY_BASELINE_VERSION=0; shift 2; exec "$@"', steps, place.table, *flyway_program())


def fetched_file(path):
    path = process.cache_dir() / "programs" / path
    if not path.exists():
        raise process.Missing(f"{path} (tests/setup installs it)")
    return str(path)


def pt(place):
    return [installed("/usr/bin/pt-online-schema-change"), "--alter", f"add column made int comment '{MARK}'", "--execute",
            "--no-version-check", "--recursion-method=none", "--set-vars", "innodb_lock_wait_timeout=2", f"D=shop,t=seed_{place.table},F={{defaults-file}}"]


def node(place):
    fetched_file("node/node_modules/mysql2/package.json")
    return [installed("/usr/bin/node"), str(place.home / "query.js"), place.statement]


NODE_FILES = {"query.js": MYSQL2}
FILE = "{defaults-file}"
PROGRAMS = {
    "dbmate": Program(dbmate, URL),
    "goose": Program(goose),
    "golang-migrate": Program(migrate),
    "go-sql-driver": Program(gosql),
    "sqlalchemy": Program(python(SQLALCHEMY), URL),
    "alembic": Program(alembic, URL),
    "django": Program(python(DJANGO), URL),
    "pymysql": Program(python(PYMYSQL)),
    "pymysql file": Program(python(PYMYSQL, FILE)),
    "pymysql file in a child": Program(lambda p: [fetched("python/bin/python"), "-c", IN_A_CHILD, "-c", PYMYSQL, p.statement, FILE]),
    "pymysql file in a child of node": Program(lambda p: [installed("/usr/bin/node"), str(p.home / "child.js"),
                                                         fetched("python/bin/python"), "-c", PYMYSQL, p.statement, FILE],
                                               files={"child.js": NODE_CHILD}),
    "mysqlclient file": Program(python(MYSQLCLIENT, FILE)),
    "node-mysql2 url": Program(node, URL, NODE_FILES),
    "node-mysql2": Program(node, files=NODE_FILES),
    "ruby-mysql2": Program(lambda p: [installed("/usr/bin/ruby"), "-e", RUBY, p.statement]),
    "ruby-mysql2 file": Program(lambda p: [installed("/usr/bin/ruby"), "-e", RUBY, p.statement, FILE]),
    "rails": Program(lambda p: [installed("/usr/bin/ruby"), "-e", RAILS, p.statement], URL),
    "flyway": Program(flyway),
    "pt-online-schema-change": Program(pt),
    "mariadb by a shell": Program(lambda p: sh('mariadb --defaults-file="$1" -e "$2"', FILE, p.statement)),
    "mariadb": Program(lambda p: [installed("/usr/bin/mariadb"), f"--defaults-file={FILE}", "-e", p.statement]),
}


@pytest.fixture(scope="session")
def server(pki):
    """A server for this file only, with a binary log and with triggers allowed."""
    yield from lasting(MySQL, BASE / "programs", pki, options=["--log-bin=log", "--log-bin-trust-function-creators=1",
                                                              "--server-id=1"])


@pytest.fixture(scope="session")
def account(server):
    """`prog` has the privileges that a migration tool needs. Its password is full of characters that must be
    escaped."""
    return make_account(server)


def make_account(server):
    server.create_user("prog", server.password("prog"))
    server.admin("grant process, replication slave, replication client on *.* to prog@'%'; grant all on shop.* to prog@'%'")
    return "prog"


number = itertools.count(1)


def begins_with_tls(sent):
    """Whether SENT begins with a TLS request, and the TLS handshake follows it."""
    length, flags = int.from_bytes(sent[:3], "little"), int.from_bytes(sent[4:6], "little")
    return length == SSL_REQUEST and flags & CLIENT_SSL and sent[36:38] == b"\x16\x03"


class Run:
    """A profile whose server is behind a relay, and the result of running one program with it."""

    def __init__(self, broker, server, relay):
        self.broker, self.server = broker, server
        self.far = relay((server.host, server.port))
        self.table = f"made_{next(number)}"
        self.statement = f"create table shop.{self.table} as select substring_index(current_user(), '@', 1) as who, '{MARK}' as mark, {TLS}"

    def configure(self, route, level, sshd=None, **keys):
        ca = self.server.ca if level.startswith("verify") else None
        via = {"direct": None, "tcp": f"tcp://127.0.0.1:{self.far.port}", "ssh": "b"}[route]
        for_user(self.broker, self.server, "prog", **{"host": RIGHT_NAME, "port": self.far.port, "tls": level, "tls_ca": ca, "via": via,
                                                      "database": "shop", "server_public_key": "yes", **keys})
        if sshd:
            with open(self.broker.config_path, "a") as f:
                f.write(f"[tunnel b]\ntype = ssh\nhost = {sshd.host}\nport = {sshd.port}\nuser = {sshd.user}\n")

    def program(self, name, **run):
        """Runs the program. Creates a table before, because pt-online-schema-change alters one that exists."""
        row = PROGRAMS[name]
        self.server.admin(f"flush privileges; create table shop.seed_{self.table} (id int primary key)")
        for file, text in row.files.items():
            (self.broker.home / file).write_text(text)
        place = Place(self.broker.home, self.table, self.statement)
        modules = str(process.cache_dir() / "programs" / "node" / "node_modules")
        words = having(row.words, place)
        return self.broker.run("exec", "p", *row.options, "--", *words, env={"NODE_PATH": modules}, timeout=120, **run)

    def made(self, name, tls=None):
        """Whether the server has what the program was to make, made by the right account. tls: whether the connection
        must have had TLS, according to the server (None: either)."""
        if name == "pt-online-schema-change":
            return self.server.admin("select count(*) from information_schema.columns where column_comment = "
                                     f"'{MARK}' and table_name = 'seed_{self.table}'") == "1"
        there = self.server.admin(f"select count(*) from information_schema.tables where table_name = '{self.table}'") == "1"
        if not there:
            return False
        who, version = self.server.admin(f"select who, tls from shop.{self.table}").split("\t")
        return who == "prog" and (tls is None or tls == version.startswith("TLSv1."))

    def wire_has_tls(self):
        """Whether each connection on which data was sent to the server began with a TLS request, and nothing readable
        followed on any."""
        heads = self.far.heads.values()
        return heads and all(begins_with_tls(head) for head in heads) and MARK.encode() not in self.far.sent and b"prog" not in self.far.sent


@pytest.fixture
def run(broker, names, server, account, relay):
    return Run(broker, server, relay)


@pytest.fixture
def bastion(ssh_home, sshd, user_key):
    (ssh_home / "id_ed25519").write_bytes(user_key.read_bytes())
    (ssh_home / "id_ed25519").chmod(0o600)
    (ssh_home / "known_hosts").write_text(sshd.known())
    return sshd


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("route, level", [("direct", "required"), ("direct", "verify-identity"), ("direct", "preferred"),
                                          ("tcp", "verify-identity"), ("tcp", "preferred"), ("ssh", "required")])
def test_program(request, run, name, route, level):
    """It reaches the server as the right account. At `required` and stricter there is TLS on the wire."""
    run.configure(route, level, request.getfixturevalue("bastion") if route == "ssh" else None)
    done = run.program(name)
    assert done.code == 0 and run.made(name, tls=True if level != "preferred" else None), (done.code, done.text, done.errors)
    assert run.far.connections
    if level != "preferred":
        assert run.wire_has_tls()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("route, wrong", [("direct", "name"), ("tcp", "ca")])
def test_wrong_certificate(run, name, route, wrong):
    """If the server is not the one that the profile names, no program can log in, and nothing of its data is sent."""
    keys = {"host": WRONG_NAME} if wrong == "name" else {"tls_ca": run.server.wrong_ca}
    run.configure(route, "verify-identity", **keys)
    done = run.program(name)
    assert done.code != 0 and not run.made(name)
    assert MARK.encode() not in run.far.sent and b"prog" not in run.far.sent


# Stock clients, which are configured by their own options

TOOLS = {
    "dump": ["--no-tablespaces", "--skip-lock-tables", "shop", "item"],
    "admin": ["status"],
    "check": ["shop", "item"],
    "show": ["shop"],
    "slap": ["--create-schema=shop", "--query=select 1", "--iterations=1", "--concurrency=1"],
    "binlog": ["--read-from-remote-server", "log.000001", "--stop-position=400"],
}
EXPECTED = {"dump": b"INSERT INTO `item`", "admin": b"Threads: ", "check": b"shop.item", "show": b"item", "slap": b"Benchmark",
            "binlog": b"at 4\n"}


@pytest.fixture(scope="session")
def mariadb_with_log(pki):
    yield from lasting(MariaDB, BASE / "programs-m", pki, options=["--log-bin=log", "--server-id=2"])


@pytest.fixture
def tools(request, broker, names, client, relay):
    """A profile for a server of the client's family, so that the tools understand its answers."""
    server = request.getfixturevalue("server" if client.family == "mysql" else "mariadb_with_log")
    make_account(server)
    server.admin("grant super on *.* to prog@'%'" if client.family == "mysql" else "grant binlog monitor on *.* to prog@'%'")
    return Run(broker, server, relay)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("route, level, shell", [("direct", "verify-identity", False), ("tcp", "required", False),
                                                 ("direct", "verify-identity", True), ("tcp", "preferred", True)])
def test_tool(tools, broker, tool, client, route, level, shell):
    """Run directly, the tool makes its own TLS if it can. If a shell runs it, broker does not know which program it is.
    The server's password cache is empty, so that it asks for the password itself."""
    tools.configure(route, level, server_public_key=None)
    tools.server.admin("flush privileges")
    words = [str(getattr(client, tool)), f"--defaults-file={FILE}", *TOOLS[tool]]
    done = broker.run("exec", "p", "--", *(sh('"$@"; exit $?', *words) if shell else words))
    assert done.code == 0 and EXPECTED[tool] in done.out and b"unknown" not in done.err, (done.out, done.errors)
    if level != "preferred":
        assert tools.wire_has_tls()


# Programs that require TLS of their own, which the keeper's listener does not accept

JAVA = """
public class Main {
    public static void main(String[] words) throws Exception {
        String e = "jdbc:mysql://" + System.getenv("MYSQL_HOST") + ":" + System.getenv("MYSQL_TCP_PORT") + "/shop?sslMode=REQUIRED";
        try (var c = java.sql.DriverManager.getConnection(e, System.getenv("MYSQL_USER"), System.getenv("MYSQL_PWD"))) {
            c.createStatement().execute(words[0]);
        }
    }
}
"""


def java(place):
    return [*java_program("Main", JAVA, "java/lib/mysql-connector-j-9.7.0.jar"), place.statement]


NOTE = "note: broker handles TLS to the server here; leave out {}, or use broker forward p"
STOCK = ["--host={host}", "--port={port}", "--protocol=tcp", "-e"]
INSIST = {
    "node-mysql2": Program(node, files={"query.js": MYSQL2.replace("database: e.MYSQL_DATABASE", "ssl: {}")}),
    "go-sql-driver": Program(lambda p: ["env", "MORE=?tls=true", *gosql(p)]),
    "pymysql": Program(python(PYMYSQL.replace('"password"', '"ssl": {"ca": None}, "password"'))),
    "connector/j": Program(java),
    "mysql": Program(lambda p: [str(find("mysql9").path), "--ssl-mode=REQUIRED", *STOCK, p.statement]),
    "mariadb": Program(lambda p: [installed("/usr/bin/mariadb"), "--ssl-verify-server-cert", *STOCK, p.statement]),
}


REFUSALS = {"node-mysql2": "Server does not support secure connection", "go-sql-driver": "TLS requested but server does not support TLS",
            "pymysql": "SSL is required but", "connector/j": "SSL Connection required, but not provided by server",
            "mysql": "SSL is required but", "mariadb": "SSL is required, but"}


@pytest.mark.parametrize("name", INSIST)
@pytest.mark.parametrize("route", ["direct", "tcp"])
def test_program_that_requires_tls(run, monkeypatch, name, route):
    """The program fails with its own message, because the listener offers no TLS, and nothing of its data is sent to
    the server. For a stock client, whose options broker knows, broker adds a note that says what to do instead."""
    monkeypatch.setitem(PROGRAMS, name, INSIST[name])
    run.configure(route, "verify-identity")
    done = run.program(name)
    assert done.code == 1 and REFUSALS[name] in done.errors and not run.made(name), (done.code, done.errors)
    assert MARK.encode() not in run.far.sent and b"prog" not in run.far.sent
    notes = [line for line in done.errors.splitlines() if line.startswith("note: broker handles TLS")]
    assert notes == {"mysql": [NOTE.format("--ssl-mode")], "mariadb": [NOTE.format("--ssl-verify-server-cert")]}.get(name, []), notes


@pytest.mark.parametrize("word", ["--ssl-mode=DISABLED", "--ssl-mode=preferred"])
def test_no_note_if_tls_is_optional(run, word):
    run.configure("direct", "verify-identity")
    done = run.broker.run("exec", "p", "--", find("mysql9").path, word, "--user=prog", "--get-server-public-key", *STOCK, run.statement)
    assert done.code == 0 and "TLS" not in done.errors and run.made("mysql"), done.errors


# What programs read in {defaults-file}

PRINTS = "print(*(read('client', key) for key in ('host', 'port', 'user', 'password')), sep='\\n')"
READERS = {
    "pymysql": ["python", f"import sys, pymysql.optionfile\np = pymysql.optionfile.Parser(); p.read(sys.argv[1]); read = p.get\n{PRINTS}"],
    "configparser": ["python", f"import sys, configparser\np = configparser.RawConfigParser(); p.read(sys.argv[1]); read = p.get\n{PRINTS}"],
    "gcfg": ["go/optfile", "gcfg"],
    "go-ini": ["go/optfile", "ini"],
}
# Passwords that these readers accept without quotes; go-ini and configparser would return the quotes and escapes
# unchanged.
PASSWORDS = ["fake-canary-4711", "fake=ca:na%ry!$&+/@~^*()[]{}<>|?", "fake canary two", "it's-a-fake-canary", "fäke-cänary-密码", "fake%(canary)s"]
QUOTED = ["fake;canary #x", "'fake-canary'", " fake-canary "]


def reads(broker, reader, password, *wrap):
    place, *words = READERS[reader]
    argv = [fetched("python/bin/python"), "-c", *words] if place == "python" else [fetched(place), *words]
    broker.env[SECRET_ENV] = broker.secret(password.encode()).decode()
    broker.config(profile(host=RIGHT_NAME, port=3307, user="app_ro", database="shop", auth="env", auth_env=SECRET_ENV, tls="preferred",
                          cleartext=None, compress="yes", time_zone="+00:00"))
    broker.write(".my.cnf", "[client]\nuser = wrong\nssl\n")
    done = broker.run("exec", "p", "--", *wrap, *argv, FILE, secret_out=True)
    return done.code, done.text, done.errors


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("child", [False, True], ids=["itself", "child"])
def test_reader(broker, reader, password, child):
    """The file has nothing that the reader refuses (an include, a key without a value, a repeated group), and the
    reader gets the value without quotes. The same in a child process that inherits no descriptor."""
    wrap = [fetched("python/bin/python"), "-c", IN_A_CHILD.replace("[sys.executable, *sys.argv[1:]]", "sys.argv[1:]")] if child else []
    assert reads(broker, reader, password, *wrap) == (0, f"{RIGHT_NAME}\n3307\napp_ro\n{password}\n", "")


@pytest.mark.parametrize("reader", ["pymysql", "gcfg"])
@pytest.mark.parametrize("password", QUOTED)
def test_reader_that_supports_quotes(broker, reader, password):
    assert reads(broker, reader, password) == (0, f"{RIGHT_NAME}\n3307\napp_ro\n{password}\n", "")
