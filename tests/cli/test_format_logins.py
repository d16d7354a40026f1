# SPDX-License-Identifier: MIT
"""Drivers log in with what `broker params` printed for them, at the TLS levels that the format can express. The user,
password and database are full of characters that end a part of a URL. The server says whether there was TLS. If the
server's name or CA is wrong, the login fails."""
import os
import subprocess

import pytest

from conftest import having
from lib.clients import find
from lib.hostile import write
from servers.pki import RIGHT_NAME, WRONG_NAME
from servers.process import cache_dir
from test_exec_programs import fetched, installed
from test_formats import PYTHON, java

USER, PASSWORD, DATABASE = "us er@x/?#%2B", "p@ss:w/o?r#d+%2B(e)=;", "d+b#x"
QUERY = ("select concat_ws('|', current_user(), database(), (select variable_value from performance_schema.session_status "
         "where variable_name = 'Ssl_version'))")
FIRST = PYTHON + f"query = {QUERY!r}\ntext = texts[0].rstrip('\\n')\n"
SQLALCHEMY = FIRST + """
import sqlalchemy
with sqlalchemy.create_engine(text).connect() as c:
    out(c.execute(sqlalchemy.text(query)).scalar())
"""
PYMYSQL = FIRST + """
import pymysql, tempfile
with tempfile.NamedTemporaryFile("w") as f:
    f.write(text)
    f.flush()
    c = pymysql.connect(read_default_file=f.name).cursor()
c.execute(query)
out(c.fetchone()[0])
"""
DJANGO = FIRST + """
import dj_database_url, django
from django.conf import settings
settings.configure(DATABASES={"default": dj_database_url.parse(text)})
django.setup()
from django.db import connection
with connection.cursor() as c:
    c.execute(query)
    out(c.fetchone()[0])
"""
NODE = f"""
const mysql = require(process.env.NODE_PATH + '/mysql2/promise.js')
mysql.createConnection(JSON.parse(require('fs').readFileSync(0))).then(async c => {{
    const [rows] = await c.query({{sql: {QUERY!r}.replaceAll('\\\\', ''), rowsAsArray: true}})
    process.stdout.write(rows[0][0] + '\\0')
    await c.end()
}}).catch(error => {{ console.error(error.message); process.exit(1) }})
""".replace(repr(QUERY), '`' + QUERY + '`')
PHP = """
require '/usr/share/php/Illuminate/Database/autoload.php';
foreach (explode("\\n", stream_get_contents(STDIN)) as $line)
    if (preg_match("/^([A-Z_]+)=(?:'(.*)'|(.*))$/", $line, $m)) $env[$m[1]] = $m[2] !== '' ? $m[2] : $m[3];
$db = new Illuminate\\Database\\Capsule\\Manager;
$db->addConnection(['driver' => $env['DB_CONNECTION'], 'host' => $env['DB_HOST'], 'port' => $env['DB_PORT'], 'database' => $env['DB_DATABASE'],
    'username' => $env['DB_USERNAME'], 'password' => $env['DB_PASSWORD'], 'charset' => 'utf8mb4',
    'options' => array_filter([PDO::MYSQL_ATTR_SSL_CA => $env['MYSQL_ATTR_SSL_CA'] ?? null])]);
echo array_values((array) $db->getConnection()->selectOne($argv[1]))[0], "\\0";
"""
RAILS = """
require 'active_record'; require 'erb'; require 'yaml'
ActiveRecord::Base.establish_connection(YAML.load(ERB.new(STDIN.read.force_encoding('UTF-8')).result))
print ActiveRecord::Base.connection.select_value(ARGV[0]), "\\0"
"""
ALL = ("disabled", "required", "verify-identity")
DRIVERS = {  # format: its command, and the levels that it can express
    "sqlalchemy": (lambda: [fetched("python/bin/python"), "-c", SQLALCHEMY], ALL),
    "mycnf-plain": (lambda: [fetched("python/bin/python"), "-c", PYMYSQL], ("disabled", "verify-identity")),
    "django": (lambda: [fetched("python/bin/python"), "-c", DJANGO], ALL),
    "node": (lambda: [installed("/usr/bin/node"), "-e", NODE], ALL),
    "go": (lambda: [fetched("go/dsn"), "go", QUERY], ALL),
    "usql": (lambda: [fetched("go/dsn"), "usql", QUERY], ALL),
    "jdbc": (lambda: [*java("jdbc"), QUERY], ALL),
    "jdbc-mariadb": (lambda: [*java("jdbc-mariadb"), QUERY], ALL),
    "laravel": (lambda: [installed("/usr/bin/php"), "-r", PHP, QUERY], ("disabled", "verify-identity")),
    "rails": (lambda: [installed("/usr/bin/ruby"), "-e", RAILS, QUERY], ("disabled",)),
}
SYSTEM = ("go", "usql", "jdbc")  # have no field for CA certificates: their readers get them otherwise, see attempt()
OPPORTUNISTIC = ("mycnf-plain",)  # its reader uses TLS if the server offers it, whatever the file says


