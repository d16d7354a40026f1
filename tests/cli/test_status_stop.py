# SPDX-License-Identifier: MIT
"""`broker status` and `broker stop`: listing forwards and their states, waiting for one, ending one; with keepers that
are slow, stopped or dead, and a runtime folder that others can access."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from lib.forwards import alive, dial, greeting, refused, until
from lib.keeping import keeper, stopped
from lib.keyring import Keyring
from servers import process

NONE = '{"forwards":[],"sessions":[]}\n'


@pytest.fixture
def broker(broker):
    """With a kernel keyring of its own, so that `status` does not list what other tests keep there."""
    try:
        keyring = Keyring()
    except process.Missing as missing:
        pytest.skip(f"missing: {missing}")
    run = broker.run
    broker.run = lambda *args, wrap=(), **more: run(*args, wrap=[*(keyring.wrap if args[0] == "status" else ()), *wrap], **more)
    broker.config("".join(f"[profile {name}]\nhost = 127.0.0.1\nport = 1\n" for name in ("one", "two", "three")))
    yield broker
    keyring.stop()


@pytest.fixture
def server(broker):
    """A server that accepts connections, sends nothing, and closes when the client does; the profile `quiet`."""
    def serve(listener):
        try:
            while True:
                threading.Thread(target=hear, args=[listener.accept()[0]], daemon=True).start()
        except OSError:
            pass

    def hear(s):
        with s:
            while s.recv(1024):
                pass
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with broker.config_path.open("a") as f:
            f.write(f"[profile quiet]\nhost = 127.0.0.1\nport = {listener.getsockname()[1]}\n")
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        yield listener
        listener.shutdown(socket.SHUT_RDWR)


def said(done):
    return done.text, done.errors, done.code


def no_forward(name):
    return "", f"broker: {name}: no forward\nhint: broker forward {name} --detach\n", 69


# status

def test_nothing_is_running(broker):
    assert said(broker.run("status")) == ("", "", 0) and said(broker.run("status", "--json")) == (NONE, "", 0)
    for args in (["one"], ["one", "--json"], ["nobody"]):
        assert said(broker.run("status", *args)) == no_forward(args[0])
    assert said(broker.run("status", "db:3306")) == ("", "broker: db:3306: no forward\nhint: broker status lists those that are running\n", 69)


def test_table(broker, forwards, server):
    quiet, one = forwards.detach("quiet"), forwards.detach("one", "--listen", "[::1]:0")

    def rows():
        done = broker.run("status")
        assert (done.errors, done.code) == ("", 0)
        return re.sub(r"up (\d+m?s)( *)", lambda m: "up T" + " " * (len(m[0]) - 4), done.text).splitlines()
    shown = rows()
    assert re.fullmatch(r"KIND     NAME   LIFE +DETAIL", shown[0])
    assert re.fullmatch(rf"forward  one    up T +{re.escape(one)}, 0 connections", shown[1])
    assert re.fullmatch(rf"forward  quiet  up T +{re.escape(quiet)}, 0 connections", shown[2]) and len(shown) == 3
    with dial(quiet), dial(quiet) as second:
        assert until(lambda: rows()[2].endswith(", 2 connections"))
        second.close()
        assert until(lambda: rows()[2].endswith(", 1 connection"))
    assert until(lambda: rows()[2].endswith(", 0 connections"))
    only = broker.run("status", "quiet").text.splitlines()
    assert len(only) == 2 and only[0].split() == shown[0].split() and only[1].split()[1] == "quiet"


def test_json(broker, forwards, server):
    address = forwards.detach("quiet")
    done = broker.run("status", "--json")
    whole = json.loads(done.text)
    assert done.text.count("\n") == 1 and list(whole) == ["forwards", "sessions"] and whole["sessions"] == []
    found, = whole["forwards"]
    assert list(found) == ["profile", "host", "port", "socket", "user", "password", "endpoint", "pid", "state", "connections", "started_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found.pop("started_at")) and alive(found.pop("pid"))
    host, port = address.split(":")
    assert found == {"profile": "quiet", "host": host, "port": int(port), "socket": None, "user": None, "password": None, "state": "up", "connections": 0,
                     "endpoint": {"host": "127.0.0.1", "port": server.getsockname()[1], "socket": None}}
    assert json.loads(broker.run("status", "quiet", "--json").text)["forwards"][0]["profile"] == "quiet"


def test_lost_tunnel(broker, forwards):
    """If the tunnel's program dies, the state is `lost`, and the next connection starts the program again."""
    broker.script("tunnel", '#!/usr/bin/python3\nimport os, socket, sys\nlistener = socket.create_server(("127.0.0.1", int(sys.argv[1])))\n'
                  'open(os.environ["HOME"] + "/tunnel.pid", "w").write(str(os.getpid()))\nwhile True:\n'
                  '    c, _ = listener.accept()\n    c.sendall(b"hello")\n')
    with broker.config_path.open("a") as f:
        f.write("[profile far]\nhost = db\nvia = t\n[tunnel t]\ntype = command\ncommand = ~/bin/tunnel {local_port}\n")
    broker.config(broker.config_path.read_text().replace("~/bin", f"{broker.home}/bin"))
    address = forwards.detach("far")
    assert greeting(address) == b"hello" and forwards.one("far")["state"] == "up"
    os.kill(int((broker.home / "tunnel.pid").read_text()), signal.SIGKILL)
    assert until(lambda: forwards.one("far")["state"] == "lost")
    row = broker.run("status", "far").text.splitlines()[1]
    assert re.fullmatch(rf"forward +far +lost +{address}, \d connections?", row)
    assert until(lambda: hello(address)) and forwards.one("far")["state"] == "up"


