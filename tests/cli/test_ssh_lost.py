# SPDX-License-Identifier: MIT
"""A forward whose SSH session is lost: the next connection opens a new session with the credentials in the keeper's
memory, and never prompts; if that is impossible, the error says so. Nothing is left of a keeper or an ssh that is
killed."""
import os
import signal

import pytest

from lib.forwards import alive, dial, greeting, until
from lib.keeping import gone, named, stopped
from test_ssh_words import Route, keychain_set, password  # noqa: F401


@pytest.fixture
def route(broker, mysql_server, clients, ssh_home, forwards):
    yield Route(broker, mysql_server, clients["mysql9"], ssh_home)


@pytest.fixture
def lost(route, start_sshd, user_key, forwards):
    """lost(engine): (the forward, its sshd, its address)."""
    def start(engine, **keys):
        sshd = start_sshd()
        sshd.authorize(user_key)
        route.config(sshd, engine, identity=user_key, **keys)
        forward = forwards.start("p")
        assert greeting(forward.address)[4] == 10
        return forward, sshd, forward.address
    return start


def error_text(address):
    """The text of the ERR packet that a client gets instead of a greeting."""
    packet = greeting(address, 30)
    assert packet[4] == 0xff, packet
    return packet[7:].decode()


def masters():
    return named("/usr/bin/ssh")


def is_greeted(address):
    packet = greeting(address, 30)
    assert packet[4] in (10, 255), packet
    return packet[4] == 10 or print(packet)


def test_session_dropped(lost, forwards, engine):
    forward, sshd, address = lost(engine)
    sshd.drop()
    assert until(lambda: forwards.one("p")["state"] == "lost")
    assert is_greeted(address)
    assert forwards.one("p")["state"] == "up"


def test_connections_end_with_the_session(lost, engine):
    forward, sshd, address = lost(engine)
    held = [dial(address) for _ in range(20)]
    for s in held:
        assert s.recv(128)[4] == 10
    sshd.drop()
    for s in held:
        s.settimeout(10)
        try:
            assert s.recv(128) == b""
        except ConnectionResetError:
            pass
        s.close()
    assert is_greeted(address)


def test_sshd_down_for_a_while(lost, engine):
    forward, sshd, address = lost(engine)
    sshd.stop()
    assert until(lambda: "refused" in error_text(address), 30)
    sshd.start()
    assert until(lambda: is_greeted(address), 60)


def test_connections_during_the_new_login(lost, engine):
    """Connections that arrive while the new session is being opened wait for it."""
    forward, sshd, address = lost(engine)
    sshd.drop()
    held = [dial(address) for _ in range(30)]
    for s in held:
        s.settimeout(20)
        packet = s.recv(300)
        assert packet[4] == 10, packet
        s.close()


def test_password_from_memory(route, start_sshd, password, broker, keychain, forwards, engine):  # noqa: F811
    """The keeper keeps the password for a new session: neither the user nor the keychain is asked again."""
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    broker.env.update(keychain.env)
    route.config(sshd, engine)
    keychain_set(broker, password)
    address = forwards.detach("p")
    assert broker.run("password", "delete", "--tunnel", "bastion").code == 0
    sshd.drop()
    assert is_greeted(address)
    sshd.ask([("Password: ", "another", "hide")])
    sshd.drop()
    assert until(lambda: forwards.one("p")["state"] == "lost")
    assert until(lambda: "ermission denied" in (said := error_text(address)) or "assword" in said or "refused" in said)


def test_code_is_not_asked_for_again(route, start_sshd, password, broker, forwards, engine):  # noqa: F811
    sshd = start_sshd(questions=[("Password: ", password, "hide"), ("Verification code: ", "123456", "hide")],
                      lines=["AuthenticationMethods keyboard-interactive", "KbdInteractiveAuthentication yes"])
    route.config(sshd, engine)
    t = broker.pty("forward", "p")
    for wanted, said in (("Password: ", password), ("Verification code: ", "123456")):
        t.expect(wanted.encode())
        t.sendline(said.encode())
    t.expect(b"Ctrl-C ends it")
    address = f"127.0.0.1:{forwards.one('p')['port']}"
    assert is_greeted(address)
    sshd.drop()
    assert until(lambda: forwards.one("p")["state"] == "lost")
    assert "new login needs" in error_text(address)
    t.close()


def test_ssh_killed(lost, forwards):
    forward, sshd, address = lost("openssh")
    for pid in masters():
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: forwards.one("p")["state"] == "lost")
    assert is_greeted(address)


def test_ssh_stopped(lost, broker):
    """An ssh that hangs is killed when the forward ends."""
    forward, sshd, address = lost("openssh")
    hung = masters()
    assert hung
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    assert forward.end(signal.SIGTERM)[0] == -signal.SIGTERM
    assert until(lambda: not any(alive(pid) for pid in hung))
    gone(broker)


def test_ssh_that_hangs(lost):
    """It is replaced: the connection that it does not answer fails, and a later one is made by a new ssh."""
    forward, sshd, address = lost("openssh", connect_timeout="4s")
    hung = masters()
    assert hung
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    assert until(lambda: greeted_in_time(address), 120)
    assert not any(alive(pid) for pid in hung)


def test_socket_of_the_master_removed(lost, broker):
    """As by a program that deletes old files."""
    forward, sshd, address = lost("openssh")
    sockets = list((broker.runtime / "broker").glob("*.ctl"))
    assert len(sockets) == 1
    sockets[0].unlink()
    assert is_greeted(address)


def test_keeper_killed(lost, broker, forwards):
    """The guard ends ssh and removes the sockets."""
    forward, sshd, address = lost("openssh")
    keeper = forwards.one("p")["pid"]
    assert masters()
    os.kill(keeper, signal.SIGKILL)
    forward.end()
    gone(broker)
    assert until(lambda: not sshd.sessions())


def test_session_is_closed_at_the_end(lost, broker):
    forward, sshd, address = lost("openssh")
    assert forward.end(signal.SIGTERM)[0] == -signal.SIGTERM
    gone(broker)
    assert until(lambda: sshd.said("disconnected by user") and not sshd.sessions())


def test_sshd_that_hangs(lost, route, engine):
    """The sshd receives no packets any more, and sends nothing. The next connection detects this, long before the
    keepalive."""
    forward, sshd, address = lost(engine, connect_timeout="4s")
    with stopped(*sshd.sessions()):
        assert until(lambda: greeted_in_time(address), 120)


def greeted_in_time(address):
    try:
        return is_greeted(address)
    except TimeoutError:
        return False
