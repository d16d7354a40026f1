# SPDX-License-Identifier: MIT
"""A tunnel of type `command` as users write it: the recipe for AWS Session Manager, with a fake of `aws` that really
forwards (servers/aws_ssm_fake.py), and that is late, is never ready, dies, prints that it is ready, or ignores
SIGTERM."""
import json
import subprocess
import time

import pytest

from lib.forwards import until
from lib.keeping import gone
from lib.logins import QUERY, logged_in, profile
from lib.ways import SSM
from servers import process
from servers.aws_ssm_fake import READY
from servers.pki import RIGHT_NAME

HAND = "hint: run the tunnel's command by hand: it must stay in the foreground\n"


@pytest.fixture
def far(broker, names, ssm, mariadb_server, clients):
    """broker.say(...) writes the profile `p` and its tunnel `far`, with more lines for the tunnel and more keys for the
    profile."""
    def say(*lines, command=None, **keys):
        tunnel = f"[tunnel far]\ntype = command\ncommand = {command}\n" if command else SSM
        broker.config(profile(host=RIGHT_NAME, port=mariadb_server.port, user="app", auth="env", auth_env="TEST_SECRET", via="far",
                              tls_ca=mariadb_server.ca, client=clients["mariadb1011"].path, **keys)
                      + tunnel + "".join(f"{line}\n" for line in lines))
    broker.env["TEST_SECRET"] = broker.secret(mariadb_server.password("app")).decode()
    broker.say = say
    say()
    return broker


def ask(broker, *args, query=QUERY, **options):
    return broker.run("connect", "p", *args, "--", "-NBe", query, **options)


def failed(done, why, *details, hint=HAND):
    """Asserts status 69, and an error with the reason, each detail indented, and the hint."""
    expected = f"broker: p: {why}\n" + "".join(f"  {line}\n" for line in details) + hint
    assert (done.code, done.out, done.errors) == (69, b"", expected)


@pytest.mark.parametrize("lines, told", [
    ((), {}), ((), {"delay": 0.4}), ((), {"quiet": True}), (("ready = Waiting for connections",), {}),
    (("ready = Waiting for connections",), {"quiet": True}), (("ready = SessionId",), {}),
    (("ready = Waiting for connections",), {"early": True, "delay": 0.4}),
])
def test_is_ready(far, ssm, lines, told):
    """The tunnel is ready once the program listens, or has printed the text of `ready`."""
    far.say(*lines)
    ssm.tell(**told)
    assert logged_in(ask(far)).version == "TLSv1.3" and gone(far) and len(ssm.pids) == 2


def test_ready_too_early(far, ssm):
    """The program prints that it is ready, but does not listen: the connection is refused, with MySQL's error
    number."""
    far.say(f"ready = {READY}")
    ssm.tell(early=True, delay=30)
    done = ask(far)
    assert done.code in (1, 69) and "2003 " in done.errors and "connection refused" in done.errors
    assert gone(far)


def test_wait_is_shown(far, ssm):
    ssm.tell(until=str(far.home / "go"))
    terminal = far.pty("connect", "p", "--", "-NBe", QUERY, stdout="pipe")
    terminal.expect(b"waiting for ")
    (far.home / "go").touch()
    assert terminal.wait() == 0 and b"aws" in terminal.shown.partition(b"waiting for ")[2].partition(b"(")[0]
    assert gone(far)


def test_never_ready(far, ssm):
    far.say("connect_timeout = 1s")
    ssm.tell(listen=False)
    done = ask(far)
    first, *details, hint = done.errors.splitlines()
    assert (done.code, first) == (69, "broker: p: aws: not ready within 1s")
    assert details == [] and hint.startswith("hint: it must listen at 127.0.0.1:") and gone(far)


def test_whole_run_has_a_deadline(far, ssm):
    """It is shorter than the deadline of the route, which would be too long for this test."""
    far.say("connect_timeout = 10m")
    ssm.tell(listen=False)
    assert ask(far, "--timeout", "1s").code == 69 and gone(far)


def test_dies(far, ssm):
    """The error has the program's own message."""
    said = "An error occurred (TargetNotConnected): i-0123 is not connected."
    ssm.tell(die=said)
    failed(ask(far), "aws: exit status 254 before it was ready", said)
    ssm.tell(die="one\n\x1b[31mtwo\u202e")
    done = ask(far)
    assert done.code == 69 and "\n  one\n" in done.errors and "\x1b" not in done.errors and "\u202e" not in done.errors
    assert gone(far)


def test_dies_later(far, ssm):
    """The program dies after it has listened: the client gets an error."""
    ssm.tell(die_later="session lost")
    done = ask(far)
    assert done.code in (1, 69) and done.errors and not done.out and gone(far)


