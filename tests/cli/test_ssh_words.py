# SPDX-License-Identifier: MIT
"""The prompts and messages of a tunnel of type ssh, which are the same with both engines: host keys, passwords,
passphrases, and each failure on the route. With a real sshd and ssh; the data that the tunnel carries is tested
elsewhere."""
import contextlib
import os
import re
import socket
import subprocess

import pytest

from lib.bastion import libssh2_version
from lib.forwards import until
from lib.keeping import gone, named
from lib.logins import for_user

HOST_KEY_QUESTION = """\
The authenticity of host '[127.0.0.1]:{port} ([127.0.0.1]:{port})' can't be established.
ED25519 key fingerprint is {print}.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? """
ADDED = "Warning: Permanently added '[127.0.0.1]:{port}' (ED25519) to the list of known hosts.\n"


class Route:
    """The profile `p` behind the bastion `sshd`; run() makes one query through it."""

    def __init__(self, broker, server, client, ssh_home):
        self.broker, self.server, self.client, self.known = broker, server, client, ssh_home / "known_hosts"

    def config(self, sshd, engine="auto", known=True, user=None, **keys):
        self.sshd = sshd
        for_user(self.broker, self.server, "app", via="bastion")
        tunnel = {"type": "ssh", "host": "127.0.0.1", "port": sshd.port, "user": user or sshd.user, "ssh_engine": engine, **keys}
        with open(self.broker.config_path, "a") as f:
            f.write("[tunnel bastion]\n" + "".join(f"{k} = {v}\n" for k, v in tunnel.items() if v is not None))
        if known:
            self.known.write_text(known if isinstance(known, str) else sshd.known())
            self.known.chmod(0o600)

    def words(self, *options):
        return ("connect", "p", "--client", self.client.path, *options, "--", "-NBe", "select 1")

    def run(self, *options, **how):
        return self.broker.run(*self.words(*options), **how)

    def ok(self, *options, **how):
        done = self.run(*options, **how)
        assert (done.code, done.text) == (0, "1\n"), done.errors
        return done

    def fails(self, code, *lines, **how):
        done = self.run(**how)
        assert (done.code, done.text) == (code, ""), done
        assert done.errors.splitlines() == list(lines)

    def pty(self, *options, **how):
        return self.broker.pty(*self.words(*options), stdout="pipe", **how)


@pytest.fixture
def route(broker, mysql_server, clients, ssh_home):
    yield Route(broker, mysql_server, clients["mysql9"], ssh_home)
    gone(broker)


def answer(terminal, *pairs):
    for wanted, said in pairs:
        terminal.expect(wanted.encode())
        terminal.sendline(said.encode())


# host keys

def test_unknown(route, sshd, user_key, engine):
    route.config(sshd, engine, known=None, identity=user_key)
    fingerprint_shown = sshd.fingerprint("ed25519")
    t = route.pty()
    t.expect(HOST_KEY_QUESTION.format(port=sshd.port, print=fingerprint_shown).replace("\n", "\r\n").encode())
    t.sendline(b"what?")
    answer(t, ("Please type 'yes', 'no' or the fingerprint: ", fingerprint_shown))
    assert t.wait() == 0 and t.out == b"1\n"
    assert ADDED.format(port=sshd.port).replace("\n", "\r\n").encode() in t.shown
    assert route.known.read_text().splitlines()[0].split()[1:] == sshd.known("ed25519").split()[1:]  # ssh adds the others too
    assert route.known.stat().st_mode & 0o777 == 0o600
    assert not route.ok().err


def test_unknown_and_refused(route, sshd, user_key, engine):
    route.config(sshd, engine, known=None, identity=user_key)
    t = route.pty()
    answer(t, ("connecting (yes/no/[fingerprint])? ", "no"))
    assert t.wait() == 77
    assert t.shown.decode().replace("\r\n", "\n").endswith(
        f"broker: p: [127.0.0.1]:{sshd.port}: Host key verification failed\n"
        f"  offered now  ED25519 {sshd.fingerprint('ed25519')}\nhint: ask its administrator for the fingerprint\n")
    assert not route.known.exists()


