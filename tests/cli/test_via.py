# SPDX-License-Identifier: MIT
"""connect and exec through a keeper: what is shown, which local addresses a program gets, and what it does not inherit.
`broker test` on these routes is in test_verb_test.py; the matrix of providers, tunnels, clients and levels is in
test_keeper_matrix.py."""
import json
import os
import re
import socket
import stat
import subprocess

import pytest

from lib.broker import PROGRAM
from lib.forwards import until
from lib.logins import SECRET_ENV, connect, for_user, logged_in, profile
from lib.ways import SSM, through
from servers.pki import RIGHT_NAME, WRONG_NAME

FDS = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd')))"


# connect

@pytest.mark.parametrize("level", ["preferred", "required", "verify-ca", "verify-identity"])
def test_connect(broker, client, mysql_server, level):
    """The server's own name is verified although it does not resolve here; at `preferred` the client handles TLS."""
    through(broker, mysql_server, tls=level, host=RIGHT_NAME if level == "verify-identity" else "only.the.far.side")
    assert logged_in(connect(broker, client)).version == "TLSv1.3"


@pytest.mark.parametrize("host, ca, words", [
    (WRONG_NAME, "ca", f"2026 certificate is not valid for {WRONG_NAME}"), (RIGHT_NAME, "wrong_ca", "2026 ")])
def test_connect_verifies(broker, client, mysql_server, host, ca, words):
    """The user gets the client's exit status, and through the client the keeper's error and hint."""
    through(broker, mysql_server, host=host, tls_ca=getattr(mysql_server, ca))
    done = connect(broker, client)
    assert done.code == 1 and not done.out and re.match(rf"ERROR 1105 \(\w+\): broker: {re.escape(words)}", done.errors)
    assert "\nhint: " in done.errors


def test_connect_by_command(broker, client, mysql_server, ssm):
    through(broker, mysql_server, host="localhost", port=mysql_server.port, via="far", tunnel=SSM)
    assert logged_in(connect(broker, client)).version == "TLSv1.3"


def test_connect_prompts_and_stores(broker, keychain, clients, mysql_server):
    """The password that the user types is tested over the same route, and stored."""
    broker.env.update(keychain.env)
    through(broker, mysql_server, auth="keychain", auth_env=None)
    t = broker.pty("connect", "p", "--client", clients["mysql9"].path, "--", "-NBe", "select 1", stdout="pipe")
    t.expect(b"password for app@")
    t.expect(b": ")
    t.sendline(mysql_server.password("app"))
    t.expect(b"store it in the keychain? [y/N] ")
    t.sendline(b"y")
    assert t.wait() == 0 and t.out == b"1\n"
    assert keychain.lookup({"identity": f"mysql://app@{RIGHT_NAME}:3306;via=tcp://127.0.0.1:{mysql_server.port}"}) == mysql_server.password("app")
    assert connect(broker, clients["mysql9"]).code == 0


def test_exec_tests_a_typed_password(broker, keychain, clients, mysql_server):
    """`exec` of a program that is no client: a client is looked for to test the password, and gets the local address
    that it needs."""
    broker.env.update(keychain.env)
    through(broker, mysql_server, auth="keychain", auth_env=None)
    broker.home.joinpath("bin/mysql").symlink_to(clients["mariadb1011"].path)
    t = broker.pty("exec", "p", "--", "true")
    t.expect(b": ")
    t.sendline(mysql_server.password("app"))
    t.expect(b"[y/N] ")
    t.sendline(b"y")
    assert t.wait() == 0 and b"stored" not in t.shown
    assert keychain.lookup({"identity": f"mysql://app@{RIGHT_NAME}:3306;via=tcp://127.0.0.1:{mysql_server.port}"})


def test_exit_status_is_the_clients(broker, client, mysql_server):
    through(broker, mysql_server)
    done = connect(broker, client, query="select nonsense")
    assert done.code == 1 and "\nERROR 1054 (42S22)" in "\n" + done.errors


@pytest.mark.parametrize("tls, lines", [
    ("verify-identity", ["ssl-mode=DISABLED", "protocol=SOCKET", "skip-reconnect"]),
    ("preferred", ["ssl-mode=PREFERRED", "protocol=TCP", 'host="127.0.0.1"', "skip-reconnect"])])
