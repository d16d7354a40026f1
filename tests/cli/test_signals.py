# SPDX-License-Identifier: MIT
"""Signals and waits before broker becomes the client: at a question, and while it waits for a program or a lock.

Ctrl-C ends broker within 100 ms (the tests allow more), by the signal, without output and with the terminal's modes
restored; so do TERM, HUP and QUIT. Ctrl-Z stops it with echo on. On a terminal, a wait of over a second is shown."""
import json
import os
import re
import signal
import subprocess
import termios
import time

import pytest

PROMPT = b"password for app@h:3306: "
CONFIG = "[profile p]\nhost = h\nuser = app\ntls = preferred\nclient = mariadb\n"
ASKING = CONFIG + "auth = prompt\n"
AT_ONCE = 0.5  # seconds; broker has no timed wait that is shorter
ERASE = b"\r\x1b[K"


def with_command(broker, script, *more):
    """Writes the profile p, whose password SCRIPT prints, and a client that prints when it runs; returns the script's
    path."""
    path = broker.script("give", script)
    broker.script("mariadb", "echo client ran")
    broker.config(CONFIG + "auth = command\nauth_command = give\n" + "".join(f"{line}\n" for line in more))
    return path


def asking(broker, *args):
    """Starts broker, and waits for its question, with echo off."""
    broker.script("mariadb", "echo client ran")
    broker.config(ASKING)
    terminal = broker.pty("connect", "p", *args, stdout="pipe", stderr="pipe")
    terminal.expect(PROMPT)
    assert not terminal.echo
    return terminal


def seconds_to_end(terminal):
    start = time.monotonic()
    terminal.proc.wait(10)
    return time.monotonic() - start


def modes(terminal):
    return termios.tcgetattr(terminal.slave)


def until(condition, seconds=20):
    """Poll a condition until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


# At a question

def test_ctrl_c_at_a_question(broker):
    """The fastest of three attempts counts, because the machine may be busy."""
    took = []
    for _ in range(3):
        terminal = asking(broker)
        terminal.send(b"half a secr")
        terminal.interrupt()
        took.append(seconds_to_end(terminal))
        assert terminal.wait() == -signal.SIGINT and terminal.echo
        assert (terminal.out, terminal.err) == (b"", b"") and b"half" not in terminal.shown
    assert min(took) < AT_ONCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_signals_at_a_question(broker, number):
    terminal = asking(broker)
    before = [flag | termios.ECHO if i == 3 else flag for i, flag in enumerate(modes(terminal))]
    os.kill(terminal.pid, number)
    assert terminal.wait() == -number and modes(terminal) == before
    assert (terminal.out, terminal.err) == (b"", b"")


def test_the_terminal_is_closed_at_a_question(broker):
    terminal = asking(broker)
    terminal.hang_up()
    assert terminal.wait() == -signal.SIGHUP


def test_ctrl_z_and_fg_at_a_question(broker):
    """After Ctrl-Z the shell has the terminal with echo on. After fg, broker turns echo off, asks again, and accepts
    the answer."""
    broker.script("mariadb", "echo client ran")
    broker.config(ASKING)
    shell = 'broker() { "$@"; }; "$@"; echo stopped $?; read line; fg >/dev/null; echo ended $?'
    terminal = broker.pty("connect", "p", wrap=["bash", "-mc", shell, "x"])
    terminal.expect(PROMPT)
    until(lambda: not terminal.echo)
    terminal.send(b"\x1a")
    terminal.expect(b"stopped 148")
    assert terminal.echo
    terminal.sendline(b"shown")
    terminal.expect(b"shown")
    terminal.expect(PROMPT)
    until(lambda: not terminal.echo)
    terminal.sendline(broker.secret(b"fake-canary"))
    terminal.expect(b"client ran")
    terminal.expect(b"ended 0")
    assert terminal.wait() == 0 and terminal.echo


def test_ignored_signals_stay_ignored(broker):
    """As under nohup: broker's parent ignores SIGHUP on purpose."""
    broker.script("mariadb", "echo client ran")
    broker.config(ASKING)
    terminal = broker.pty("connect", "p", wrap=["sh", "-c", 'trap "" HUP; exec "$@"', "sh"])
    terminal.expect(PROMPT)
    os.kill(terminal.pid, signal.SIGHUP)
    terminal.sendline(b"x")
    terminal.expect(b"client ran")
    assert terminal.wait() == 0


def test_end_of_file_at_a_question(broker):
    terminal = asking(broker)
    terminal.send(b"\x04")
    assert terminal.wait() == 79 and terminal.echo
    assert terminal.err.startswith(b"broker: p: cancelled\nhint: ")


# While broker waits

