# SPDX-License-Identifier: MIT
"""`broker forward`: a local address that any program can use, in the foreground and detached, by each route to the
server, until a signal, a stop, or a kill; where it listens, and what is refused before anything is opened.

The profiles name a client and a credential that do not exist: forward needs neither."""
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time

import pytest

from lib import stranger
from lib.forwards import alive, dial, greeting, refused, state_of, until
from servers import load, process
from servers.pki import RIGHT_NAME

NOTHING = "auth = command\nauth_command = /nonexistent/password\nclient = /nonexistent/client\n"
ADDRESS = r"127\.0\.0\.1:\d+"
RELAY = '''#!/usr/bin/python3
"""relay LOCAL_PORT HOST PORT: what a tunnel's program does."""
import socket, sys, threading
def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    a, _ = listener.accept()
    b = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    for pair in ((a, b), (b, a)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
'''


@pytest.fixture
def prod(broker, mariadb_server):
    """Writes [profile prod] for a real server, with the keys and lines that a test adds."""
    def write(more="", name="prod", **keys):
        keys = {"host": "127.0.0.1", "port": mariadb_server.port, "user": "app", **keys}
        text = "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
        broker.config(f"[profile {name}]\n{text}{NOTHING}{more}")
        return mariadb_server
    return write


def ask(client, server, address, sql="select current_user()", *options, user="app"):
    """What the server answers that client through the forward, or the client's error."""
    where = [f"--socket={address}", "--protocol=socket"] if address.startswith("/") else []
    host, _, port = ("localhost", "", "0") if where else address.rpartition(":")
    done = client.raw(server, user, sql, *client.options_for(server, user), *where, *options, host=host.strip("[]"), port=port)
    return done.stdout.decode().strip() or done.stderr.decode()


def free_port():
    return process.free_port()


@pytest.fixture
def taken():
    """A port on which this test listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# In the foreground

def test_on_a_terminal(broker, prod, forwards):
    server = prod()
    tty = broker.pty("forward", "prod")
    shown = tty.expect(b"Ctrl-C ends it\r\n").decode()
    address = shown.splitlines()[0]
    assert re.fullmatch(rf"{ADDRESS}\r\nprod: to 127\.0\.0\.1:{server.port}, Ctrl-C ends it\r\n", shown)
    assert b"MariaDB" in greeting(address)
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT
    assert tty.shown.decode() == shown + "^C" and refused(address) and forwards.left() == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_dies_of_the_signal(prod, forwards, sent):
    server = prod()
    running = forwards.start("prod")
    assert b"MariaDB" in greeting(running.address)
    assert running.end(sent) == (-sent, "", f"prod: to 127.0.0.1:{server.port}, Ctrl-C ends it\n")
    assert refused(running.address) and forwards.left() == []


def test_ignored_signals_stay_ignored(prod, forwards):
    prod()
    running = forwards.start("prod", wrap=["sh", "-c", 'trap "" HUP; exec "$0" "$@"'])
    running.proc.send_signal(signal.SIGHUP)
    assert b"MariaDB" in greeting(running.address)
    assert running.end(signal.SIGTERM)[0] == -signal.SIGTERM


def test_stopped_by_broker_stop(broker, prod, forwards):
    prod()
    running = forwards.start("prod", "--quiet")
    done = broker.run("stop", "prod")
    assert (done.text, done.errors, done.code) == ("", "", 0)
    assert running.end() == (0, "", "") and refused(running.address) and forwards.left() == []


def test_keeper_is_killed(prod, forwards):
    prod()
    running = forwards.start("prod", "--quiet")
    os.kill(forwards.one("prod")["pid"], signal.SIGKILL)
    code, out, errors = running.end()
    assert (code, out) == (69, "") and errors.startswith("broker: prod: its keeper was killed\nhint: ")
    assert refused(running.address) and until(lambda: forwards.left() == [])


def test_broker_is_killed(prod, forwards):
    """The keeper ends with broker, and leaves nothing behind."""
    prod()
    running = forwards.start("prod")
    keeper = forwards.one("prod")["pid"]
    with dial(running.address) as s:
        assert s.recv(4)
        assert running.end(signal.SIGKILL)[0] == -signal.SIGKILL
        assert refused(running.address) and until(lambda: not alive(keeper)) and until(lambda: forwards.left() == [])


def test_terminal_closes(broker, prod, forwards):
    prod()
    tty = broker.pty("forward", "prod")
    address = tty.expect(b"\r\n").decode().strip()
    tty.expect(b"ends it")
    tty.hang_up()
    assert until(lambda: tty.proc.poll() is not None) and tty.proc.returncode == -signal.SIGHUP
    assert refused(address) and until(lambda: forwards.left() == [])


def test_suspended(broker, prod, forwards, clients):
    """Ctrl-Z suspends broker, but not the forward."""
    server = prod()
    tty = broker.pty("forward", "prod")
    address = tty.expect(b"\r\n").decode().strip()
    tty.expect(b"ends it")
    tty.send(b"\x1a")
    # Ctrl-Z does not stop a session leader in an orphaned process group; SIGSTOP does.
    os.kill(tty.pid, signal.SIGSTOP)
    assert until(lambda: state_of(tty.pid) == "T")
    assert ask(clients["mariadb1011"], server, address) == "app@%"
    os.kill(tty.pid, signal.SIGCONT)
    assert ask(clients["mariadb1011"], server, address) == "app@%"
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT


# Detached

def test_detach_returns(broker, prod, forwards, clients):
    """The shell does not wait for the keeper, which has none of its descriptors, not its terminal, and is not its
    child."""
    server = prod()
    sh = ['ADDR=$("$0" forward prod --detach) && echo "got $ADDR"; wait; exec 3>&1; "$0" forward prod --detach | cat']
    done = broker.run(wrap=["sh", "-c", *sh])
    first, second = done.text.split("\n")[:2]
    assert (done.code, done.errors) == (0, "") and re.fullmatch(f"got {ADDRESS}", first) and first == f"got {second}"
    for client in clients.values():
        assert ask(client, server, second) == "app@%"
    keeper = forwards.one("prod")["pid"]
    assert not {link for link in links(keeper) & links("self") if link.startswith("pipe:")}
    assert broker.run("stop", "prod").code == 0 and refused(second) and forwards.left() == []
    assert until(lambda: not alive(keeper))


def links(pid):
    """What the descriptors of a process refer to, without those that are closed meanwhile."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return found


