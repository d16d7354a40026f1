# SPDX-License-Identifier: MIT
"""`exec --env NAME=TEMPLATE` and `exec --format F`: what is in the program's environment, and what is refused."""
import os

import pytest

from conftest import having
from lib.built import FORMATS
from lib.clients import find
from lib.hostile import VALUES, others, write
from servers.pki import RIGHT_NAME

SHOWS = 'import os, sys; sys.stdout.buffer.write(b"\\0".join(os.environb.get(os.fsencode(n), b"-") for n in sys.argv[1:]))'


def show(broker, options, *names, **run):
    """The values of those variables in a program that exec runs with OPTIONS."""
    done = broker.run("exec", "p", *options, "--", "/usr/bin/python3", "-c", SHOWS, *names, secret_out=True, **run)
    assert done.code == 0, done.errors
    return [os.fsdecode(value) for value in done.out.split(b"\0")]


@pytest.mark.parametrize("password", VALUES, ids=ascii)
def test_values_are_raw(broker, password):
    user, database = others(password)
    write(broker, password, user=user, database=database, tls="disabled")
    template = "A={host}|{port}|{user}|{password}|{database}|{tls}|{socket}|{other}{"
    assert show(broker, ["--env", template], "A") == [f"db.example.com|3306|{user}|{password}|{database}|disabled||{{other}}{{"]


def test_formats_are_what_params_prints(broker):
    """Each format of one line is a placeholder, and --env can be repeated; the variables of format env are set too."""
    write(broker, "fake-p@ss", user="app", database="shop", tls="disabled")
    one_line = [f for f in FORMATS.split() if f not in ("env", "dotenv", "mycnf", "mycnf-plain", "laravel", "rails", "command")]
    options = [word for n, f in enumerate(one_line) for word in ("--env", f"V{n}={{{f}}}")]
    got = show(broker, options, *(f"V{n}" for n in range(len(one_line))), "MYSQL_PWD")
    assert got == [*(broker.run("params", "p", "--format", f, secret_out=True).text[:-1] for f in one_line), "fake-p@ss"]
    assert show(broker, ["--env", "A={rails}"], "A") == ["mysql2://app:fake-p%40ss@db.example.com:3306/shop?ssl_mode=disabled"]


def test_option_file_in_a_variable(broker, names, mysql_server):
    """A program that takes the path of an option file from a variable; the client that it starts logs in with the file."""
    write(broker, mysql_server.password("app").decode(), host=RIGHT_NAME, port=mysql_server.port, user="app", tls="required")
    script = 'exec "$CLIENT" --defaults-file="$FILE" -NBe "select current_user()"'
    done = broker.run("exec", "p", "--env", "FILE={defaults-file}", "--env", f"CLIENT={having(find, 'mysql9').path}", "--", "sh", "-c", script)
    assert (done.code, done.out) == (0, b"app@%\n"), done.errors


@pytest.mark.parametrize("options, values", [
    ([], ["-", "-", "fake-p@ss", "-"]),
    (["--env", "url"], ["mysql://app:fake-p%40ss@db.example.com:3306/shop", "-", "fake-p@ss", "-"]),
    (["--format", "url"], ["mysql://app:fake-p%40ss@db.example.com:3306/shop", "-", "-", "-"]),
    (["--format", "rails"], ["mysql2://app:fake-p%40ss@db.example.com:3306/shop?ssl_mode=disabled", "-", "-", "-"]),
    (["--format", "laravel", "--env", "env"], ["-", "fake-p@ss", "fake-p@ss", "-"]),
    (["--format", "jdbc"], ["-", "-", "-", "jdbc:mysql://db.example.com:3306/shop?user=app&password=fake-p%40ss&sslMode=DISABLED"])])
def test_variables_of_a_format(broker, options, values):
    write(broker, "fake-p@ss", user="app", database="shop", tls="disabled")
    assert show(broker, options, "DATABASE_URL", "DB_PASSWORD", "MYSQL_PWD", "JDBC_DATABASE_URL") == values


@pytest.mark.parametrize("options, code, err", [
    (["--env", "URL=mysql://{user}:{password}@{host}/"], 64,
     "exec: --env URL: {password} is not encoded for a URL\nhint: --env 'URL={url}', or another URL format: broker help formats"),
    (["--env", "URL=mysql://{go}"], 64,
     "exec: --env URL: {go} is not encoded for a URL\nhint: --env 'URL={url}', or another URL format: broker help formats"),
    (["--env", "1=x"], 64, "exec: --env: '1' is not a variable's name\nhint: --env NAME=TEMPLATE, or --env FORMAT"),
    (["--env", "=x"], 64, "exec: --env: '' is not a variable's name\nhint: --env NAME=TEMPLATE, or --env FORMAT"),
    (["--env", "ulr"], 64, "exec: no such format 'ulr'\nhint: did you mean 'url'?"),
    (["--env", "A=x://{user}@h"], 65, "p: {user} contains characters that must be encoded in a URL\n"
     "hint: {url}, or another URL format: broker help formats"),
    (["--env", "A={usql}"], 65, "p: format usql cannot carry user: it contains ':'\nhint: use another format: broker help formats"),
    (["--format", "json"], 64, "p: format json has no variables\nhint: --env NAME={json}")])
def test_refused(broker, options, code, err):
    write(broker, "fake-x@evil/", user="a:b@c", tls="disabled")
    done = broker.run("exec", "p", *options, "--", "env")
    assert (done.code, done.text, done.errors) == (code, "", f"broker: {err}\n")


@pytest.mark.parametrize("word", ["{password}", "--dsn={go}", "x{url}y", "{jdbc-mariadb}", "{json}"])
def test_never_in_argv(broker, word):
    write(broker, "fake-s3cret", tls="disabled")
    done = broker.run("exec", "p", "--", "echo", word)
    assert done.code == 64 and "would be seen in the process list" in done.errors and not done.out


def test_local_address_of_the_keeper(broker, names, mariadb_server):
    """At `required` and stricter a template gets the keeper's local address, and says that no TLS is used there."""
    write(broker, mariadb_server.password("app_native").decode(), host="db.test.internal", port=mariadb_server.port, user="app_native",
          tls="verify-identity", tls_ca=mariadb_server.ca)
    go, host = show(broker, ["--env", "A={go}", "--env", "B={host}"], "A", "B")
    assert host == "127.0.0.1" and "@tcp(127.0.0.1:" in go and go.endswith("?tls=false")
