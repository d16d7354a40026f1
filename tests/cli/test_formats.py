# SPDX-License-Identifier: MIT
"""The real reader of each format reads back what `broker params` prints, with values that break a careless writer.
Logins with these texts are in test_format_logins.py.

The texts for mysqlsh, Sequel Ace and TablePlus follow their documentation, because none of these programs runs here."""
import os
import subprocess
from pathlib import Path

import pytest

from lib.built import FORMATS
from lib.hostile import VALUES, others, write
from servers import process
from conftest import having
from test_exec_programs import fetched, installed, java_program

HERE = Path(__file__).resolve().parent.parent
HOST = "db.example.com"
PRINT = "\ndef out(*values):\n    sys.stdout.write(''.join(f'{v}\\0' for v in values))\n"
PYTHON = "import sys, io\ntexts = sys.stdin.buffer.read().decode().split('\\0')\n" + PRINT
READ = {
    "sqlalchemy": PYTHON + """
import sqlalchemy
for t in texts:
    u = sqlalchemy.make_url(t.rstrip("\\n"))
    out(u.host, u.port, u.username, u.password, u.database)
""",
    "dj-database-url": PYTHON + """
import dj_database_url
for t in texts:
    d = dj_database_url.parse(t.rstrip("\\n"))
    out(d["HOST"], d["PORT"], d["USER"], d["PASSWORD"], d["NAME"])
""",
    "django-environ": PYTHON + """
import environ
for t in texts:
    d = environ.Env.db_url_config(t.rstrip("\\n"))
    out(d["HOST"], d["PORT"], d["USER"], d["PASSWORD"], d["NAME"])
""",
    "python-dotenv": PYTHON + """
import dotenv
for t in texts:
    d = dotenv.dotenv_values(stream=io.StringIO(t))
    out(*(d[k] for k in "MYSQL_HOST MYSQL_TCP_PORT MYSQL_USER MYSQL_PWD MYSQL_DATABASE".split()))
""",
    "pymysql": PYTHON + """
import pymysql.optionfile
for t in texts:
    p = pymysql.optionfile.Parser()
    p.read_string(t)
    out(*(p.get("client", k) for k in "host port user password database".split()))
""",
    "json": PYTHON + """
import json
for t in texts:
    d = json.loads(t)
    out(*(d[k] for k in "host port user password database".split()))
""",
}
NODE = """
const text = require('fs').readFileSync(0).toString().split('\\0'), Config = require(process.env.NODE_PATH + '/mysql2/lib/connection_config.js')
for (const one of text) {
    const c = new Config(KIND === 'node' ? JSON.parse(one) : one.trim())
    for (const value of [c.host, c.port, c.user, c.password, c.database])
        process.stdout.write(value + '\\0')
}
"""
NODE_DOTENV = """
for (const one of require('fs').readFileSync(0).toString().split('\\0')) {
    const c = require('util').parseEnv(one)
    for (const key of ['MYSQL_HOST', 'MYSQL_TCP_PORT', 'MYSQL_USER', 'MYSQL_PWD', 'MYSQL_DATABASE'])
        process.stdout.write(c[key] + '\\0')
}
"""
RUBY_YAML = """
require 'erb'; require 'yaml'
STDIN.read.force_encoding('UTF-8').split("\\0").each do |one|
  c = YAML.load(ERB.new(one).result)
  %w[host port username password database].each { |key| print c[key], "\\0" }
end
"""
RAILS_URL = """
require 'active_record'
STDIN.read.force_encoding('UTF-8').split("\\0").each do |one|
  c = ActiveRecord::DatabaseConfigurations::ConnectionUrlResolver.new(one.chomp).to_hash
  c = c.transform_keys(&:to_s)
  %w[host port username password database].each { |key| print c[key], "\\0" }
end
"""


def python(script):
    return lambda: [fetched("python/bin/python"), "-c", script]


def node(script, kind=""):
    return lambda: [installed("/usr/bin/node"), "-e", f"const KIND = '{kind}'\n" + script]


def java(format):
    source = (HERE / "servers" / "FormatReader.java").read_text()
    return [*java_program("FormatReader", source, "java/lib/mariadb-java-client-3.5.6.jar"), format]


def ruby(script):
    return lambda: [installed("/usr/bin/ruby"), "-e", script]