def test_unknown_without_a_terminal(route, sshd, user_key, engine):
    route.config(sshd, engine, known=None, identity=user_key)
    place = f"[127.0.0.1]:{sshd.port}"
    route.fails(79, f"broker: p: cannot ask without a terminal: The authenticity of host '{place} ({place})' can't be established",
              f"  ED25519 key fingerprint is {sshd.fingerprint('ed25519')}.", "  This key is not known by any other names.",
              "hint: broker connect p, on a terminal")
    assert not route.known.exists()


def test_known_by_another_name(route, sshd, user_key, engine):
    route.config(sshd, engine, known=sshd.known("ed25519", name="other.example,10.1.2.3"), identity=user_key)
    t = route.pty()
    t.expect(b"This host key is known by the following other names/addresses:\r\n    ~/.ssh/known_hosts:1: other.example,10.1.2.3\r\n")
    answer(t, ("connecting (yes/no/[fingerprint])? ", "yes"))
    assert t.wait() == 0
    assert len(route.known.read_text().splitlines()) == 2


def test_changed(route, sshd, start_sshd, user_key, ssh_keys, engine):
    other = ssh_keys.make("ed25519")
    line = f"[127.0.0.1]:{sshd.port} " + " ".join((other.parent / f"{other.name}.pub").read_text().split()[:2]) + "\n"
    route.config(sshd, engine, known="# mine\n" + line, identity=user_key)
    route.fails(77, f"broker: p: [127.0.0.1]:{sshd.port}: REMOTE HOST IDENTIFICATION HAS CHANGED",
              f"  ~/.ssh/known_hosts:2  ED25519 {ssh_keys.fingerprint(other)}",
              f"  offered now           ED25519 {sshd.fingerprint('ed25519')}",
              f"hint: ssh-keygen -R '[127.0.0.1]:{sshd.port}', once you know why")
    assert route.known.read_text() == "# mine\n" + line


def test_revoked(route, start_sshd, user_key, engine):
    sshd = start_sshd(host_keys=["ed25519"])
    sshd.authorize(user_key)
    route.config(sshd, engine, known=sshd.known() + "@revoked * " + sshd.known().partition(" ")[2], identity=user_key)
    route.fails(77, f"broker: p: [127.0.0.1]:{sshd.port}: the ED25519 host key is marked as revoked",
              f"  ~/.ssh/known_hosts:2  ED25519 {sshd.fingerprint('ed25519')}",
              "hint: the host needs a new key: ask its administrator")


def test_another_key_than_the_revoked_one(route, sshd, user_key, engine):
    route.config(sshd, engine, known=sshd.known("ed25519", "ecdsa") + "@revoked * " + sshd.known("ed25519").partition(" ")[2],
               identity=user_key)
    route.ok()


@pytest.mark.parametrize("strict, code", [("yes", 77), ("accept-new", 0), ("no", 0)])
def test_strict(route, sshd, user_key, ssh_home, engine, strict, code):
    (ssh_home / "config").write_text(f"StrictHostKeyChecking {strict}\nHashKnownHosts yes\n")
    route.config(sshd, engine, known=None, identity=user_key)
    done = route.run()
    assert done.code == code, done.errors
    if code:
        assert done.errors.splitlines()[0] == (f"broker: p: [127.0.0.1]:{sshd.port}: No ED25519 host key is known and you have "
                                               "requested strict checking")
        assert not route.known.exists()
    else:
        assert done.errors == ADDED.format(port=sshd.port)
        assert route.known.read_text().startswith("|1|")
        assert route.ok().errors == ""
        route.known.unlink()
        assert route.ok("--quiet").errors == "" and route.known.exists()


# logging in

def test_key_refused(route, sshd, ssh_keys, ssh_home, engine):
    route.config(sshd, engine, identity=ssh_keys.make())
    route.fails(77, f"broker: p: {sshd.user}@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} {sshd.user}@127.0.0.1 work, or set identity in [tunnel bastion]")


def test_hint_is_quoted(route, sshd, user_key, engine):
    route.config(sshd, engine, identity=user_key, user="no one")
    route.fails(77, "broker: p: no one@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} 'no one@127.0.0.1' work, or set identity in [tunnel bastion]")


@pytest.mark.parametrize("least, code", [(2048, 0), (3072, 77)])
def test_minimum_key_size(route, sshd, ssh_keys, ssh_home, engine, least, code):
    key = ssh_keys.make("rsa")  # of 2048 bits
    sshd.authorize(key)
    (ssh_home / "config").write_text(f"RequiredRSASize {least}\n")
    route.config(sshd, engine, identity=key)
    done = route.run()
    assert done.code == code and ("Permission denied (publickey)" in done.errors) == bool(code), done.errors