def hello(address):
    try:
        return greeting(address) == b"hello"
    except OSError:
        return False


# --wait

def test_wait(broker, forwards):
    later = threading.Timer(0.4, lambda: forwards.detach("one"))
    later.start()
    done = broker.run("status", "one", "--wait", "--json")
    later.join()
    assert done.code == 0 and json.loads(done.text)["forwards"][0]["profile"] == "one"
    assert broker.run("status", "one", "--wait", "--timeout", "20s").code == 0


def test_wait_times_out(broker):
    assert said(broker.run("status", "one", "--wait", "--timeout", "300ms")) == no_forward("one")
    for args in (["--wait"], ["--wait", "--json"]):
        assert said(broker.run("status", *args)) == (
            "", "broker: status: --wait: no forward given\nhint: broker status NAME --wait\n", 64)


def test_wait_is_shown_and_interrupted(broker):
    tty = broker.pty("status", "one", "--wait", "--timeout", "60s")
    tty.expect(r"waiting for the forward one \(\ds of 60s\)")
    tty.interrupt()
    assert tty.wait() == -signal.SIGINT and tty.shown.endswith(b"\r\x1b[K")


def test_forward_is_not_listed_before_its_tunnel_is_up(broker, forwards):
    """Neither status nor --wait finds a forward before it can be used."""
    broker.script("slow", '#!/usr/bin/python3\nimport os, socket, sys, time\nwhile not os.path.exists(os.environ["HOME"] + "/go"):\n'
                  '    time.sleep(0.01)\nlistener = socket.create_server(("127.0.0.1", int(sys.argv[1])))\ntime.sleep(60)\n')
    with broker.config_path.open("a") as f:
        f.write(f"[profile far]\nhost = db\nvia = t\n[tunnel t]\ntype = command\ncommand = {broker.home}/bin/slow {{local_port}}\n")
    opening = broker.start("forward", "far", "--detach", stdout=subprocess.PIPE)
    waiting = broker.start("status", "far", "--wait", "--json", stdout=subprocess.PIPE)
    assert said(broker.run("status", "far", "--wait", "--timeout", "500ms")) == no_forward("far")
    assert said(broker.run("stop", "far")) == ("", "no forward 'far' is running\n", 0) and opening.poll() is None and waiting.poll() is None
    (broker.home / "go").touch()
    assert re.fullmatch(rb"127\.0\.0\.1:\d+\n", opening.communicate(timeout=20)[0])
    assert json.loads(waiting.communicate(timeout=20)[0])["forwards"][0]["state"] == "up"


# stop

def test_stop(broker, forwards):
    address = forwards.detach("one")
    pid = forwards.one("one")["pid"]
    assert said(broker.run("stop", "one")) == ("", "", 0)
    assert refused(address, 0.1) and forwards.left() == [] and until(lambda: not alive(pid))
    for _ in range(2):
        assert said(broker.run("stop", "one")) == ("", "no forward 'one' is running\n", 0)
    assert said(broker.run("stop", "never-heard-of", "-q")) == ("", "", 0)


def test_stop_all(broker, forwards):
    addresses = [forwards.detach(name) for name in ("one", "two", "three")]
    assert said(broker.run("stop", "--all")) == ("", "", 0)
    assert all(refused(a, 0.1) for a in addresses) and forwards.left() == []
    assert said(broker.run("stop", "--all")) == ("", "", 0)