def test_option_file(broker, mysql_server, tls, lines):
    """The options of a client that logs in itself. At verify-identity it connects to the keeper's private socket
    without TLS. If the keeper logs in: test_inject_front.py."""
    stub = broker.stub(version="mysql9")
    through(broker, mysql_server, tls=tls, login="client")
    assert broker.run("connect", "p", "--client", stub.path).code == 0
    for line in lines:
        assert f"\n{line}\n" in stub.seen["options"]


# What is shown

def test_dry_run(broker, client, mysql_server, ssm):
    def shown(*args):
        done = broker.run("connect", "p", "--client", client.path, "--dry-run", *args)
        assert (done.code, done.errors) == (0, "")
        return done.text
    common = {"endpoint": f"{RIGHT_NAME}:3306", "credential": f"the variable {SECRET_ENV}"}
    through(broker, mysql_server)
    assert shown() == (f"endpoint    {common['endpoint']}\nroute       tcp 127.0.0.1:{mysql_server.port}\n"
                       f"tls         verify-identity, by the keeper, {mysql_server.ca}\n"
                       f"credential  {common['credential']}\nkeeper      logs in for each connection\naddress     unix socket\n"
                       f"client      {client.path} --defaults-file=/dev/fd/N\n")
    assert "\ntls         preferred, by the keeper\n" in shown("--tls", "preferred")
    assert "\ntls         preferred, by the client\n" in shown("--tls", "preferred", "-o", "login=client")
    assert "\naddress     127.0.0.1, a free port\n" in shown("--tls", "preferred", "-o", "login=client")
    through(broker, mysql_server, via="far", tunnel=SSM)
    assert "\nroute       command aws\n" in shown() and not ssm.pids


def test_dry_run_of_exec(broker, mysql_server):
    through(broker, mysql_server)
    done = broker.run("exec", "p", "--dry-run", "--", "tool", "a b", "{socket}")
    assert done.text.endswith("\naddress     127.0.0.1, a free port, and a unix socket\ncommand     tool 'a b' {socket}\n") or \
        done.text.endswith("\naddress     127.0.0.1, a free port, and a unix socket\ncommand     tool 'a b' '{socket}'\n")


def test_verbose(broker, clients, mysql_server):
    client = clients["mysql9"]
    through(broker, mysql_server)
    done = broker.run("connect", "p", "-v", "--client", client.path, "--", "-NBe", "select 1")
    rows = [re.sub(r"^\+\d+\w+ +", "", line) for line in done.errors.splitlines()]
    assert done.text == "1\n" and re.fullmatch(rf"client      {client.path} --defaults-file=/dev/fd/\d+", rows.pop())
    assert rows == ["config      ~/.config/broker/config:1", f"route       tcp 127.0.0.1:{mysql_server.port}",
                    f"credential  the variable {SECRET_ENV}, password ********", "keeper      logs in for each connection"]