def test_ctrl_c_while_a_program_gives_the_password(broker):
    took = []
    for _ in range(3):
        with_command(broker, "echo started >/dev/tty; exec sleep 33.5")
        terminal = broker.pty("connect", "p", stdout="pipe", stderr="pipe")
        terminal.expect(b"started")
        terminal.interrupt()
        took.append(seconds_to_end(terminal))
        assert terminal.wait() == -signal.SIGINT and (terminal.out, terminal.err) == (b"", b"")
    assert min(took) < AT_ONCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_program_that_gives_the_password_ends_with_broker(broker, number):
    """Even if only broker gets the signal, as from timeout(1)."""
    with_command(broker, "touch started; exec sleep 34.5")
    with broker.start("token", "p", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as proc:
        until((broker.home / "started").exists)
        os.kill(proc.pid, number)
        assert proc.wait(20) == -number
        assert proc.stdout.read() + proc.stderr.read() == b""


def test_failure_is_noticed_if_sigchld_is_ignored(broker):
    """If SIGCHLD is ignored, the kernel discards exit statuses; the output of a failed program must not become the
    password."""
    with_command(broker, "echo fake-canary; exit 3")
    done = broker.run("token", "p", wrap=["perl", "-e", '$SIG{CHLD} = "IGNORE"; exec @ARGV'])
    assert (done.code, done.out) == (77, b"") and done.errors.splitlines()[0].endswith("give: exit status 3")


def test_ctrl_c_while_another_broker_fetches(broker):
    """The second broker waits for the first one's result; Ctrl-C ends it, and its message about the wait is erased."""
    credential = json.dumps({"password": "fake-canary", "expires_at": int(time.time()) + 9})
    with_command(broker, f"[ -e first ] && echo second; touch first; until [ -e go ]; do sleep 0.02; done; echo '{credential}'")
    with broker.start("token", "p", stdout=subprocess.PIPE) as first:
        until((broker.home / "first").exists)
        terminal = broker.pty("token", "p", stderr="tty", stdout="pipe")
        terminal.expect(r"waiting for another broker process that fetches the same credential \(\ds of 1(?:19|20)s\)")
        terminal.interrupt()
        assert seconds_to_end(terminal) < 10 * AT_ONCE
        assert terminal.wait() == -signal.SIGINT and terminal.out == b"" and terminal.shown.endswith(ERASE)
        broker.write("go", "")
        assert first.communicate(timeout=10)[0] == b"fake-canary\n"


def test_ctrl_c_while_the_server_is_silent(broker, clients, fake_server):
    """`test` runs the client as a child, which ends, too."""
    silent = fake_server("silent")
    broker.config(f"[profile p]\nhost = 127.0.0.1\nport = {silent.port}\nuser = u\nauth = none\nclient = {clients['mariadb1011'].path}\n")
    terminal = broker.pty("test", "p", stdout="pipe")
    until(lambda: silent.connections)
    terminal.interrupt()
    assert seconds_to_end(terminal) < 10 * AT_ONCE
    assert terminal.wait() == -signal.SIGINT and terminal.shown in (b"", b"^C")


def test_a_wait_is_shown(broker):
    """After a second, with a count of the seconds, and erased before the client starts; once, as a plain line, on a
    dumb terminal; not in a pipe."""
    path = with_command(broker, "sleep 2.6; echo fake-canary")
    kinds = {"counting": {}, "dumb": {"env": {"TERM": "dumb"}}, "piped": {"stderr": "pipe"}, "quiet": {"stdout": "pipe"}}
    # Each run has a command of its own, as with the same command the second run would wait for the first.
    running = {name: broker.pty("connect", "p", "-o", f"auth_command=give {name}", **options) for name, options in kinds.items()}
    shown = {}
    for name, terminal in running.items():
        assert terminal.wait() == 0
        shown[name] = re.sub(rb"(" + re.escape(ERASE) + rb"waiting for \S+ \(\ds of 1(?:19|20)s\))+", b"COUNTED", terminal.shown)
    line = b"waiting for " + str(path).encode()
    assert shown == {"counting": b"COUNTED" + ERASE + b"client ran\r\n", "dumb": line + b"\r\nclient ran\r\n",
                     "piped": b"client ran\r\n", "quiet": b"COUNTED" + ERASE}
    assert line + b" (" in running["counting"].shown
    assert running["piped"].err == b"" and running["quiet"].out == b"client ran\n"


def test_a_wait_ends_by_its_deadline(broker):
    path = with_command(broker, "exec sleep 35.5", "login_timeout = 1s")
    done = broker.run("connect", "p")
    assert (done.code, done.out) == (69, b"")
    assert done.errors.splitlines()[0] == f"broker: p: auth_command: {path} did not end in time"