VERIFIERS = [name for name, (_, levels) in DRIVERS.items() if len(levels) > 1]


def account(server):
    quoted = PASSWORD.replace("'", "''")
    server.admin(f"create user if not exists '{USER}'@'%' identified by '{quoted}'; create database if not exists `{DATABASE}`; "
                 f"grant all on `{DATABASE}`.* to '{USER}'@'%'; flush privileges")
    return server


@pytest.fixture(scope="module")
def hostile(mysql_server):
    return account(mysql_server)


def attempt(broker, server, format, level, tmp_path, ca=None, host=RIGHT_NAME):
    ca = ca or server.ca
    own = {"tls_ca": ca} if level == "verify-identity" and format not in SYSTEM else {}
    write(broker, PASSWORD, host=host, port=server.port, user=USER, database=DATABASE, tls=level, server_public_key="yes", **own)
    text = broker.run("params", "p", "--format", format, secret_out=True)
    assert text.code == 0, text.errors
    argv = having(DRIVERS[format][0])
    env = {**os.environ, "NODE_PATH": str(cache_dir() / "programs/node/node_modules"), "LC_ALL": "C.UTF-8", "SSL_CERT_FILE": str(ca)}
    if format == "jdbc" and level == "verify-identity":
        store = tmp_path / "store"
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-keystore", store, "-storepass", "changeit"],
                       check=True, capture_output=True)
        argv[1:1] = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    return subprocess.run(argv, input=text.out, capture_output=True, timeout=120, env=env)


@pytest.mark.parametrize("format, level", [(f, level) for f, (_, levels) in DRIVERS.items() for level in levels])
def test_login(broker, names, hostile, tmp_path, format, level):
    done = attempt(broker, hostile, format, level, tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    who, database, tls = done.stdout.decode().rstrip("\0").split("|")
    assert (who, database) == (USER + "@%", DATABASE)
    if format not in OPPORTUNISTIC or level != "disabled":
        assert tls.startswith("TLSv1.") == (level != "disabled"), tls


@pytest.mark.parametrize("format", VERIFIERS)
@pytest.mark.parametrize("wrong", ["name", "ca"])
def test_wrong_certificate(broker, names, hostile, tmp_path, format, wrong):
    keys = {"host": WRONG_NAME} if wrong == "name" else {"ca": hostile.wrong_ca}
    done = attempt(broker, hostile, format, "verify-identity", tmp_path, **keys)
    assert done.returncode != 0 and b"TLSv1" not in done.stdout, done.stdout


@pytest.mark.parametrize("format", VERIFIERS)
def test_no_tls_no_login(broker, names, hostile, mysql_notls, tmp_path, format):
    """A server without TLS has the account. The login fails at the lowest level that requires TLS."""
    account(mysql_notls)
    done = attempt(broker, mysql_notls, format, DRIVERS[format][1][1], tmp_path)
    assert done.returncode != 0 and not done.stdout.startswith(b"us er")


@pytest.fixture
def beside_a_socket(broker, names, mysql_server, mariadb_server):
    """Profile p has `host = localhost`, which means TCP. Another server, with another password, is at the usual
    socket, for which many readers take that name."""
    broker.etc.link("/run/mysqld/mysqld.sock", mariadb_server.socket)
    write(broker, mysql_server.password("app").decode(), host="localhost", port=mysql_server.port, user="app", database="shop",
          tls="preferred", server_public_key="yes")


@pytest.mark.parametrize("format", ["django", "laravel", "rails", "sqlalchemy", "mycnf-plain"])
def test_localhost_is_not_the_socket(broker, beside_a_socket, format):
    text = broker.run("params", "p", "--format", format, secret_out=True)
    done = subprocess.run(having(DRIVERS[format][0]), input=text.out, capture_output=True, timeout=120)
    assert done.returncode == 0 and done.stdout.startswith(b"app@%|shop|"), done.stderr.decode()


def test_localhost_is_not_the_socket_for_a_client(broker, beside_a_socket):
    """In variables, in a placeholder, and for a shell that evaluates `params`."""
    client, query = having(find, "mysql9").path, ("-NBe", "select current_user()")
    env = ["exec", "p", "--", client, "--user=app", *query]
    word = ["exec", "p", "--", client, "--user=app", "--host={host}", "--port={port}", *query]
    for args in (env, word):
        done = broker.run(*args)
        assert (done.code, done.out) == (0, b"app@%\n"), done.errors
    text = broker.run("params", "p", secret_out=True).text
    script = text + '"$0" --user="$MYSQL_USER" "$@"'
    done = subprocess.run(["/bin/sh", "-c", script, str(client), *query], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"app@%\n"), done.stderr