def test_no_such_identity(route, sshd, engine):
    route.config(sshd, engine, identity="~/.ssh/nothing")
    line = route.broker.config_path.read_text().splitlines().index("identity = ~/.ssh/nothing") + 1
    route.fails(78, f"broker: ~/.config/broker/config:{line}: identity ~/.ssh/nothing: No such file or directory",
              "hint: set identity to a private key file that you can read")


@pytest.mark.parametrize("name, mode, words, hint", [
    ("my key", 0o644, "permissions 0644 are too open: the key is not used", "chmod 600 '{path}'"),
    ("key.pub", 0o600, "a public key, and the ssh agent does not have its private key", "set identity to the private key")])
def test_identity_that_is_not_used(route, sshd, user_key, ssh_home, name, mode, words, hint):
    path = ssh_home / name
    path.write_bytes(user_key.with_name(user_key.name + path.suffix).read_bytes())
    path.chmod(mode)
    route.config(sshd, "libssh2", identity=path)
    route.fails(77, f"broker: warning: ~/.ssh/{name}: {words}", "hint: " + hint.format(path=path),
              f"broker: p: {sshd.user}@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} {sshd.user}@127.0.0.1 work, or set identity in [tunnel bastion]")


def test_agent_that_refuses_to_sign(route, sshd, user_key, agent, broker, monkeypatch):
    """It requires the user's confirmation and does not get it."""
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    one = agent()
    broker.env.update(one.env)
    subprocess.run(["ssh-add", "-q", "-c", user_key], check=True, capture_output=True, env={**os.environ, **one.env})
    route.config(sshd, "libssh2")
    done = route.run()
    assert done.code == 77
    assert re.match(r"broker: warning: the ssh agent refused to sign with the key ed25519-\d+\nbroker: p: .*Permission denied", done.errors)


def test_passphrase(route, sshd, ssh_keys, broker, engine):
    phrase = broker.secret(b"correct horse battery")
    key = ssh_keys.make(passphrase=phrase.decode())
    sshd.authorize(key)
    route.config(sshd, engine, identity=key)
    t = route.pty()
    question = f"Enter passphrase for key '{key}': "
    answer(t, (question, "wrong"), (question, "wrong too"), (question, phrase.decode()))
    assert t.wait() == 0 and t.out == b"1\n"


def test_passphrase_that_is_wrong_each_time(route, sshd, ssh_keys, engine):
    """The error says why the key was not offered."""
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    route.config(sshd, engine, identity=key)
    t = route.pty()
    answer(t, *[(f"Enter passphrase for key '{key}': ", word) for word in ("wrong", "wrong too", "wrong again")])
    assert t.wait() == 77 and re.search(rb"Permission denied \(publickey\)\.?\r\n.*" + re.escape(f"key {key}: 3 wrong passphrases".encode()), t.shown, re.S), t.shown


@pytest.mark.parametrize("spoil, words", [
    (lambda text: b"\xef\xbb\xbf" + text, r"it begins with a byte order mark"),
    (lambda text: b"".join(b"    " + line for line in text.splitlines(True)), r"its lines are indented"),
    (lambda text: b"PuTTY-User-Key-File-3: ssh-ed25519\n", r"a PuTTY key")], ids=["bom", "indented", "putty"])
def test_malformed_key_file(route, sshd, ssh_keys, ssh_home, engine, spoil, words):
    """The error says what is wrong with the file, and its command fixes it."""
    key = ssh_keys.make()
    sshd.authorize(key)
    file = ssh_home / "spoilt"
    file.write_bytes(spoil(key.read_bytes()))
    file.chmod(0o600)
    route.config(sshd, engine, identity=file)
    done = route.run()
    assert done.code == 77 and re.search(words, done.errors), done.errors
    fix = re.search(r"(?:hint|" + words + r"): ((?:sed|puttygen) .*)", done.errors)
    assert fix, done.errors
    if fix[1].startswith("sed"):
        subprocess.run(["sh", "-c", fix[1]], check=True)
        route.ok()


