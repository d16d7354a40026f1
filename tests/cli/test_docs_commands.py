# SPDX-License-Identifier: MIT
"""Runs the commands in the fenced blocks of README.md and docs/ as they are written, against real servers. Only ports
are replaced, because the test's servers have other ports. A new command must be run here or be listed as exempt.

The block in docs/contributing.md is the test suite itself, so the test only checks that each make target and each
program exists. The commands in docs/tools.md are run by test_migrations.py."""
import os
import re
import shlex
import signal
import subprocess

import pytest

from lib.broker import BUILD, REPO
from lib.ways import resolve
from servers import process
from servers.mariadb_iam import HOST
from test_connect_iam import iam, prepare  # noqa: F401 (iam is a fixture)

PAGES = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
EXEMPT = {
    "PW=$(aws rds generate-db-auth-token --hostname \"$H\" --port 3306 --region eu-west-1 --username app)": "what was done before broker",
    "MYSQL_PWD=$PW mysql -h \"$H\" -u app --enable-cleartext-plugin --ssl-ca=global-bundle.pem": "what was done before broker",
}


def fenced(page, language=""):
    """The text of each fenced block whose opening ``` is followed by that language."""
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text(), re.M | re.S)
    return [text for word, text in blocks if word == language]


def commands(page):
    """The commands of a page, without their comments: lines of a fenced block that begin with `$ `, start broker, or
    set a variable to a value that contains `$`."""
    lines = [line for block in fenced(page) + fenced(page, "sh") for line in block.splitlines()]
    found = [line.removeprefix("$ ") for line in lines if re.match(r"\$ |broker |[A-Z_]+=\S*\$", line)]
    return [re.sub(r"  +# .*$", "", line) for line in found]


README, AWS, COMING, VAULT = ([*commands(REPO / name)] for name in ("README.md", "docs/aws.md", "docs/coming-from.md", "docs/vault.md"))
RUN = {*README, *AWS, *VAULT, "broker connect --auth iam --host \"$H\" --user app"}


def test_every_command_is_run_or_exempt():
    found = {(page.name, command) for page in PAGES for command in commands(page)}
    assert len(found) > 12 and len(EXEMPT) <= 10
    for page, command in sorted(found):
        assert command in RUN | set(EXEMPT), f"{page}: {command}"
    assert {command for _, command in found} == RUN | set(EXEMPT), "a command here that no page has"


def shell(broker, line, wrap=(), **env):
    """The argv that runs a line in a shell, and the options for subprocess."""
    environment = broker.environment({"PATH": f"{BUILD / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", **env})
    return [*wrap, "sh", "-c", line], {"env": environment, "cwd": broker.home, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                "text": True, "start_new_session": True}


def run(broker, line, input="", wrap=(), **env):
    argv, options = shell(broker, line, wrap, **env)
    done = subprocess.run(argv, input=input, timeout=60, **options)
    assert done.returncode == 0 and "broker: " not in done.stderr, (line, done)
    return done.stdout


@pytest.fixture
def shop(broker, names, keychain, pki, start_server):
    """README's first profile, and a server whose certificate is for db.example.com. The port is added, because README's
    profile has none."""
    for program in ("mysql", "mysqldump"):
        if not os.access(f"/usr/bin/{program}", os.X_OK):
            pytest.skip(f"missing: {program}")
    server = start_server("mariadb", certificate=pki.issue("example", ["DNS:db.example.com"]))
    assert int(server.admin("select count(*) from shop.item")) > 0
    resolve(broker, "db.example.com")
    broker.env.update(keychain.env)
    broker.write("ca/internal.pem", pki.ca.read_bytes())
    broker.config(fenced(REPO / "README.md", "ini")[0] + f"port = {server.port}\n")
    broker.password = broker.secret(server.password("app")).decode()
    return server


def foreground(broker, line):
    """Runs a forward until it has printed its address, ends it with SIGINT, as Ctrl-C does, and returns the address."""
    argv, options = shell(broker, "exec " + line)
    proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)
    address = proc.stdout.readline().strip()
    os.kill(proc.pid, signal.SIGINT)
    proc.communicate(timeout=60)
    return address