def test_wait_line(broker, clients):
    """A port whose queue is full does not answer; Ctrl-C ends the wait at once and leaves nothing."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for w in waiting:
            w.setblocking(False)
            w.connect_ex(("127.0.0.1", port))
        broker.config(profile(host="db", user="app", auth="none", via=f"tcp://127.0.0.1:{port}", connect_timeout="50s"))
        t = broker.pty("connect", "p", "--client", clients["mysql9"].path)
        t.expect(rf"waiting for tcp 127\.0\.0\.1:{port} \(\ds of 50s\)")
        t.interrupt()
        assert t.wait() == -2
        for w in waiting:
            w.close()
    assert t.shown.endswith(b"\r\x1b[K") or b"\r\x1b[K" in t.shown.rpartition(b"of 50s)")[2]


# exec

def local_addresses(broker, *args):
    script = ("import os, json; print(json.dumps({k: os.environ.get(k) for k in ('MYSQL_HOST', 'MYSQL_TCP_PORT', "
              "'MYSQL_UNIX_PORT', 'MYSQL_USER', 'MYSQL_DATABASE')})); import sys; print(json.dumps(sys.argv[1:]))")
    done = broker.run("exec", "p", *args, "--", "/usr/bin/python3", "-c", script, "{host}", "{port}", "{socket}", "{user}")
    assert (done.code, done.errors) == (0, ""), done.errors
    env, words = (json.loads(line) for line in done.text.splitlines())
    return env, words


@pytest.mark.parametrize("tls", ["disabled", "preferred", "required", "verify-identity"])
def test_exec_gets_both_local_addresses(broker, mysql_server, tls):
    through(broker, mysql_server, tls=tls)
    env, words = local_addresses(broker)
    assert words == [env["MYSQL_HOST"], env["MYSQL_TCP_PORT"], env["MYSQL_UNIX_PORT"], "app"]
    assert env["MYSQL_HOST"] == "127.0.0.1" and int(env["MYSQL_TCP_PORT"]) not in (3306, mysql_server.port)
    assert env["MYSQL_UNIX_PORT"].startswith(f"{broker.runtime}/broker/") and len(env["MYSQL_UNIX_PORT"]) < 104
    assert until(lambda: not os.path.exists(env["MYSQL_UNIX_PORT"]))


def sql(client, *place):
    """The argv of a client that gets its password from the environment."""
    return [str(client.path), "--no-defaults", "-uapp", *place, "-NBe",
            "select user(); show session status like 'Ssl_version'"]


def test_exec_socket_has_the_keepers_tls(broker, client, mysql_server):
    through(broker, mysql_server, tls="verify-identity")
    off = "--ssl-mode=DISABLED" if client.family == "mysql" else "--skip-ssl"
    done = broker.run("exec", "p", "--", *sql(client, "--host=localhost", "--socket={socket}", off))
    assert done.code == 0 and "Ssl_version\tTLSv1.3" in done.text, done.errors


@pytest.mark.parametrize("tls", ["preferred", "verify-identity"])
def test_exec_defaults_file(broker, client, mysql_server, tls):
    through(broker, mysql_server, tls=tls)
    dump = broker.run("exec", "p", "--", client.dump, "--defaults-file={defaults-file}",
                      *(["--column-statistics=0"] if client.family == "mysql" else []), "--no-tablespaces",
                      "--skip-comments", "--skip-lock-tables", "shop", "item")
    assert dump.code == 0 and "INSERT INTO `item`" in dump.text, dump.errors


@pytest.mark.parametrize("tls", ["verify-identity", "preferred"])
def test_exec_url(broker, mysql_server, tls):
    """It has only host and port: nothing that a driver could refuse, or that could make it connect to another
    address."""
    through(broker, mysql_server, tls=tls)
    done = broker.run("exec", "p", "--env", "url", "--", "printenv", "DATABASE_URL", secret_out=True)
    assert re.fullmatch(r"mysql://app:[^@]+@127\.0\.0\.1:\d+/\n", done.text)


def test_exec_inherits_nothing(broker, mysql_server):
    through(broker, mysql_server)
    done = broker.run("exec", "p", "--", "/usr/bin/python3", "-c", FDS)
    assert done.text == "[0, 1, 2, 3]\n"  # 3: the directory that is listed
    done = broker.run("exec", "p", "--", "/usr/bin/python3", "-c",
                      "import os\ntry: print(os.wait())\nexcept ChildProcessError: print('none')")
    assert done.text == "none\n"


def test_exec_output_ends_with_the_program(broker, mysql_server):
    """The keeper holds neither the pipe of $(...) nor a lock that the caller passed on."""
    through(broker, mysql_server)
    lock = broker.home / "lock"
    script = f"""exec 9>{lock}; flock 9; X=$('{PROGRAM}' exec p -- sh -c 'echo it is $MYSQL_HOST'); echo "$X"; exec 9>&-; flock -n {lock} true && echo free"""
    done = subprocess.run(["sh", "-c", script], env=broker.environment({}), capture_output=True, timeout=20)
    assert done.stdout == b"it is 127.0.0.1\nfree\n", done.stderr


def test_socket_is_private(broker, mysql_server):
    through(broker, mysql_server)
    done = broker.run("exec", "p", "--", "/usr/bin/python3", "-c", "import os, sys; print(oct(os.lstat(sys.argv[1]).st_mode), "
                      "oct(os.lstat(os.path.dirname(sys.argv[1])).st_mode))", "{socket}")
    assert done.text == f"{oct(stat.S_IFSOCK | 0o600)} {oct(stat.S_IFDIR | 0o700)}\n"


def test_secrets_are_hidden(broker, client, mysql_server):
    path = broker.write("password", broker.secret(mysql_server.password("app")) + b"\n", secret=True)
    through(broker, mysql_server, auth="file", auth_env=None, auth_file=path)
    del broker.env[SECRET_ENV]
    with broker.watch() as seen:
        assert connect(broker, client, query="select sleep(1)").code == 0
    assert any(b"broker-keeper" in argv for argv in seen.argv)
    broker.assert_hidden(seen)


# ssh: broker's part of it; the rest is in the tests of the engines

def behind(broker, sshd, server, **keys):
    """Writes the profile `p` for SERVER behind SSHD, which runs on this machine."""
    for_user(broker, server, "app", **{"host": RIGHT_NAME, "tls_ca": server.ca, "via": "b", **keys})
    with open(broker.config_path, "a") as f:
        f.write(f"[tunnel b]\ntype = ssh\nhost = {sshd.host}\nport = {sshd.port}\nuser = {sshd.user}\n")


@pytest.fixture
def with_key(ssh_home, sshd, user_key):
    (ssh_home / "id_ed25519").write_bytes(user_key.read_bytes())
    (ssh_home / "id_ed25519").chmod(0o600)
    (ssh_home / "known_hosts").write_text(sshd.known())
    return sshd


@pytest.fixture
def with_password(ssh_home, start_sshd):
    sshd = start_sshd(questions=[("Password: ", "fake-ssh-word", "hide")])
    (ssh_home / "known_hosts").write_text(sshd.known())
    return sshd


def hops(done):
    return [re.sub(r"\b\d+m?s\b", "0ms", re.sub(" +", " ", line), count=1) for line in done.text.splitlines()]


@pytest.mark.parametrize("tls", ["preferred", "verify-identity"])
def test_ssh(broker, client, mysql_server, with_key, tls):
    behind(broker, with_key, mysql_server, tls=tls)
    assert logged_in(connect(broker, client)).version == "TLSv1.3"
    done = broker.run("test", "p", "--client", client.path)
    assert done.code == 0 and hops(done)[0] == f"route ok 0ms ssh {with_key.user}@127.0.0.1:{with_key.port}"


def test_ssh_far_socket(broker, client, mysql_server, with_key):
    """If the server's own socket on the far side is used, the local address is a socket too: what is safe over the one
    is safe over the other."""
    behind(broker, with_key, mysql_server, host=None, port=None, tls_ca=None, socket=mysql_server.socket)
    assert connect(broker, client, query="select 1").out == b"1\n"
    done = broker.run("exec", "p", "--", "sh", "-c", "test -S $MYSQL_UNIX_PORT && test $MYSQL_HOST = 127.0.0.1")
    assert done.code == 0


@pytest.mark.parametrize("name, fixture", [("mysql9", "mysql_server"), ("mariadb118", "mariadb_server")])
def test_ssh_account_of_the_socket(request, broker, clients, names, with_key, name, fixture):
    """An account that can only use the server's unix socket is refused over TCP: the hint says how to fix that, and it
    works. For an account that does not exist MySQL may name any plug-in, which MariaDB's client would refuse first."""
    client, server = clients[name], request.getfixturevalue(fixture)
    server.admin("drop user if exists near@localhost; create user near@localhost identified by 'fake-near'")

    def tested(**keys):
        behind(broker, with_key, server, tls_ca=None, **keys)
        broker.config(broker.config_path.read_text().replace("user = app\n", "user = near\n", 1))
        broker.env[SECRET_ENV] = broker.secret(b"fake-near").decode()
        return broker.run("test", "p", "--client", client.path)
    for host in ("127.0.0.1", "localhost", RIGHT_NAME):
        done = tested(host=host, tls="required")
        assert done.code == 77 and "1045 access denied for near@" in done.errors, done.errors
        assert done.errors.endswith("; or by its socket: socket = /run/mysqld/mysqld.sock\n") == (host != RIGHT_NAME), done.errors
    done = tested(host=None, port=None, socket=server.socket)
    server.admin("drop user near@localhost")
    assert done.code == 0, done.errors