def test_public_key_as_identity(route, sshd, user_key, ssh_home, engine):
    """The error says which file is the private key."""
    for suffix in ("", ".pub"):
        file = ssh_home / f"mine{suffix}"
        file.write_bytes(user_key.with_name(user_key.name + suffix).read_bytes())
        file.chmod(0o600)
    route.config(sshd, engine, identity=ssh_home / "mine.pub")
    done = route.run()
    assert done.code == 77 and "~/.ssh/mine.pub: a public key, " in done.errors, done.errors
    assert re.search(r"(?m)set identity to ~/.ssh/mine$", done.errors), done.errors


@pytest.mark.parametrize("kind, form", [("ed25519", []), ("ecdsa", ["-m", "PEM"]), ("rsa", ["-m", "PEM"])])
@pytest.mark.parametrize("accepted", ["private", "public"])
def test_pub_of_another_key(route, sshd, ssh_keys, ssh_home, engine, kind, form, accepted):
    """ssh offers the key in the .pub file, the libssh2 engine that of the private key. If the login fails, the error
    says why, and its command fixes the .pub file; that does not help if the server accepts only the other key."""
    mine, other = ssh_keys.make(kind, options=form), ssh_keys.make(kind)
    sshd.authorize(mine if accepted == "private" else other)
    file = ssh_home / "mine"
    file.write_bytes(mine.read_bytes())
    (ssh_home / "mine.pub").write_bytes(other.with_name(other.name + ".pub").read_bytes())
    file.chmod(0o600)
    route.config(sshd, engine, identity=file)
    if engine == "libssh2" and accepted == "private":
        assert route.ok().errors == ""
        return
    done = route.run()
    fix = re.search(r"(?m)^  ~/.ssh/mine.pub does not belong to the key ~/.ssh/mine: (ssh-keygen -y -f .*)$", done.errors)
    assert done.code == 77 and fix, done.errors
    if accepted == "private":
        subprocess.run(["sh", "-c", fix[1]], check=True)
        assert route.ok().errors == ""


def test_loglevel_of_ssh(route, sshd, user_key, ssh_home, engine):
    """With a LogLevel below INFO, ssh does not report that it has added a key."""
    (ssh_home / "config").write_text("LogLevel ERROR\nStrictHostKeyChecking accept-new\n")
    route.config(sshd, engine, known=False, identity=user_key)
    assert route.ok().errors == "" and "ssh-ed25519" in route.known.read_text()


def test_passphrase_prompts_are_limited_by_ssh_config(route, sshd, ssh_keys, ssh_home, engine):
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    (ssh_home / "config").write_text("NumberOfPasswordPrompts 1\n")
    route.config(sshd, engine, identity=key)
    t = route.pty()
    answer(t, (f"Enter passphrase for key '{key}': ", "wrong"))
    assert t.wait() == 77 and t.shown.count(b"Enter passphrase") == 1


def test_passphrase_without_a_terminal(route, sshd, ssh_keys, engine):
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    route.config(sshd, engine, identity=key)
    done = route.run()
    assert done.code == 79 and f"Enter passphrase for key '{key}'" in done.errors


@pytest.fixture
def password(broker):
    return broker.secret(b"sUch-a-pAssword").decode()


def test_password(route, start_sshd, password, engine):
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    route.config(sshd, engine)
    t = route.pty()
    answer(t, ("assword: ", password))
    assert t.wait() == 0 and t.out == b"1\n"


def test_password_refused(route, start_sshd, password, engine):
    """What the user types is tried once."""
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    route.config(sshd, engine)
    t = route.pty()
    answer(t, ("assword: ", "wrong"))
    assert t.wait() == 77
    assert t.shown.count(b"assword: ") == 1 and f"the password of {sshd.user}@127.0.0.1:{sshd.port} was refused".encode() in t.shown


def test_password_of_the_keychain(route, start_sshd, password, broker, keychain, engine):
    """The user is not prompted. If the stored password is wrong and there is a terminal, the user is prompted once, not
    three times."""
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    broker.env.update(keychain.env)
    route.config(sshd, engine)
    keychain_set(broker, password)
    route.ok()
    keychain_set(broker, "not it")
    t = route.pty()
    t.expect(b"assword: ")
    t.sendline(b"nor this")
    assert t.wait() == 77
    assert f"the password of {sshd.user}@127.0.0.1:{sshd.port} was refused".encode() in t.shown
    assert t.shown.count(b"assword: ") == 1


def keychain_set(broker, password):
    done = broker.run("password", "set", "--tunnel", "bastion", input=password.encode())
    assert done.code == 0, done.errors


