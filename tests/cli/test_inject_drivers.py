# SPDX-License-Identifier: MIT
"""Drivers without any TLS options, started by `broker exec` or beside `broker forward --inject`: the keeper logs in for
them over verified TLS, and they have only the password of the run. Each driver is the real one."""
import subprocess

import pytest

from conftest import having
from lib import canary, inject
from lib.keeping import gone
from servers.pki import WRONG_NAME
from servers.process import cache_dir
from test_exec_programs import fetched, installed, sh
from test_formats import java

STATUS = {"mariadb": "information_schema", "mysql": "performance_schema"}
PYMYSQL = """
import os, pymysql, sys
e = os.environ
c = pymysql.connect(host=e["MYSQL_HOST"], port=int(e["MYSQL_TCP_PORT"]), user=e["MYSQL_USER"], password=e["MYSQL_PWD"]).cursor()
c.execute(sys.argv[1])
print(c.fetchone()[0])
"""
NODE = """
const mysql = require(process.env.NODE_PATH + '/mysql2/promise.js'), e = process.env
mysql.createConnection({host: e.MYSQL_HOST, port: e.MYSQL_TCP_PORT, user: e.MYSQL_USER, password: e.MYSQL_PWD}).then(async c => {
    const [rows] = await c.query({sql: process.argv[1], rowsAsArray: true})
    console.log(rows[0][0])
    await c.end()
}).catch(error => { console.error(error.message); process.exit(1) })
"""
RUBY = """
require 'mysql2'
e = ENV
c = Mysql2::Client.new(host: e['MYSQL_HOST'], port: e['MYSQL_TCP_PORT'].to_i, username: e['MYSQL_USER'], password: e['MYSQL_PWD'])
puts c.query(ARGV[0], as: :array).first[0]
"""
MYSQLI = """
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$c = new mysqli(getenv('MYSQL_HOST'), getenv('MYSQL_USER'), getenv('MYSQL_PWD'), '', (int) getenv('MYSQL_TCP_PORT'));
echo $c->query($argv[1])->fetch_row()[0], "\\n";
"""
PDO = """
$c = new PDO('mysql:host=' . getenv('MYSQL_HOST') . ';port=' . getenv('MYSQL_TCP_PORT'), getenv('MYSQL_USER'), getenv('MYSQL_PWD'));
echo $c->query($argv[1])->fetch()[0], "\\n";
"""


def jdbc(format, scheme):
    """A command that passes the URL on stdin, where FormatReader.java reads it."""
    return lambda query: sh(f'printf "jdbc:{scheme}://$MYSQL_HOST:$MYSQL_TCP_PORT/?user=$MYSQL_USER&password=$MYSQL_PWD" | "$@"',
                            *java(format), query)


DRIVERS = {  # driver: the command that runs QUERY and prints its one value
    "pymysql": lambda query: [fetched("python/bin/python"), "-c", PYMYSQL, query],
    "node-mysql2": lambda query: [installed("/usr/bin/node"), "-e", NODE, query],
    "ruby-mysql2": lambda query: [installed("/usr/bin/ruby"), "-e", RUBY, query],
    "go-sql-driver": lambda query: sh('exec "$1" "$MYSQL_HOST" "$MYSQL_TCP_PORT" "" "$2"', fetched("go/gosql"), query),
    "connector-j": jdbc("jdbc", "mysql"),
    "mariadb-connector-j": jdbc("jdbc-mariadb", "mariadb"),
    "php-mysqli": lambda query: [installed("/usr/bin/php"), "-r", MYSQLI, query],
    "php-pdo": lambda query: [installed("/usr/bin/php"), "-r", PDO, query],
}
SERVERS = {"mariadb": ("mariadb_server", "app_native"), "mysql": ("mysql_server", "app_sha2"), "ed25519": ("mariadb_server", "app_ed")}
NODE_PATH = {"NODE_PATH": str(cache_dir() / "programs/node/node_modules")}


SLOW = ("connector-j", "mariadb-connector-j")  # they are compiled each time
QUICK = [name for name in DRIVERS if name not in SLOW]


@pytest.fixture
def account(request):
    """(server, user)"""
    fixture, user = SERVERS[request.param]
    server = request.getfixturevalue(fixture)
    if server.family == "mysql":
        server.admin("flush privileges")
    return server, user