def test_stop_without_a_name(broker, forwards):
    assert said(broker.run("stop")) == ("", "broker: stop: which forward?\nhint: broker stop NAME, or broker stop --all\n", 64)
    forwards.detach("two")
    forwards.detach("one")
    assert said(broker.run("stop")) == (
        "", "broker: stop: which forward?\n  one two\nhint: broker stop NAME, or broker stop --all\n", 64)
    assert said(broker.run("stop", "one", "--all")) == ("", "broker: stop: --all goes without a name\nhint: broker stop --all\n", 64)
    assert len(forwards.status()) == 2


def test_stop_waits_for_connections(broker, forwards, server):
    """It waits for the connections that --drain lets continue, no longer than --timeout."""
    with dial(forwards.detach("quiet", "--drain", "1h")) as s:
        assert until(lambda: forwards.one("quiet")["connections"] == 1)
        done = broker.run("stop", "quiet", "--timeout", "2s")
        assert done.code == 69 and re.fullmatch(r"broker: quiet: still has connections\nhint: wait, or kill -9 \d+\n", done.errors)
        assert said(broker.run("status", "quiet")) == no_forward("quiet")
        s.sendall(b"still here")
        pid = int(done.errors.split()[-1])
        assert alive(pid)
    assert until(lambda: not alive(pid))


def test_wait_of_stop_is_shown(broker, forwards, server):
    with dial(forwards.detach("quiet", "--drain", "1h")):
        assert until(lambda: forwards.one("quiet")["connections"] == 1)
        tty = broker.pty("stop", "quiet")
        tty.expect(r"waiting for the connections of quiet \(\ds\)")
        tty.interrupt()
        assert tty.wait() == -signal.SIGINT


# Keepers that hang or were killed

def test_keeper_killed_with_its_guard(broker, forwards):
    """A control socket that no process serves is ignored, and is removed."""
    for how in (["status", "one"], ["stop", "one"], ["status"], ["forward", "one", "--detach"]):
        forwards.detach("one")
        keeper = forwards.one("one")["pid"]
        with open(f"/proc/{keeper}/stat") as f:
            guard = int(f.read().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGSTOP)  # or it would detect the guard's end and clean up
        os.kill(guard, signal.SIGKILL)
        os.kill(keeper, signal.SIGKILL)
        assert until(lambda: not alive(keeper)) and forwards.left() == ["one.sock"]
        done = broker.run(*how)
        assert done.code == (69 if how == ["status", "one"] else 0)
        assert forwards.left() == (["one.sock"] if how[0] == "forward" else [])
    assert len(forwards.status()) == 1


def test_guard_spares_a_later_forward_of_the_same_name(broker, forwards):
    """A slow guard removes what its own keeper had made, and not what a later forward of the same name has made,
    although a file system may give that the same inode."""
    broker.script("tunnel", "#!/usr/bin/python3\nimport os, signal, socket, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                  'listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))\nwhile True:\n    signal.pause()\n')
    with broker.config_path.open("a") as f:
        f.write(f"[profile far]\nhost = db\nvia = t\n[tunnel t]\ntype = command\ncommand = {broker.home}/bin/tunnel {{local_port}}\n")
    forwards.detach("far")
    guard, pid = keeper()
    with stopped(guard):
        os.kill(pid, signal.SIGKILL)
        address = forwards.detach("far")
    assert until(lambda: not alive(guard))
    assert forwards.left() == ["far.sock"] and not refused(address, 0.1) and forwards.one("far")["state"] == "up"


def test_keeper_that_hangs(broker, forwards):
    """It is reported with its pid, and the other forwards are still listed."""
    forwards.detach("one")
    two = forwards.detach("two")
    pid = forwards.one("one")["pid"]
    os.kill(pid, signal.SIGSTOP)
    wanted = f"broker: one: its keeper (pid {pid}) does not answer\nhint: kill -9 {pid}\n"
    done = broker.run("status")
    assert (done.errors, done.code) == (wanted, 69) and len(done.text.splitlines()) == 2 and two in done.text
    assert said(broker.run("stop", "one", "--timeout", "200ms")) == ("", wanted, 69)
    assert said(broker.run("stop", "--all")) == ("", wanted, 69) and refused(two, 0.1)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: forwards.left() == []) and said(broker.run("status")) == ("", "", 0)


# The runtime folder, and other users

def test_folder_open_to_others(broker, forwards):
    forwards.detach("one")
    forwards.folder.chmod(0o750)
    wanted = f"broker: {forwards.folder}: other users have access\nhint: chmod 700 {forwards.folder}\n"
    for args in (["status"], ["status", "one"], ["stop", "one"], ["forward", "one", "--detach"]):
        assert said(broker.run(*args)) == ("", wanted, 78)
    forwards.folder.chmod(0o700)


def test_folder_on_a_full_disk(broker, forwards):
    """The error does not blame another user for the folder."""
    full = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o nr_inodes=2,mode=700 none {broker.runtime} && exec "$0" "$@"']
    done = broker.run("forward", "one", "--detach", wrap=full)
    if "unshare" in done.errors:
        pytest.skip("missing: a mount namespace")
    assert done.errors == (f"broker: {forwards.folder}: No space left on device\n"
                           "hint: check that the path exists and is yours, and that the disk is not full\n")
    assert done.code == 74


def test_folder_that_was_emptied(broker, forwards):
    """As at a logout, which a detached forward survives: it is found again, and leaves nothing when it is killed."""
    forwards.detach("one")
    pid = forwards.one("one")["pid"]
    shutil.rmtree(forwards.folder.parent.rename(broker.tmp / "gone"))  # at once: the keeper may look at any moment
    assert until(lambda: [f["pid"] for f in forwards.status()] == [pid], 60)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: forwards.left() == [])


@pytest.mark.parametrize("what", ["link", "file", "foreign"])
def test_folder_that_is_not_ours(broker, forwards, what):
    forwards.folder.parent.mkdir(mode=0o700)
    if what == "link":
        (broker.runtime / "elsewhere").mkdir(mode=0o700)
        forwards.folder.symlink_to(broker.runtime / "elsewhere")
    elif what == "file":
        forwards.folder.touch()
    elif os.geteuid() != 0:
        pytest.skip("missing: root")
    else:
        forwards.folder.mkdir(mode=0o700)
        os.chown(forwards.folder, 12345, 12345)
    done = broker.run("forward", "one", "--detach")
    assert done.code == 78 and done.errors.startswith(f"broker: {forwards.folder}: not a folder that you own\nhint: ")
    assert not (broker.runtime / "elsewhere").exists() or not list((broker.runtime / "elsewhere").iterdir())
    if what == "file":
        forwards.folder.unlink()


def test_socket_of_another_user(broker, forwards):
    """A socket that another user serves is neither queried nor trusted."""
    if os.geteuid() != 0:
        pytest.skip("missing: root")
    forwards.folder.mkdir(parents=True, mode=0o700)
    forwards.folder.parent.chmod(0o700)
    path = forwards.folder / "one.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        child = os.fork()
        if child == 0:
            os.setuid(12345)
            listener.listen()
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        done = broker.run("status", "one")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert done.code == 78 and done.errors.startswith(f"broker: {path}: served by another user\nhint: ")
        os.chown(path, 12345, 12345)
        done = broker.run("forward", "one", "--detach")
        assert done.code == 78 and done.errors.startswith(f"broker: {path}: not a socket that you own\nhint: ")
    path.unlink()


def test_only_our_user_can_open_the_control_socket(broker, forwards):
    forwards.detach("one")
    modes = [p.stat().st_mode & 0o777 for p in (forwards.folder.parent, forwards.folder, forwards.folder / "one.sock")]
    assert modes == [0o700, 0o700, 0o600]


def test_long_runtime_folder(broker, forwards):
    """A name that makes the path too long is hashed; a folder that leaves no room at all is an error that says so."""
    folder = broker.folder / ("r" * (100 - len(str(broker.folder)) - len("/broker/forward/")))
    folder.mkdir(mode=0o700)
    broker.env["XDG_RUNTIME_DIR"] = str(folder)
    done = broker.run("forward", "one", "--detach")
    assert done.code == 78 and "too long for a unix socket, which may have 103 bytes\nhint: set XDG_RUNTIME_DIR" in done.errors
    short = broker.folder / ("r" * (75 - len(str(broker.folder)) - len("/broker/forward/")))
    short.mkdir(mode=0o700)
    broker.env["XDG_RUNTIME_DIR"] = str(short)
    name = "x" * 60
    with broker.config_path.open("a") as f:
        f.write(f"[profile {name}]\nhost = 127.0.0.1\nport = 1\n")
    address = forwards.detach(name)
    file, = (short / "broker" / "forward").iterdir()
    assert re.fullmatch(r"\+[0-9a-f]{16}\.sock", file.name)
    assert forwards.status()[0]["profile"] == name and broker.run("forward", name, "--detach").text == address + "\n"
    assert broker.run("stop", name).code == 0 and not file.exists()