def test_code(route, start_sshd, password, engine):
    """Two prompts in one login: the password, and a one-time code, which is not stored."""
    sshd = start_sshd(questions=[("Password: ", password, "hide"), ("Verification code: ", "123456", "hide")],
                      lines=["AuthenticationMethods keyboard-interactive", "KbdInteractiveAuthentication yes"])
    route.config(sshd, engine)
    t = route.pty()
    answer(t, ("Password: ", password), ("Verification code: ", "123456"))
    assert t.wait() == 0 and t.out == b"1\n"


def test_too_many_keys(route, start_sshd, ssh_keys, agent, broker, engine):
    keys = [ssh_keys.make() for _ in range(7)]
    sshd = start_sshd(lines=["MaxAuthTries 3"])
    broker.env.update(agent(*keys).env)
    route.config(sshd, engine)
    done = route.run()
    assert done.code == 77, done.errors
    assert done.errors.splitlines()[0] == f"broker: p: {sshd.user}@127.0.0.1: Too many authentication failures"


# the route

def test_no_such_bastion(route, sshd, user_key, engine):
    route.config(sshd, engine, identity=user_key, host="no-such-host.invalid")
    route.fails(69, "broker: p: no-such-host.invalid: no such host", f"hint: try ssh -p {sshd.port} {sshd.user}@no-such-host.invalid")


def test_bastion_refuses_the_connection(route, sshd, user_key, engine):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        route.config(sshd, engine, identity=user_key, port=port)
        route.fails(69, f"broker: p: 127.0.0.1:{port}: connection refused", f"hint: try ssh -p {port} {sshd.user}@127.0.0.1")


def test_bastion_that_never_answers(route, sshd, user_key, engine):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        route.config(sshd, engine, identity=user_key, port=port, connect_timeout="3s")
        route.fails(69, f"broker: p: 127.0.0.1:{port}: no answer within 3s",
                  f"hint: try ssh -p {port} {sshd.user}@127.0.0.1, or raise connect_timeout of the tunnel")


def test_server_refused(route, sshd, user_key, engine):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        route.config(sshd, engine, identity=user_key)
        text = route.broker.config_path.read_text()
        route.broker.config(re.sub(r"(?m)^port = \d+", f"port = {port}", text, count=1))
        route.fails(69, f"broker: p: 2003 {route.server.host}:{port}: connection refused",
                  "hint: check host and port: 127.0.0.1 connects to them; or by its socket: socket = /run/mysqld/mysqld.sock")


def test_server_that_never_answers(route, sshd, user_key, engine):
    """The profile's connect_timeout applies to the server, the tunnel's to the bastion."""
    with contextlib.ExitStack() as held, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        for _ in range(3):  # fill the queue of the listener
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        route.config(sshd, engine, identity=user_key, connect_timeout="30s")
        text = route.broker.config_path.read_text()
        route.broker.config(re.sub(r"(?m)^port = \d+", f"port = {port}\nconnect_timeout = 1s", text, count=1))
        route.fails(69, f"broker: p: 2013 {route.server.host}:{port}: no answer within 1s",
                  "hint: check host and port: 127.0.0.1 connects to them")


def test_server_unknown(route, sshd, user_key, engine):
    route.config(sshd, engine, identity=user_key)
    route.broker.config(route.broker.config_path.read_text().replace(f"host = {route.server.host}", "host = no-such-host.invalid", 1))
    route.fails(69, "broker: p: 2005 no-such-host.invalid: no such host", "hint: check host: 127.0.0.1 looks it up")


def test_forwards_forbidden(route, start_sshd, user_key, engine):
    sshd = start_sshd(lines=["AllowTcpForwarding no"])
    sshd.authorize(user_key)
    route.config(sshd, engine, identity=user_key)
    done = route.run()
    assert done.code == 77
    assert re.match(rf"broker: p: 2003 {re.escape(route.server.host)}:{route.server.port}: 127.0.0.1: .*prohibited", done.errors)


# which engine

def engine_shown(route):
    """The engine that --verbose shows, and the reason."""
    return re.search(r"route +ssh \S+, (.*)", route.ok("-v").errors)[1]


def test_engine_by_default(route, sshd, user_key):
    route.config(sshd, identity=user_key)
    assert engine_shown(route) == "libssh2"