def query_of(server):
    return ("select concat_ws('|', current_user(), (select variable_value from "
            f"{STATUS[server.family]}.session_status where variable_name = 'Ssl_version'))")


def right(text, user):
    """Whether the text ends with the right user and TLS version, as the server reports them; the program may print more
    before."""
    return text.rstrip("\0\n").endswith(f"{user}@%|TLSv1.3")


CASES = [(name, account) for account in SERVERS for name in (DRIVERS if account == "mysql" else QUICK)]


@pytest.mark.parametrize("name, account", CASES, indirect=["account"])
def test_exec(broker, names, account, name):
    """The environments of the program and of all processes beside it are searched for the password, and all files
    (lib/broker.py)."""
    server, user = account
    inject.write(broker, server, user)
    words = having(DRIVERS[name], query_of(server))
    with broker.watch() as watch:
        done = broker.run("exec", "p", "--", *words, env=NODE_PATH, timeout=120)
    assert done.code == 0 and right(done.text, user), (done.code, done.text, done.errors)
    broker.assert_hidden(watch)
    assert gone(broker)


@pytest.mark.parametrize("name", QUICK)
def test_exec_with_a_wrong_server(broker, names, mysql_server, name):
    """The program gets the keeper's error message, and its query is not sent."""
    inject.write(broker, mysql_server, "app_sha2", host=WRONG_NAME)
    done = broker.run("exec", "p", "--", *having(DRIVERS[name], query_of(mysql_server)), env=NODE_PATH, timeout=120)
    assert done.code != 0 and "TLSv1" not in done.text
    assert "certificate is not valid for" in done.text + done.errors, (done.text, done.errors)


@pytest.mark.parametrize("account", ["mysql"], indirect=True)
@pytest.mark.parametrize("name", DRIVERS)
def test_forward(broker, names, forwards, account, name):
    """What `--json` prints is all that a driver needs. With another password it is refused."""
    server, user = account
    inject.write(broker, server, user)
    end = inject.forward(broker)
    host, _, port = end.address.rpartition(":")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(broker.home), "LANG": "C.UTF-8", "MYSQL_HOST": host, "MYSQL_TCP_PORT": port, "MYSQL_USER": end.user,
           **NODE_PATH}
    words = having(DRIVERS[name], query_of(server))
    assert not canary.found([server.password(user)], " ".join([*env.values(), end.password.decode()]).encode())
    done = subprocess.run(words, env={**env, "MYSQL_PWD": end.password.decode()}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and right(done.stdout, user), (done.stdout, done.stderr)
    if name in SLOW:
        return
    done = subprocess.run(words, env={**env, "MYSQL_PWD": "fake-wrong"}, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "the password of this run is needed" in done.stdout + done.stderr, (done.stdout, done.stderr)


@pytest.mark.parametrize("format", ["env", "json", "url", "dotenv"])
def test_params_of_a_forward(broker, names, forwards, mariadb_server, format):
    """They are those of the run; the server's password is not among them."""
    inject.write(broker, mariadb_server, "app_native")
    end = inject.forward(broker)
    done = broker.run("params", "p", "--inject", "--format", format, secret_out=True)
    assert done.code == 0 and end.password.decode() in done.text and end.address.rpartition(":")[2] in done.text, (done.code, done.errors)
    assert not canary.found([mariadb_server.password("app_native")], done.out)


def test_program_does_not_get_the_server_password(broker, names, mariadb_server):
    """Searches all that the program is given: environment, option file, arguments, descriptors."""
    inject.write(broker, mariadb_server, "app_native")
    script = 'cat "$1"; env; tr "\\0" " " < /proc/$$/cmdline; ' \
        'for f in /proc/$$/fd/*; do [ -p "$f" ] || [ -c "$f" ] || head -c 100000 "$f"; done 2>/dev/null; true'
    done = broker.run("exec", "p", "--", "sh", "-c", script, "sh", "{defaults-file}", secret_out=True)
    assert done.code == 0 and "MYSQL_PWD=" in done.text, (done.text, done.errors)
    assert not canary.found(broker.secrets, done.out)