def test_readme(broker, shop, forwards):
    """Runs README's commands in their order, each once."""
    port = process.free_port()
    left = list(README)

    def do(start, input=""):
        line = left.pop(0)
        assert line.startswith(start), line
        return run(broker, line.replace("13306", str(port)), input)
    do("broker password set shop", broker.password + "\n")
    assert do("broker connect shop", "select current_user();\n").splitlines()[-1] == "app@%"
    assert do("broker connect shop -- -e").split()[-1] == shop.admin("select count(*) from shop.item").strip()
    do("broker exec shop -- mysqldump")
    assert "INSERT INTO `item`" in (broker.home / "shop.sql").read_text()
    assert re.fullmatch(r"127\.0\.0\.1:\d+", foreground(broker, left.pop(0)))
    assert do("broker forward shop --listen 13306 --detach") == f"127.0.0.1:{port}\n"
    assert re.search(rf"^forward +shop +up .* 127\.0\.0\.1:{port}, 0 connections$", do("broker status"), re.M)
    assert do("broker stop shop") == ""
    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", do("broker forward shop --inject --detach"))
    assert re.fullmatch(r"jdbc:mysql://.*127\.0\.0\.1:\d+.*\b[0-9a-f]{32}\b.*\n", do("broker params shop --format jdbc")) and not left


def test_token(broker, iam):  # noqa: F811
    """docs/aws.md: a token for a host, without a profile."""
    prepare(broker, iam)
    (line,) = AWS
    said = run(broker, line + '; echo "$PW"', HOST=HOST, AWS_PROFILE="work")
    assert said.startswith(f"{HOST}:3306/?Action=connect&DBUser=app_ro&")


def test_one_command_replaces_a_script(broker, iam, clients):  # noqa: F811
    """docs/coming-from.md: the one command that replaces two."""
    prepare(broker, iam)
    line = COMING[-1] + f" --port {iam.port} --client {clients['mariadb1011'].path}"
    assert run(broker, line, "select current_user();\n", H=HOST, AWS_PROFILE="work").splitlines()[-1] == "app@%"


def test_vault(broker, desk, vault, openid, clients):
    """docs/vault.md: from no config file to a session, in the page's order. The keys that the page sets get the values
    of the test's servers; others that these servers need are set too."""
    resolve(broker, "db.internal.example.com")
    (broker.home / ".config/broker/config").unlink()
    more = {"vault_addr": vault.front.url, "vault_path": vault.path, "vault_callback": f"localhost:{desk.callback}",
            "vault_mount": vault.oidc(openid), "port": vault.database.port, "client": clients["mariadb1011"].path}
    left = list(VAULT)

    def do(start, input=""):
        line = left.pop(0)
        assert line.startswith(start), line
        return run(broker, line, input, wrap=desk.keyring.wrap)
    do("broker profile add warehouse")
    *words, addr, path = left[0].split()
    assert (addr.partition("=")[0], path.partition("=")[0]) == ("vault_addr", "vault_path")
    left[0] = shlex.join([*words, *(f"{key}={value}" for key, value in more.items())])
    do("broker profile set warehouse")
    program, *words = left.pop(0).split()
    assert (program, words) == ("broker", ["login", "warehouse"])
    terminal = desk.pty(*words)
    desk.browser.sign_in(desk.invited(terminal))
    assert terminal.wait() == 0
    (user,) = do("broker connect warehouse", "select substring_index(current_user(), '@', 1);\n").split()[-1:]
    assert vault.users() == [user]
    assert re.search(rf"^vault_lease +\S+ +valid for .*{re.escape(user)}", do("broker status"), re.M)
    do("broker logout warehouse")
    assert not left and not vault.users()


def test_contributing():
    """The Makefile has each target, and each program exists and is executable."""
    (block,) = fenced(REPO / "docs" / "contributing.md")
    rows = [re.split(r"  +", line)[0] for line in block.splitlines()]
    assert len(rows) > 10
    for row in rows:
        first, *words = [word for word in row.split() if not re.match(r"[A-Z_]+=", word)]
        if first == "make":
            for target in words:
                assert re.search(rf"^(?:[\w/ -]+ )?{target}(?: [\w -]+)?:(?!=)", (REPO / "Makefile").read_text(), re.M), row
        elif not first.startswith("build/"):
            assert os.access(REPO / first, os.X_OK), row