@pytest.mark.parametrize("config, why", [
    ("ProxyCommand nc %h %p", "ProxyCommand"), ("RekeyLimit 1G", "RekeyLimit"), ("AddKeysToAgent yes", "AddKeysToAgent"),
    ("PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-256", "PubkeyAcceptedAlgorithms"),
    ("PubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa", "PubkeyAcceptedAlgorithms")])
def test_engine_by_ssh_config(route, sshd, user_key, ssh_home, config, why):
    (ssh_home / "config").write_text(config + "\n")
    route.config(sshd, identity=user_key)
    if "nc " in config:
        route.broker.script("nc", 'exec python3 -c "import os,socket,sys,threading\n'
                          's=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n'
                          'def up():\n while d:=os.read(0,65536): s.sendall(d)\n s.shutdown(1)\n'
                          'threading.Thread(target=up,daemon=True).start()\n'
                          'while d:=s.recv(65536): os.write(1,d)\n" "$@"')
    assert engine_shown(route) == f"openssh: {why}"


@pytest.mark.parametrize("lines, host_keys, since", [
    ((), ("rsa",), (1, 11)), (("MACs hmac-sha2-256-etm@openssh.com", "Ciphers aes128-ctr"), ("ed25519",), (1, 11)),
    (("KexAlgorithms sntrup761x25519-sha512@openssh.com",), ("ed25519",), (99, 0))])
def test_engine_by_server(route, start_sshd, user_key, lines, host_keys, since):
    """The system's ssh is used for what libssh2 does not support, or supports only from version SINCE on."""
    sshd = start_sshd(lines=lines, host_keys=host_keys)
    sshd.authorize(user_key)
    route.config(sshd, identity=user_key)
    assert engine_shown(route).startswith("libssh2" if libssh2_version() >= since else "openssh: ")
    # Decided before any attempt to log in.
    said = sshd.all_said()
    assert said.count("Accepted publickey") == 1 and "Failed" not in said


@pytest.mark.parametrize("what, server, user, why", [
    ("host key", "HostKeyAlgorithms ssh-rsa", "HostKeyAlgorithms +ssh-rsa", "ssh-rsa"),
    ("key", "PubkeyAcceptedAlgorithms ssh-rsa", "PubkeyAcceptedAlgorithms ^ssh-rsa", "an RSA key where ssh-rsa is allowed")])
@pytest.mark.parametrize("allowed", [True, False])
def test_server_that_signs_with_sha1_only(route, start_sshd, ssh_keys, ssh_home, what, server, user, why, allowed):
    """The system's ssh is used, and the login succeeds if the user allows ssh-rsa."""
    sshd = start_sshd(lines=[server], host_keys=["rsa" if what == "host key" else "ed25519"])
    key = ssh_keys.make("ed25519" if what == "host key" else "rsa")
    sshd.authorize(key)
    route.config(sshd, identity=key)
    if not allowed:
        done = route.run()
        assert done.code == 77 and re.search(r"no matching host key type|Permission denied \(publickey\)", done.errors), done.errors
        return
    (ssh_home / "config").write_text(user + "\n")
    assert re.fullmatch(rf"openssh: .*{why}", engine_shown(route))
    said = sshd.all_said()
    assert said.count("Accepted publickey") == 1 and "Failed" not in said


def test_rsa_key_if_ssh_rsa_is_allowed(route, sshd, ssh_keys, ssh_home):
    """libssh2, if forced, still uses the RSA key; a key of another type does not need the system's ssh."""
    rsa, other = ssh_keys.make("rsa"), ssh_keys.make()
    sshd.authorize(rsa, other)
    (ssh_home / "config").write_text("PubkeyAcceptedAlgorithms +ssh-rsa\n")
    route.config(sshd, "libssh2", identity=rsa)
    assert engine_shown(route) == "libssh2"
    route.config(sshd, identity=other)
    assert engine_shown(route) == "libssh2"


def test_forced_engine_without_support(route, sshd, user_key, ssh_home):
    (ssh_home / "config").write_text("ProxyJump elsewhere\n")
    route.config(sshd, "libssh2", identity=user_key)
    route.fails(78, "broker: p: libssh2 does not support it: ProxyJump", "hint: ssh_engine = auto")


# what only the system's ssh does