def test_detached_outlives_its_terminal(broker, prod, forwards):
    prod()
    tty = broker.pty("forward", "prod", "--detach")
    address = tty.expect(b"\r\n").decode().strip()
    assert tty.wait() == 0 and tty.shown.decode() == address + "\r\n"
    tty.hang_up()
    time.sleep(0.1)
    assert b"MariaDB" in greeting(address)


def test_running_already(broker, prod, forwards):
    prod()
    address = forwards.detach("prod")
    port = address.rpartition(":")[2]
    for args in ([], ["--listen", "0"], ["--listen", port], ["--listen", address]):
        done = broker.run("forward", "prod", "--detach", *args)
        assert (done.text, done.errors, done.code) == (address + "\n", "", 0)
    done = broker.run("forward", "prod")
    assert (done.text, done.errors, done.code) == (address + "\n", "prod: runs already; broker stop prod ends it\n", 0)
    for other in (str(free_port()), f"127.0.0.2:{port}", "[::1]:0"):
        done = broker.run("forward", "prod", "--detach", "--listen", other)
        assert (done.text, done.errors, done.code) == (
            "", f"broker: prod: its forward is already running at {address}\nhint: broker stop prod\n", 69)


@pytest.mark.parametrize("more", [["-o", "port=1"], ["--host", "127.0.0.2"], ["--via", "tcp://127.0.0.1:1"],
                                  ["--terminate-tls", "--tls", "required"]])
def test_running_already_with_other_settings(broker, prod, forwards, more):
    """A forward that runs is never used if it leads to another server than the one that was asked for."""
    prod()
    address = forwards.detach("prod")
    done = broker.run("forward", "prod", "--detach", *more)
    wanted = f"broker: prod: its forward at {address} has other settings\nhint: broker stop prod\n"
    assert (done.text, done.errors, done.code) == ("", wanted, 69)


def test_same_host_behind_two_bastions(broker, forwards):
    """127.0.0.1 is a different server behind each of them."""
    args = ["forward", "--detach", "--host", "127.0.0.1", "--via"]
    assert broker.run(*args, "tcp://127.0.0.1:1").code == 0
    assert "other settings" in broker.run(*args, "tcp://127.0.0.1:2").errors
    assert broker.run(*args, "tcp://127.0.0.1:1").code == 0


@pytest.mark.parametrize("args", [["--socket", "s.sock"], ["--socket", "auto"],
                                  ["--host", "127.0.0.1", "--terminate-tls", "--tls", "verify-ca", "-o", "tls_ca=ca.pem"]])
def test_same_relative_path_in_another_folder(broker, forwards, pki, args):
    """It names another server, or other CA certificates."""
    with socket.socket(socket.AF_UNIX) as sales, socket.socket(socket.AF_UNIX) as hr:
        for listener, place, ca in ((sales, "sales", pki.ca), (hr, "hr", pki.wrong_ca)):
            broker.write(f"{place}/ca.pem", ca.read_bytes())
            listener.bind(str(broker.home / place / "s.sock"))
            listener.listen()
        first, again, other = [broker.run("forward", "--detach", *args, env={"MYSQL_UNIX_PORT": "s.sock"}, cwd=broker.home / place)
                               for place in ("sales", "sales", "hr")]
    assert first.code == again.code == 0 and first.out == again.out
    assert other.out != first.out, other


LISTENING = ("#!/usr/bin/python3\nimport socket, sys, time\ns = socket.socket()\n"
             "s.bind(('127.0.0.1', int(sys.argv[1])))\ns.listen()\ntime.sleep(600)\n")


@pytest.mark.parametrize("command, env", [("./reach {local_port}", {}), ("reach {local_port}", {"PATH": ".:/usr/bin:/bin"})])
def test_two_programs_with_one_name(broker, forwards, command, env):
    """The same command runs a different program in another working folder."""
    for place in ("sales", "hr"):
        broker.write(f"{place}/reach", LISTENING, mode=0o700)
    broker.config(f"[profile p]\nhost = db\nvia = t\n[tunnel t]\ntype = command\ncommand = {command}\n")
    args = ["forward", "p", "--detach"]
    said = [broker.run(*args, env=env, cwd=broker.home / place) for place in ("sales", "sales", "hr")]
    assert [done.code for done in said] == [0, 0, 69] and "other settings" in said[2].errors, said


def test_two_at_once(broker, prod, forwards):
    prod()
    pipe = subprocess.PIPE
    procs = [broker.start("forward", "prod", "--detach", stdout=pipe, stderr=pipe) for _ in range(6)]
    said = {proc.communicate(timeout=30) for proc in procs}
    assert len(said) == 1 and [proc.returncode for proc in procs] == [0] * 6
    assert len(forwards.status()) == 1 and said == {(forwards.one("prod")["host"].encode() + b":%d\n" % forwards.one("prod")["port"], b"")}


# Several forwards