def test_started_again_by_the_next_connection(far, ssm, forwards):
    """A program that was killed is started again, for the same forward."""
    done = far.run("forward", "p", "--detach")
    host, _, port = done.text.strip().rpartition(":")
    for n in (2, 4):
        assert far.run("connect", "--host", host, "--port", port, "--user", "app", "--auth", "env", "-o", "auth_env=TEST_SECRET",
                       "--tls", "preferred", "--client", "mariadb", "--", "-NBe", "select 1").text == "1\n"
        assert len(ssm.pids) == n
        subprocess.run(["kill", "-9", *map(str, ssm.pids)], capture_output=True)  # some have ended already
        assert until(lambda: forwards.one("p")["state"] == "lost")
        time.sleep(0.6)  # the first pause between two starts
    assert far.run("stop", "p").code == 0 and gone(far, port)


def test_program_that_ignores_sigterm(far, ssm):
    """SIGTERM, and SIGKILL two seconds later, to all processes that the program has started."""
    ssm.tell(ignore_term=True)
    assert logged_in(ask(far)) and gone(far)


def test_three_at_once(far, ssm):
    """Each run has a port and a program of its own."""
    running = [far.start("connect", "p", "--", "-NBe", "select sleep(0.5), connection_id()", stdout=subprocess.PIPE) for _ in range(3)]
    answers = [proc.communicate(timeout=20)[0] for proc in running]
    assert len(set(answers)) == 3 and all(a.startswith(b"0\t") for a in answers) and len(ssm.pids) == 6 and gone(far)


LISTENS = r"""#!/usr/bin/python3 -IS
import json, os, socket, sys, threading
place, host, port = sys.argv[1:4]
with open(os.environ["HOME"] + "/words", "w") as f:
    json.dump(sys.argv[1:], f)
if place.startswith("/"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()
else:
    listener = socket.create_server(("127.0.0.1", int(place)))
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
while True:
    a = listener.accept()[0]
    b = socket.create_connection((host, int(port)))
    for pair in ((a, b), (b, a)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""


@pytest.mark.parametrize("words, lines", [("{socket} {host} {port}", ()), ("{local_port} {host} {port}", ()),
                                          ("PORT {host} {port}", ("address = 127.0.0.1:PORT",)),
                                          ("'{socket}' \"{host}\" {port} '{other}' '{'", ())])
def test_placeholders(far, words, lines):
    port = str(process.free_port())
    far.script("listens", LISTENS)
    far.say(*(line.replace("PORT", port) for line in lines), command="listens " + words.replace("PORT", port))
    assert logged_in(ask(far)).version == "TLSv1.3"
    given = json.loads((far.home / "words").read_text())
    assert len(given) == len(words.split())
    assert given[1] == RIGHT_NAME and given[2].isdigit() and given[3:] == ["{other}", "{"][:len(given) - 3]
    assert gone(far)


@pytest.mark.parametrize("command, code, words", [
    ("nowhere {local_port}", 78, "broker: p: command: nowhere: no such program\n"),
    ("true", 78, "[tunnel far] has no address\n"),
    ("true {local_port}", 69, "broker: p: true: exit status 0 before it was ready\n"),
    ("kill-me {local_port}", 69, "broker: p: kill-me: killed by SIGKILL before it was ready\n"),
])
def test_refused(far, command, code, words):
    far.script("kill-me", "kill -9 $$")
    far.say(command=command)
    done = ask(far)
    assert (done.code, done.out) == (code, b"") and words in done.errors and "\nhint: " in done.errors, done.errors


def test_its_environment(far, ssm):
    """The program gets the user's environment."""
    far.script("noting", 'echo "$MINE" >$HOME/mine; exec "$@"')
    far.say(command="noting " + SSM.partition("command = ")[2].strip())
    assert logged_in(ask(far, env={"MINE": "kept"})) and (far.home / "mine").read_text() == "kept\n"


def test_its_stdin_and_terminal_are_not_ours(far):
    """The program only gets what is typed once it has asked: test_ssh_terminal.py."""
    far.script("nosy", "cat <&0 >$HOME/got; timeout --foreground 1 cat </dev/tty >>$HOME/got; exit 5")
    far.say(command="nosy {local_port}")
    terminal = far.pty("connect", "p")
    terminal.sendline(b"for the client")
    assert terminal.wait() == 69 and (far.home / "got").read_bytes() == b"" and gone(far)


def test_whatever_it_prints_does_not_block_it(far, ssm):
    """Megabytes on both streams are read and discarded, except for the last lines."""
    far.script("chatty", "head -c 4000000 /dev/zero | tr '\\0' x; head -c 4000000 /dev/zero | tr '\\0' '\\n' >&2; exec \"$@\"")
    far.say(command="chatty " + SSM.partition("command = ")[2].strip())
    assert logged_in(ask(far)) and gone(far)


def test_test_names_the_hop(far, ssm):
    done = far.run("test", "p")
    assert done.code == 0
    rows = [line.split(None, 3) for line in done.text.splitlines()]
    assert [row[:2] for row in rows if row[0] in ("route", "server")] == [["route", "ok"], ["server", "ok"]]
    assert next(row[3] for row in rows if row[0] == "route").startswith("command aws")
    ssm.tell(die="no")
    done = far.run("test", "p")
    assert done.code == 69 and "aws: exit status 254 before it was ready" in done.text.splitlines()[-1]
    assert until(lambda: gone(far))