def test_ssh_passwords(broker, keychain, clients, mysql_server, with_password):
    """The stored password is used. If it is wrong, it is tried once, and then the user is prompted once; without a
    terminal the hint says what to do."""
    client = clients["mysql9"]
    broker.env.update(keychain.env)
    behind(broker, with_password, mysql_server)
    label = f"{with_password.user}@127.0.0.1:{with_password.port}"
    done = connect(broker, client)
    assert done.code == 79 and done.errors == (f"broker: p: no stored password for {label}\n"
                                               "hint: broker password set --tunnel b\n")
    assert broker.run("password", "set", "--tunnel", "b", input=broker.secret(b"fake-ssh-word")).code == 0
    assert logged_in(connect(broker, client)).cipher
    assert broker.run("password", "set", "--tunnel", "b", input=broker.secret(b"fake-wrong-word")).code == 0
    t = broker.pty("connect", "p", "--client", client.path, "--", "-NBe", "select 1", stdout="pipe")
    t.expect(b"assword")
    t.sendline(b"fake-ssh-word")
    assert t.wait() == 0 and t.out == b"1\n" and t.shown.lower().count(b"password") == 1
    done = connect(broker, client)
    assert done.code == 77 and done.errors.endswith("\nhint: broker password set --tunnel b\n"), done.errors


def test_login_prompts_for_the_tunnel_only(broker, mysql_server, ssh_home, sshd, user_key):
    """The user is asked about an unknown host key, once, and not for the password of the database."""
    (ssh_home / "id_ed25519").write_bytes(user_key.read_bytes())
    (ssh_home / "id_ed25519").chmod(0o600)
    behind(broker, sshd, mysql_server, auth="prompt", auth_env=None)
    done = broker.run("login", "p")
    assert done.code == 79 and "The authenticity of host" in done.errors
    t = broker.pty("login", "p", stderr="pipe")
    t.expect(b"(yes/no/[fingerprint])? ")
    t.sendline(b"yes")
    assert t.wait() == 0
    note = f"logged in to ssh {sshd.user}@127.0.0.1:{sshd.port}\n"
    assert t.err.decode().endswith(note)
    done = broker.run("login", "p")
    assert (done.code, done.errors) == (0, note)


# Refused before anything is started

@pytest.mark.parametrize("keys, text", [
    ({"host": None, "port": None}, "via = tcp://127.0.0.1:1, but no server is set behind it\n"
     "hint: set host to the server's name as seen from the bastion, or socket to a path there\n"),
    ({"socket": "auto", "host": None, "port": None}, "via = tcp://127.0.0.1:1, but no server is set behind it\n"
     "hint: set host to the server's name as seen from the bastion, or socket to a path there\n")])
def test_no_server_behind_the_tunnel(broker, clients, keys, text):
    broker.config(profile(**{"host": "db", "user": "app", "auth": "none", "via": "tcp://127.0.0.1:1", **keys}))
    done = broker.run("connect", "p", "--client", clients["mysql9"].path)
    assert (done.code, done.errors) == (78, "broker: p: " + text)


def test_runtime_folder_too_deep(broker, clients, mysql_server):
    deep = broker.folder / ("d" * 90)
    deep.mkdir(mode=0o700)
    through(broker, mysql_server)
    done = connect(broker, clients["mysql9"], env={"XDG_RUNTIME_DIR": str(deep)})
    assert done.code == 78 and "too long for a unix socket, which may have 103 bytes\nhint: set XDG_RUNTIME_DIR to " in done.errors


def test_token_needs_no_route(broker):
    broker.env["PW"] = broker.secret(b"fake-password").decode()
    broker.config(profile(host="db", user="app", auth="env", auth_env="PW", via="tcp://127.0.0.1:1"))
    done = broker.run("token", "p", secret_out=True)
    assert (done.code, done.text) == (0, "fake-password\n")