def several(broker, server, **listen):
    broker.config("".join(f"[profile {name}]\nhost = 127.0.0.1\nport = {server.port}\n{NOTHING}"
                          + (f"listen = {listen[name]}\n" if name in listen else "") for name in ("one", "two", "three")))


def test_several(broker, mariadb_server, forwards):
    several(broker, mariadb_server, two="127.0.0.2:0")
    running = forwards.start("two", "three", "one", lines=3)
    assert [line.rpartition(":")[0] for line in running.lines] == ["127.0.0.2", "127.0.0.1", "127.0.0.1"]
    names = [f["profile"] for f in forwards.status()]
    assert names == ["one", "three", "two"]
    by_name = {f["profile"]: f"{f['host']}:{f['port']}" for f in forwards.status()}
    assert [by_name[name] for name in ("two", "three", "one")] == running.lines
    for line in running.lines:
        assert b"MariaDB" in greeting(line)
    assert broker.run("stop", "three").code == 0
    assert b"MariaDB" in greeting(running.lines[0]) and running.proc.poll() is None
    code, _, errors = running.end(signal.SIGINT)
    assert code == -signal.SIGINT and errors.count("Ctrl-C ends it") == 3 and forwards.left() == []


def test_several_all_stopped(broker, mariadb_server, forwards):
    several(broker, mariadb_server)
    running = forwards.start("one", "two", "-q", lines=2)
    assert broker.run("stop", "--all").code == 0
    assert running.end() == (0, "", "")


def test_one_of_several_is_killed(broker, mariadb_server, forwards):
    """They belong together: the others are ended with it."""
    several(broker, mariadb_server)
    running = forwards.start("one", "two", "-q", lines=2)
    os.kill(forwards.one("two")["pid"], signal.SIGKILL)
    code, _, errors = running.end()
    assert code == 69 and errors.startswith("broker: two: its keeper was killed\n")
    assert until(lambda: forwards.left() == []) and refused(running.lines[0])


@pytest.mark.parametrize("args", [["--detach"], []])
def test_one_of_several_fails(broker, mariadb_server, forwards, taken, args):
    several(broker, mariadb_server, three=taken)
    kept = forwards.detach("one")
    done = broker.run("forward", "one", "two", "three", *args)
    assert (done.text, done.code) == ("", 69)
    assert done.errors.startswith(f"broker: three: 127.0.0.1:{taken} is taken by ")
    assert [f["profile"] for f in forwards.status()] == ["one"] and b"MariaDB" in greeting(kept)


def test_several_are_checked_before_one_is_opened(broker, mariadb_server, forwards):
    several(broker, mariadb_server)
    done = broker.run("forward", "one", "nobody", "--detach")
    assert done.errors.startswith("broker: nobody: no such profile\n") and done.code == 78 and forwards.left() == []
    done = broker.run("forward", "one", "two", "--detach", "--listen", "13306")
    assert done.code == 64 and "--listen 13306 is one address, but there are 2 forwards\nhint: " in done.errors
    done = broker.run("forward", "one", "two", "--detach", "--listen", "127.0.0.2:0")
    assert done.code == 0 and re.fullmatch(r"(127\.0\.0\.2:\d+\n){2}", done.text)


def test_several_as_json(broker, mariadb_server, forwards):
    several(broker, mariadb_server)
    done = broker.run("forward", "one", "two", "--detach", "--json")
    assert [json.loads(line)["profile"] for line in done.text.splitlines()] == ["one", "two"] and done.errors == ""


# Where it listens

def test_json(broker, prod, forwards):
    server = prod(tls="required")
    done = broker.run("forward", "prod", "--detach", "--json")
    found = json.loads(done.text)
    assert list(found) == ["profile", "host", "port", "socket", "user", "password", "endpoint", "pid"] and done.text.count("\n") == 1
    assert found == {"profile": "prod", "host": "127.0.0.1", "port": found["port"], "socket": None, "user": None, "password": None, "pid": found["pid"],
                     "endpoint": {"host": "127.0.0.1", "port": server.port, "socket": None}}
    assert alive(found["pid"]) and b"MariaDB" in greeting(f"127.0.0.1:{found['port']}")
    path = f"{broker.tmp}/end.sock"
    assert broker.run("stop", "prod").code == 0
    found = json.loads(broker.run("forward", "prod", "--detach", "--json", "--listen", path).text)
    assert (found["host"], found["port"], found["socket"]) == (None, None, path)


@pytest.mark.parametrize("listen, address", [("0", ADDRESS), ("127.0.0.1:0", ADDRESS), ("localhost:0", ADDRESS),
                                             ("127.0.0.9:0", r"127\.0\.0\.9:\d+"), ("[::1]:0", r"\[::1\]:\d+"),
                                             ("0.0.0.0:0", r"0\.0\.0\.0:\d+")])
@pytest.mark.parametrize("by", ["flag", "key"])
def test_listen(prod, forwards, listen, address, by):
    prod(listen=listen if by == "key" else None)
    found = forwards.detach("prod", *(["--listen", listen] if by == "flag" else []))
    assert re.fullmatch(address, found) and b"MariaDB" in greeting(found)