READERS = {  # (format, reader): its command
    **{(format, name): python(READ[name]) for format, name in
       (("sqlalchemy", "sqlalchemy"), ("django", "dj-database-url"), ("django", "django-environ"), ("url", "dj-database-url"),
        ("url", "django-environ"), ("dotenv", "python-dotenv"), ("mycnf-plain", "pymysql"), ("json", "json"))},
    ("node", "mysql2"): node(NODE, "node"), ("url", "mysql2"): node(NODE), ("dotenv", "node"): node(NODE_DOTENV),
    ("go", "go-sql-driver"): lambda: [fetched("go/dsn"), "go"], ("usql", "dburl"): lambda: [fetched("go/dsn"), "usql"],
    ("jdbc", "Connector/J"): lambda: java("jdbc"), ("jdbc-mariadb", "MariaDB Connector/J"): lambda: java("jdbc-mariadb"),
    ("rails", "YAML"): ruby(RUBY_YAML),
}
REFUSED = {  # format: (user, password, database) -> whether the format cannot carry these values and must be refused
    "dotenv": lambda *values: any("${" in v or ("'" in v or "\\\\" in v or v.endswith("\\")) and set(v) & set("\"\\$`!") for v in values),
    "sqlalchemy": lambda user, password, database: not password.isascii(),
    "mycnf-plain": lambda *values: not values[1].isascii() or any("\\" in v or ('"' in v and (set(v) & set("#;") or v[0] in "\"' " or v[-1] == " ")) for v in values),
    "go": lambda user, password, database: ":" in user,
    "usql": lambda user, password, database: ":" in user or set(database) & set("/?%"),
    "jdbc": lambda user, password, database: " " in database,
    "jdbc-mariadb": lambda user, password, database: "&" in user + password or "?" in database,
}


def texts(broker, format, *args):
    """[(values, text)] for the values that the format can carry. Asserts that it is refused for the others."""
    got = []
    for password in VALUES:
        user, database = others(password)
        broker.secrets.clear()
        write(broker, password, user=user, database=database, tls="disabled")
        done = broker.run("params", "p", "--format", format, *args, secret_out=True)
        if REFUSED.get(format, lambda *values: False)(user, password, database):
            assert done.code == 65 and done.errors.startswith(f"broker: p: format {format} cannot carry ") and not done.out, (user, password, database)
        else:
            assert done.code == 0, (user, password, database, done.errors)
            got.append(([HOST, "3306", user, password, database], done.text))
    return got


def read(argv, lines, env=None):
    modules = str(process.cache_dir() / "programs" / "node" / "node_modules")
    done = subprocess.run(argv, input="\0".join(lines).encode(), capture_output=True, timeout=120,
                          env={**os.environ, "NODE_PATH": modules, "LC_ALL": "C.UTF-8", **(env or {})})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("format, reader", READERS, ids=[" by ".join(key) for key in READERS])
def test_reader(broker, format, reader):
    argv = having(READERS[format, reader])
    printed = texts(broker, format)
    assert printed
    values = read(argv, [text for _, text in printed])
    assert [values[i:i + 5] for i in range(0, len(values), 5)] == [wanted for wanted, _ in printed]


# The exact text of each format, for each family of clients, at each level

GOLDEN = HERE / "cli" / "golden"
LEVELS = {"disabled": {}, "preferred": {}, "required": {}, "verify-ca": {"tls_ca": "/etc/own-ca.pem"},
          "verify-identity": {"tls_ca": "/etc/own-ca.pem"}, "verify-identity, the system's authorities": {}}


@pytest.mark.parametrize("format", FORMATS.split())
def test_golden(broker, names, clients, format):
    """The text, or the error if the format cannot express the level. BROKER_GOLDEN=1 rewrites the files."""
    broker.etc.write("/etc/own-ca.pem", "-----BEGIN CERTIFICATE-----\n")
    got = ""
    for family in ("mysql9", "mariadb1011") if format in ("mycnf", "command") else ("mysql9",):
        broker.script("mysql", f'exec {clients[family].path} "$@"')
        for level, keys in LEVELS.items():
            write(broker, "p@ss w'rd%", user="us er", database="d+b", tls=level.partition(",")[0], client="mysql", **keys)
            done = broker.run("params", "p", "--format", format, secret_out=True)
            got += f"== {clients[family].family}, {level}\n{done.text}{done.errors}"
    path = GOLDEN / f"{format}.txt"
    if "BROKER_GOLDEN" in os.environ:
        path.write_text(got)
    assert got == path.read_text()