def test_jump(route, sshd, start_sshd, user_key, ssh_home):
    inner = start_sshd()
    inner.authorize(user_key)
    (ssh_home / "config").write_text(f"""Host inner
  HostName 127.0.0.1
  Port {inner.port}
  User {inner.user}
  ProxyJump {sshd.user}@127.0.0.1:{sshd.port}
Host *
  IdentityFile {user_key}
""")
    route.config(inner, known=sshd.known() + inner.known(), host="inner", port=None, user="")
    route.broker.config(route.broker.config_path.read_text().replace("user = \n", ""))
    assert engine_shown(route) == "openssh: ProxyJump"


@pytest.mark.parametrize("lines, why, code", [([], "connection refused", 69), (["PermitOpen none"], "administratively prohibited: open failed", 77)])
def test_jump_that_does_not_reach_it(route, start_sshd, user_key, ssh_home, lines, why, code):
    """The first line is the jump host's reason, not that the connection was closed."""
    jump = start_sshd(lines=lines)
    jump.authorize(user_key)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        (ssh_home / "config").write_text(f"Host inner\n  HostName 127.0.0.1\n  Port {port}\n  ProxyJump {jump.user}@127.0.0.1:{jump.port}\n"
                                         f"Host *\n  IdentityFile {user_key}\n")
        route.config(jump, known=jump.known(), host="inner", port=None)
        done = route.run()
        by = rf"{jump.user}@\[?127\.0\.0\.1\]?:{jump.port}"  # as the installed ssh -G writes it
        assert done.code == code and re.fullmatch(rf"broker: p: 127\.0\.0\.1:{port}: {by} cannot reach it: {why}\n"
                                                  rf"hint: try ssh {jump.user}@inner\n", done.errors), done.errors


def test_jump_with_a_password_of_its_own(route, sshd, start_sshd, user_key, ssh_home, broker, keychain, password):
    """The stored password is for the tunnel's bastion, not for the jump host."""
    outer = start_sshd(questions=[("Password: ", password, "hide")], lines=["KbdInteractiveAuthentication no"])
    (ssh_home / "config").write_text(f"Host 127.0.0.1\n  ProxyJump {outer.user}@localhost:{outer.port}\n"
                                     f"Host localhost\n  ProxyJump none\n  PubkeyAuthentication no\n")
    broker.env.update(keychain.env)
    route.config(sshd, identity=user_key, known=sshd.known() + outer.known(name=f"[localhost]:{outer.port}"))
    keychain_set(broker, "only for the inner one")
    t = route.pty()
    answer(t, (f"{outer.user}@localhost's password: ", password))
    assert t.wait() == 0 and t.out == b"1\n"


def test_host_certificate(route, start_sshd, user_key, ssh_keys):
    ca, host = ssh_keys.make(), ssh_keys.make()
    ssh_keys.sign(ca, host, "-h", "-n", "127.0.0.1")
    sshd = start_sshd(host_keys=[host])
    sshd.authorize(user_key)
    text = "@cert-authority * " + (ca.parent / f"{ca.name}.pub").read_text()
    route.config(sshd, identity=user_key, known=text)
    assert engine_shown(route) == "openssh: a host certificate"


def test_far_socket(route, start_sshd, user_key, mysql_server, engine):
    sshd = start_sshd()
    sshd.authorize(user_key)
    route.config(sshd, engine, identity=user_key)
    text = re.sub(r"(?m)^host = .*\nport = .*\n", f"socket = {mysql_server.socket}\n", route.broker.config_path.read_text(), count=1)
    route.broker.config(text)
    route.ok()
    route.broker.config(text.replace(str(mysql_server.socket), "/nonexistent/mysql.sock"))
    done = route.run()
    assert done.code in (69, 77) and done.errors.startswith("broker: p: 2003 /nonexistent/mysql.sock: "), done.errors
    assert done.errors.endswith("\nhint: check socket: it is a path on 127.0.0.1, whose sshd_config must allow it: AllowStreamLocalForwarding\n")


def test_nothing_is_left(route, sshd, user_key, broker, engine):
    """The harness checks that no process, socket or file is left; this test also checks that there was a process to
    leave."""
    route.config(sshd, engine, identity=user_key)
    t = broker.start("exec", "p", "--", "sleep", "77")
    assert until(lambda: named("sleep"))
    assert bool(named("/usr/bin/ssh")) == (engine == "openssh")
    t.kill()
    t.wait()
    gone(broker)