STEALS = """
import socket, sys
listener = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], int(sys.argv[2])))
listener.listen()
print("listens", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def thief(host, port):
    """Another user's listener. Yields whether it could listen."""
    run = subprocess.Popen([*stranger.WRAP, "/usr/bin/python3", "-c", STEALS, host, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield run.stdout.readline() == b"listens\n"
    finally:
        run.communicate()


def port_free_at_both():
    """A port that is free at 127.0.0.1 and at ::1."""
    for _ in range(50):
        port = free_port()
        with contextlib.suppress(OSError), socket.create_server(("::1", port), family=socket.AF_INET6):
            return port
    return None


@pytest.mark.parametrize("terminate", [[], ["--terminate-tls"]], ids=["bytes", "tls"])
@pytest.mark.parametrize("fixed", [True, False])
def test_localhost_is_both_addresses(broker, prod, forwards, terminate, fixed):
    """Programs that dial localhost try ::1 first, so no other user can listen there, nor at a wildcard."""
    prod(tls="required" if terminate else "disabled")
    port = port_free_at_both() if fixed else 0
    found = forwards.detach("prod", "--listen", f"localhost:{port}", *terminate)
    host, _, port = found.rpartition(":")
    assert host == "127.0.0.1" and b"MariaDB" in greeting(found) and b"MariaDB" in greeting(f"[::1]:{port}")
    for other in ("::1", "::", "127.0.0.1", "0.0.0.0"):
        with thief(other, port) as listens:
            assert not listens, other
    shown = forwards.one("prod")
    assert (shown["host"], shown["port"]) == ("127.0.0.1", int(port))
    for wanted, code in ((f"localhost:{port}", 0), (f"LOCALHOST:{port}", 0), (f"127.0.0.1:{port}", 0), (f"[::1]:{port}", 0), (f"127.0.0.2:{port}", 69)):
        assert broker.run("forward", "prod", "--detach", "--listen", wanted, *terminate).code == code, wanted
    assert broker.run("stop", "prod").code == 0 and refused(f"[::1]:{port}") and refused(found)


@pytest.mark.parametrize("host", ["::1", "127.0.0.1", "::"])
def test_localhost_with_one_address_taken(broker, prod, forwards, host):
    """Another user listens there and waits for a password."""
    prod()
    port = port_free_at_both()
    with thief(host, port) as listens:
        done = broker.run("forward", "prod", "--detach", "--listen", f"localhost:{port}")
        named = "127.0.0.1" if host == "127.0.0.1" else r"\[::1\]" if host == "::1" else r"(?:127\.0\.0\.1|\[::1\])"
        assert listens and done.code == 69 and re.match(rf"broker: prod: {named}:{port} is taken\b.*\nhint: .", done.errors), done.errors
        assert forwards.left() == []
        host, _, port = forwards.detach("prod", "--listen", "localhost:0").rpartition(":")
        assert b"MariaDB" in greeting(f"[::1]:{port}")


def test_localhost_while_running_at_one_address(broker, prod, forwards):
    prod()
    found = forwards.detach("prod")
    done = broker.run("forward", "prod", "--detach", "--listen", "localhost:" + found.rpartition(":")[2])
    assert done.code == 69 and f"its forward is already running at {found}\nhint: broker stop prod\n" in done.errors


def test_listen_on_a_port(prod, forwards):
    prod()
    port = free_port()
    assert forwards.detach("prod", "--listen", str(port)) == f"127.0.0.1:{port}"
    assert not refused(f"127.0.0.1:{port}", 0.1) and refused(f"127.0.0.2:{port}", 1)


@pytest.mark.parametrize("listen, code, message", [
    ("nowhere", 64, "is not PORT, ADDRESS:PORT or /PATH"), ("70000", 64, "is not PORT"), ("0.0.0.0", 64, "is not PORT"),
    ("db.example.com:0", 64, "--listen db.example.com:0: not an IP address\nhint: "),
    ("192.0.2.1:0", 69, "192.0.2.1:0: not an address of this machine\nhint: --listen 0 takes a free port\n"),
    ("/" + "x" * 103, 64, "too long for a unix socket, which may have 103 bytes\nhint: "),
    ("/nowhere/x.sock", 69, "No such file or directory\nhint: check that its folder exists"),
    ("relative.sock", 64, "is not PORT")])
def test_listen_refused(broker, prod, forwards, listen, code, message):
    prod(tls="required")
    done = broker.run("forward", "prod", "--detach", "--listen", listen)
    assert done.code == code and message in done.errors and done.text == ""


def test_taken(broker, prod, forwards, taken):
    """The error names the process that holds the port, and nothing was opened before."""
    prod()
    hint = "hint: --listen 0 takes a free port\n"
    me = open("/proc/self/comm").read().strip()
    done = broker.run("forward", "prod", "--listen", str(taken))
    assert (done.text, done.code) == ("", 69)
    assert done.errors == f"broker: prod: 127.0.0.1:{taken} is taken by {me} (pid {os.getpid()})\n{hint}"


def test_taken_by_the_server(broker, prod, forwards):
    server = prod()
    done = broker.run("forward", "prod", "--listen", str(server.port))
    assert re.match(rf"broker: prod: 127\.0\.0\.1:{server.port} is taken by mariadbd \(pid {server.pid}\)\n", done.errors)


@pytest.mark.parametrize("listen", ["0", "end.sock"])
def test_taken_by_a_forward(broker, mariadb_server, forwards, listen):
    several(broker, mariadb_server)
    tls = ["--tls", "required"]
    address = forwards.detach("one", "--listen", f"{broker.tmp}/{listen}" if listen != "0" else listen, *tls)
    done = broker.run("forward", "two", "--listen", address, *tls)
    assert done.errors.startswith(f"broker: two: {address} is taken by the forward one\n") and done.code == 69


def test_taken_by_hidden_process(broker, prod, forwards, taken):
    prod()
    hide = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none /proc/{os.getpid()} && exec "$0" "$@"']
    done = broker.run("forward", "prod", "--listen", str(taken), wrap=hide)
    if "unshare" in done.errors:
        pytest.skip("missing: a mount namespace")
    assert done.errors.startswith(f"broker: prod: 127.0.0.1:{taken} is taken\nhint: ") and done.code == 69


@pytest.mark.parametrize("option", [["--port", "13306"], ["-P", "13306"], ["--socket", "/tmp/x"], ["-S/tmp/x"]])
def test_server_options_with_a_profile_are_refused(broker, prod, forwards, option):
    prod(host=None if "S" in option[0] or "socket" in option[0] else "127.0.0.1")
    long = "--port" if option[0] in ("--port", "-P") else "--socket"
    # --socket alone names an unnamed profile, whatever BROKER_PROFILE says.
    for name, env in (("prod", {}), (None, {"BROKER_PROFILE": "prod"}))[:1 + (long == "--port")]:
        done = broker.run("forward", *filter(None, [name]), *option, env=env)
        assert done.code == 64 and done.errors.startswith(
            f"broker: prod: {long} sets the server's {long[2:]}; the profile already has one\n")
        assert re.search(r"\nhint: --listen (PORT|/PATH) sets where the forward listens\n$", done.errors)


# A path

@pytest.mark.parametrize("level", ["required", "verify-ca", "verify-identity"])
def test_path(broker, prod, forwards, names, clients, level):
    """The socket has mode 0600 and is removed afterwards. The keeper handles TLS; the client uses none."""
    server = prod(host=RIGHT_NAME, tls=level, tls_ca=None if level == "required" else prod().ca)
    path = f"{broker.tmp}/end.sock"
    assert forwards.detach("prod", "--listen", path) == path
    assert os.stat(path).st_mode & 0o777 == 0o600
    cipher = ask(clients["mariadb1011"], server, path, "show session status like 'Ssl_cipher'", "--skip-ssl")
    assert re.fullmatch(r"Ssl_cipher\tTLS_\w+", cipher)
    assert broker.run("stop", "prod").code == 0 and not os.path.exists(path)


@pytest.mark.parametrize("level", ["disabled", "preferred"])
@pytest.mark.parametrize("how", ["path", "flag"])
def test_terminate_tls_needs_a_level(broker, prod, forwards, level, how):
    prod(tls=level)
    args = ["--listen", f"{broker.tmp}/x.sock"] if how == "path" else ["--terminate-tls"]
    done = broker.run("forward", "prod", "--detach", *args)
    assert done.code == 64 and f"tls = {level}\nhint: --tls required or stricter" in done.errors and forwards.left() == []
    assert forwards.detach("prod", *args, "--tls", "required")


def test_path_that_exists(broker, prod, forwards):
    prod(tls="required")
    path = broker.tmp / "end.sock"
    path.write_text("mine")
    done = broker.run("forward", "prod", "--detach", "--listen", str(path))
    assert done.errors.startswith(f"broker: prod: {path} exists already\nhint: ") and done.code == 69
    assert path.read_text() == "mine"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        done = broker.run("forward", "prod", "--detach", "--listen", str(path))
        assert "exists already" in done.errors and path.is_socket()
    assert forwards.detach("prod", "--listen", str(path)) == str(path)  # nothing listens on it any more
    assert b"MariaDB" in greeting(str(path))


def test_path_of_a_killed_keeper(broker, prod, forwards):
    prod(tls="required")
    path = f"{broker.tmp}/end.sock"
    forwards.detach("prod", "--listen", path)
    os.kill(forwards.one("prod")["pid"], signal.SIGKILL)
    assert until(lambda: not os.path.exists(path) and forwards.left() == [])
    assert forwards.detach("prod", "--listen", path) == path


# Routes

def test_bytes_are_passed_unchanged(prod, forwards, names, client):
    """GUI programs make their own TLS, so the forward passes all bytes on unchanged."""
    server = prod(host=RIGHT_NAME)
    address = forwards.detach("prod")
    options = [f"--ssl-ca={server.ca}", *(["--ssl-mode=VERIFY_CA"] if client.family == "mysql" else ["--ssl"])]
    assert re.search(r"TLS_\w+", ask(client, server, address, "show session status like 'Ssl_cipher'", *options))


@pytest.mark.parametrize("ca, works", [("ca", True), ("wrong_ca", False)])
def test_terminate_tls(prod, forwards, names, clients, ca, works):
    server = prod(host=RIGHT_NAME)
    server = prod(host=RIGHT_NAME, tls="verify-identity", tls_ca=getattr(server, ca))
    address = forwards.detach("prod", "--terminate-tls")
    said = ask(clients["mariadb1011"], server, address, "show session status like 'Ssl_cipher'", "--skip-ssl")
    assert bool(re.fullmatch(r"Ssl_cipher\tTLS_\w+", said)) == works and ("2026" in said) == (not works)


def test_no_tls_session_keys_are_written(broker, prod, forwards, names, clients):
    prod(host=RIGHT_NAME)
    server = prod(host=RIGHT_NAME, tls="required")
    broker.env["SSLKEYLOGFILE"] = str(broker.home / "keys")
    said = ask(clients["mariadb1011"], server, forwards.detach("prod", "--terminate-tls"), "show session status like 'Ssl_cipher'", "--skip-ssl")
    assert said.startswith("Ssl_cipher\tTLS_") and not (broker.home / "keys").exists()


@pytest.mark.parametrize("route", ["direct", "tcp", "command", "socket"])
def test_routes(broker, prod, forwards, names, clients, route):
    server = prod()
    relay = broker.script("relay", RELAY)
    if route == "direct":
        server = prod(via="direct")
    elif route == "tcp":
        server = prod(host="db.nowhere.invalid", port=3306, via=f"tcp://127.0.0.1:{server.port}")
    elif route == "command":
        server = prod(f"[tunnel bastion]\ntype = command\ncommand = {relay} {{local_port}} {{host}} {{port}}\n", via="bastion")
    else:
        server = prod(host=None, port=None, socket=server.socket)
    address = forwards.detach("prod")
    for _ in range(3):
        assert ask(clients["mariadb1011"], server, address) == "app@%"
    endpoint = forwards.one("prod")["endpoint"]
    assert endpoint == {
        "tcp": {"host": "db.nowhere.invalid", "port": 3306, "socket": None},
        "socket": {"host": None, "port": None, "socket": str(server.socket)},
    }.get(route, {"host": "127.0.0.1", "port": server.port, "socket": None})


def test_verbose(broker, prod, forwards):
    """The same lines as for connect. With SSH they name the engine and why it was chosen."""
    server = prod()
    done = broker.run("forward", "prod", "--detach", "-v")
    assert re.fullmatch(rf"\+\d+ms +config +\S+:1\n\+\d+ms +route +direct, 127\.0\.0\.1:{server.port}\n", done.errors)
    assert done.code == 0


def test_no_client_no_connection(broker, forwards):
    """A server counts an unanswered greeting against this host, so nothing is dialled before a client connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = forwards.detach("--host", "127.0.0.1", "--port", str(listener.getsockname()[1]))
        assert not select.select([listener], [], [], 0.3)[0]
        with dial(address):
            assert select.select([listener], [], [], 5)[0]


def test_no_route(broker, prod, forwards):
    """A tunnel that cannot be opened is an error at once. A server that does not exist is an error for the client,
    later."""
    prod("[tunnel bastion]\ntype = command\ncommand = /bin/false {local_port}\n", via="bastion")
    done = broker.run("forward", "prod", "--detach")
    assert (done.text, done.code) == ("", 69) and done.errors.startswith("broker: prod: ") and forwards.left() == []
    assert forwards.detach("--host", "127.0.0.1", "--port", str(free_port()))


# Names

@pytest.mark.parametrize("name", ["a", "x" * 64, "A@b.c+d-e_f", "9"])
def test_names(broker, prod, forwards, name):
    prod(name=name)
    address = forwards.detach(name)
    row = broker.run("status", name).text.splitlines()[1]
    assert re.fullmatch(rf"forward  {re.escape(name)}  up \d+m?s  {re.escape(address)}, 0 connections", re.sub("  +", "  ", row))
    assert broker.run("stop", name).code == 0 and refused(address)


@pytest.mark.parametrize("args, name", [
    (["--host", "127.0.0.1", "--port", "{port}"], "127.0.0.1:{port}"), (["--host", "127.0.0.1"], "127.0.0.1:3306"),
    (["--host", "::1", "-P", "{port}"], "[::1]:{port}"), (["mysql://u@127.0.0.1:{port}/shop"], "127.0.0.1:{port}"),
    (["mysql://u@[::1]:{port}/shop"], "[::1]:{port}"), (["--host", "x" * 63 + "." + "y" * 63 + ".invalid"], "x" * 63 + "." + "y" * 63 + ".invalid:3306")])
def test_names_without_a_profile(broker, mariadb_server, forwards, args, name):
    args, name = [a.format(port=mariadb_server.port) for a in args], name.format(port=mariadb_server.port)
    running = forwards.start(*args)
    assert [f["profile"] for f in forwards.status()] == [name] and forwards.one(name)["profile"] == name
    assert broker.run("forward", *args, "--detach").text == running.address + "\n"
    assert broker.run("stop", name).code == 0
    assert running.end() == (0, "", f"{name}: to {name}, Ctrl-C ends it\n")


def test_local_server_by_socket(broker, mariadb_server, forwards):
    running = forwards.start("--socket", str(mariadb_server.socket))
    assert b"MariaDB" in greeting(running.address)
    assert [f["profile"] for f in forwards.status()] == [str(mariadb_server.socket)]
    assert broker.run("stop", str(mariadb_server.socket)).code == 0
    assert running.end()[0] == 0


def test_url_from_stdin(broker, mariadb_server, forwards):
    """The password in it is not used."""
    secret = broker.secret(b"fake-canary-forward-77")
    url = f"mysql://app:{secret.decode()}@127.0.0.1:{mariadb_server.port}/shop\n"
    done = broker.run("forward", "-", "--detach", input=url.encode())
    assert done.code == 0 and b"MariaDB" in greeting(done.text.strip())


# How it ends

LOCK = "select get_lock('held', 100)"


@pytest.fixture
def held(mariadb_server):
    """A connection that has the lock that query() waits for; held.close() releases it."""
    holder = load.Connection((mariadb_server.host, mariadb_server.port))
    holder.login("app_native", mariadb_server.password("app_native"))
    assert holder.query(LOCK) == [b"1"]
    yield holder
    holder.close(quit=False)


def query(client, server, address):
    """Starts a query that ends when the lock is free, and returns once the server runs it."""
    argv = [client.path, "--no-defaults", "--user=app", "--host=127.0.0.1", f"--port={address.rpartition(':')[2]}", "--protocol=tcp",
            "--skip-ssl", "-NBe", LOCK]
    proc = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={"PATH": "/usr/bin:/bin", "MYSQL_PWD": server.password("app").decode()})
    assert until(lambda: "lock" in server.admin("select info from information_schema.processlist where info like 'select get_lock%' and user = 'app'"))
    return proc


@pytest.mark.parametrize("how", ["stop", "term"])
@pytest.mark.parametrize("drain", [None, "30s"])
def test_drain(broker, prod, forwards, clients, held, how, drain):
    server = prod()
    running = forwards.start("prod", "-q", *(["--drain", drain] if drain else []))
    proc = query(clients["mariadb1011"], server, running.address)
    assert forwards.one("prod")["connections"] == 1
    stop = broker.start("stop", "prod") if how == "stop" else running.proc.send_signal(signal.SIGTERM)
    assert refused(running.address)
    if drain:
        assert proc.poll() is None and running.proc.poll() is None and (not stop or stop.poll() is None)
        held.close()
    out, err = proc.communicate(timeout=20)
    assert not stop or stop.wait(20) == 0
    if drain:
        assert (proc.returncode, out) == (0, b"1\n"), err
    else:
        assert proc.returncode and b"Lost connection" in err
    assert running.end()[0] == (0 if how == "stop" else -signal.SIGTERM)


def test_while_it_drains(broker, prod, forwards, clients, held):
    """No connection is accepted any more, another forward with the same name can be opened, and a second Ctrl-C ends
    the wait."""
    server = prod()
    running = forwards.start("prod", "-q", "--drain", "1h")
    proc = query(clients["mariadb1011"], server, running.address)
    running.proc.send_signal(signal.SIGINT)
    assert refused(running.address) and proc.poll() is None and until(lambda: forwards.left() == [])
    again = forwards.detach("prod", "--listen", running.address)
    assert again == running.address and b"MariaDB" in greeting(again)
    assert running.end(signal.SIGINT)[0] == -signal.SIGINT
    assert proc.wait(20) and b"Lost connection" in proc.communicate()[1]
    assert b"MariaDB" in greeting(again) and forwards.left() == ["prod.sock"]


@pytest.mark.parametrize("message, args", [("--drain: 'soon' is not a duration\nhint: for example 10s", ["--drain", "soon"]),
                                           ("--drain needs a value", ["--drain"])])
def test_bad_drain(broker, prod, forwards, message, args):
    prod()
    done = broker.run("forward", "prod", *args)
    assert done.code == 64 and message in done.errors


def test_stdout_that_cannot_be_written(broker, prod, forwards):
    """The user would not learn the address, so the forward is ended."""
    prod()
    for args in ([], ["--detach"]):
        with open("/dev/full", "w") as full:
            done = broker.run("forward", "prod", *args, stdout=full)
        assert done.code == 74 and forwards.left() == []


def test_log(broker, prod, forwards):
    """Later events are written to the file. Its path is relative to the folder in which broker was called."""
    prod(port=free_port())
    address = forwards.detach("prod", "--log", "later.log")
    path = broker.home / "later.log"
    with dial(address) as s:
        s.recv(64)
    assert until(lambda: path.read_text()) and path.stat().st_mode & 0o777 == 0o600
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ prod: .*2003 127\.0\.0\.1:\d+: connection refused", path.read_text())


def test_log_that_cannot_be_opened(broker, prod, forwards):
    prod()
    done = broker.run("forward", "prod", "--detach", "--log", "no/such/folder")
    assert done.code == 74 and done.errors.startswith(f"broker: --log {broker.home}/no/such/folder: No such file or directory\nhint: ")
    assert forwards.left() == []


def bait(broker, kind):
    """What another user may have put at the log's path, in a folder such as /tmp, and the file of ours that could be
    damaged."""
    folder, victim = broker.home / "sticky", broker.home / "victim"
    folder.mkdir()
    victim.write_text("mine\n")
    path = folder / "log"
    if kind == "symlink":
        path.symlink_to(victim)
    elif kind == "dangling symlink":
        path.symlink_to(broker.home / "new")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_text("")
    os.chown(path, stranger.UID, stranger.UID, follow_symlinks=False)
    folder.chmod(0o1777)
    return path, victim


@pytest.mark.parametrize("kind, message", [("symlink", "is a symbolic link, which is not followed"), ("fifo", "owned by another user"),
                                           ("dangling symlink", "is a symbolic link, which is not followed"), ("file", "owned by another user")])
def test_log_planted_by_another_user(broker, prod, forwards, kind, message):
    prod()
    path, victim = bait(broker, kind)
    with open(os.open(path, os.O_RDWR)) if kind == "fifo" else contextlib.nullcontext():
        done = broker.run("forward", "prod", "--detach", "--log", str(path))
    assert done.code == 74 and re.match(rf"broker: --log {path}: (?:{message}|Permission denied)\nhint: .", done.errors), done.errors
    assert forwards.left() == [] and victim.read_text() == "mine\n" and not (broker.home / "new").exists()


def test_log_that_becomes_a_link(broker, prod, forwards):
    """The keeper opens the log again for each line."""
    prod(port=free_port())
    address = forwards.detach("prod", "--log", "later.log")
    path, victim = broker.home / "later.log", broker.home / "victim"
    victim.write_text("mine\n")
    path.unlink(missing_ok=True)
    path.symlink_to(victim)
    with dial(address) as s:
        assert b"2003 " in s.recv(4096)
    assert victim.read_text() == "mine\n"


@pytest.mark.parametrize("path", ["/dev/null", "tty"])
def test_log_that_is_a_device(broker, prod, forwards, path):
    prod(port=free_port())
    ours, theirs = os.openpty()
    address = forwards.detach("prod", "--log", os.ttyname(theirs) if path == "tty" else path)
    with dial(address) as s:
        assert b"2003 " in s.recv(4096)
    if path == "tty":
        assert b"2003 " in os.read(ours, 4096)
    os.close(ours), os.close(theirs)


@pytest.mark.parametrize("keys", [
    {"auth": "iam"}, {"auth": "vault", "user": None, "vault_path": "x", "vault_addr": "vault"}, {"auth": "keychain", "user": None},
    {"auth": "helper", "auth_helper": "none"}, {"auth": "client"}, {"auth": "env", "auth_env": "NOT_SET"}])
def test_no_credential_is_read(broker, mariadb_server, forwards, keys):
    """The profile's credential need not even make sense, because the program that uses the forward logs in by
    itself."""
    keys = {"host": "127.0.0.1", "port": mariadb_server.port, "user": "app", "client": "/nonexistent", "tls": "disabled", **keys}
    if keys["auth"] in ("iam", "vault"):
        keys["tls"] = "verify-identity"
    broker.config("[profile prod]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v))
    assert b"MariaDB" in greeting(forwards.detach("prod"))


def test_errors_before_the_tunnel_is_opened(broker, forwards, taken):
    """What is certain to fail is an error before the tunnel is opened."""
    broker.script("tunnel", "touch ~/opened; exit 5")
    tunnel = f"[tunnel t]\ntype = command\ncommand = {broker.home}/bin/tunnel {{local_port}}\n"
    broker.config(f"[profile prod]\nhost = h\nvia = t\n{tunnel}")
    for args, code in ((["--listen", str(taken)], 69), (["--terminate-tls"], 64), (["--listen", "/tmp"], 64), (["--log", "/"], 74)):
        assert broker.run("forward", "prod", *args).code == code
    assert not (broker.home / "opened").exists()
    done = broker.run("forward", "prod")
    assert done.code == 69 and (broker.home / "opened").exists() and re.search("\nhint: .", done.errors)


def test_dry_run(broker, prod, forwards):
    """Asks, dials and opens nothing."""
    server = prod()
    done = broker.run("forward", "prod", "--dry-run")
    assert done.text.startswith(f"endpoint    127.0.0.1:{server.port}\nroute       direct\n")
    assert done.text.endswith("\naddress     127.0.0.1:0\n")
    assert (done.errors, done.code) == ("", 0) and forwards.left() == []
    done = broker.run("forward", "prod", "--dry-run", "--listen", "/tmp/x.sock")
    assert done.code == 64 and "tls = preferred" in done.errors
    done = broker.run("forward", "prod", "prod", "--dry-run", "--tls", "required", "--terminate-tls")
    assert done.text.count("\ntls         required, by the keeper\naddress     127.0.0.1:0\n") == 2 and "\n\n" in done.text


def start_waiting(broker, mariadb_server, forwards):
    """Starts `forward one far --detach`, which has opened one and waits for far. Returns the process, and the function
    that lets far's program continue."""
    go = broker.tmp / "go"
    broker.script("late", f"until [ -e {go} ]; do sleep 0.05; done; echo up; exec sleep 60")
    several(broker, mariadb_server)
    with broker.config_path.open("a") as f:
        f.write(f"[profile far]\nhost = db\nvia = t\nconnect_timeout = 60s\n[tunnel t]\ntype = command\n"
                f"command = {broker.home}/bin/late {{local_port}}\nready = up\n")
    proc = broker.start("forward", "one", "far", "--detach", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    forwards.started.append(proc)
    assert until(lambda: forwards.left() == ["one.sock"])
    return proc, go.touch


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_before_addresses_are_printed(broker, mariadb_server, forwards, sent):
    """Detached forwards stay only once their addresses have been printed, not before."""
    proc, _ = start_waiting(broker, mariadb_server, forwards)
    proc.send_signal(sent)
    assert proc.communicate(timeout=20)[0] == b"" and proc.returncode == -sent
    assert until(lambda: forwards.left() == [])


def test_one_stopped_before_addresses_are_printed(broker, mariadb_server, forwards):
    """As if it were stopped afterwards: no error, and the other one stays."""
    proc, go_on = start_waiting(broker, mariadb_server, forwards)
    assert broker.run("stop", "one").code == 0
    go_on()
    text, errors = proc.communicate(timeout=60)
    assert (len(text.splitlines()), errors, proc.returncode) == (2, b"", 0) and forwards.left() == ["far.sock"]


def test_one_killed_before_addresses_are_printed(broker, mariadb_server, forwards):
    proc, go_on = start_waiting(broker, mariadb_server, forwards)
    os.kill(forwards.one("one")["pid"], signal.SIGKILL)
    assert until(lambda: forwards.left() == [])
    go_on()
    errors = proc.communicate(timeout=60)[1]
    assert errors.startswith(b"broker: one: its keeper was killed\nhint: ") and proc.returncode == 69
    assert until(lambda: forwards.left() == [])


# A bastion

@pytest.fixture
def bastion(broker, mariadb_server, sshd, user_key, ssh_home):
    """[profile far], reached through a real sshd with a key that it accepts."""
    broker.config(f"[profile far]\nhost = 127.0.0.1\nport = {mariadb_server.port}\nuser = app\nvia = bastion\n{NOTHING}"
                  f"[tunnel bastion]\ntype = ssh\nhost = 127.0.0.1\nport = {sshd.port}\nuser = {sshd.user}\n"
                  f"identity = {user_key}\n")
    return ssh_home


def test_over_a_bastion(broker, mariadb_server, sshd, bastion, forwards, clients):
    (bastion / "known_hosts").write_text(sshd.known())
    address = forwards.detach("far")
    for client in clients.values():
        assert ask(client, mariadb_server, address) == "app@%"
    assert forwards.one("far")["endpoint"]["port"] == mariadb_server.port
    assert broker.run("stop", "far").code == 0


@pytest.mark.parametrize("args", [["--detach"], ["--no-input"], ["far", "--detach"]])
def test_detach_asks_nothing(broker, sshd, bastion, forwards, args):
    """Not even on a terminal: an unknown host key is an error at once."""
    tty = broker.pty("forward", "far", *args)
    assert tty.wait() == 79 and b"yes/no" not in tty.shown and b"hint: " in tty.shown and forwards.left() == []


def test_foreground_asks(broker, sshd, bastion, forwards):
    tty = broker.pty("forward", "far")
    tty.expect(b"Are you sure you want to continue connecting (yes/no/[fingerprint])? ")
    assert forwards.left() == []
    tty.sendline(b"yes")
    tty.expect(b"Ctrl-C ends it")
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT
