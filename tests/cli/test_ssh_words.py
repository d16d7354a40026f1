# SPDX-License-Identifier: MIT
"""What a tunnel of type ssh asks and says, by either engine in the same words: host keys, passwords, passphrases, prompts, and
each thing that can go wrong on the way. Real sshd, real ssh; what is carried is looked at elsewhere."""
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

ASKED = """\
The authenticity of host '[127.0.0.1]:{port} ([127.0.0.1]:{port})' can't be established.
ED25519 key fingerprint is {print}.
This key is not known by any other names.
Are you sure you want to continue connecting (yes/no/[fingerprint])? """
ADDED = "Warning: Permanently added '[127.0.0.1]:{port}' (ED25519) to the list of known hosts.\n"
LABELS = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA", "ecdsa-sha2-nistp256": "ECDSA"}


class Way:
    """The profile `p` behind `sshd`; connect() is one query through it."""

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
def way(broker, mysql_server, clients, ssh_home):
    yield Way(broker, mysql_server, clients["mysql9"], ssh_home)
    gone(broker)


def answer(terminal, *pairs):
    for wanted, said in pairs:
        terminal.expect(wanted.encode())
        terminal.sendline(said.encode())


# host keys

def test_unknown(way, sshd, user_key, engine):
    way.config(sshd, engine, known=None, identity=user_key)
    print_ = sshd.fingerprint("ed25519")
    t = way.pty()
    t.expect(ASKED.format(port=sshd.port, print=print_).replace("\n", "\r\n").encode())
    t.sendline(b"what?")
    answer(t, ("Please type 'yes', 'no' or the fingerprint: ", print_))
    assert t.wait() == 0 and t.out == b"1\n"
    assert ADDED.format(port=sshd.port).replace("\n", "\r\n").encode() in t.shown
    assert way.known.read_text().splitlines()[0].split()[1:] == sshd.known("ed25519").split()[1:]  # ssh learns the others too
    assert way.known.stat().st_mode & 0o777 == 0o600
    assert not way.ok().err


def test_unknown_and_not_wanted(way, sshd, user_key, engine):
    way.config(sshd, engine, known=None, identity=user_key)
    t = way.pty()
    answer(t, ("connecting (yes/no/[fingerprint])? ", "no"))
    assert t.wait() == 77
    assert t.shown.decode().replace("\r\n", "\n").endswith(
        f"broker: p: [127.0.0.1]:{sshd.port}: Host key verification failed\n"
        f"  offered now  ED25519 {sshd.fingerprint('ed25519')}\nhint: ask its administrator for the fingerprint\n")
    assert not way.known.exists()


def test_unknown_and_nobody_there(way, sshd, user_key, engine):
    way.config(sshd, engine, known=None, identity=user_key)
    place = f"[127.0.0.1]:{sshd.port}"
    way.fails(79, f"broker: p: cannot ask without a terminal: The authenticity of host '{place} ({place})' can't be established",
              f"  ED25519 key fingerprint is {sshd.fingerprint('ed25519')}.", "  This key is not known by any other names.",
              "hint: broker connect p, on a terminal")
    assert not way.known.exists()


def test_known_by_another_name(way, sshd, user_key, engine):
    way.config(sshd, engine, known=sshd.known("ed25519", name="other.example,10.1.2.3"), identity=user_key)
    t = way.pty()
    t.expect(b"This host key is known by the following other names/addresses:\r\n    ~/.ssh/known_hosts:1: other.example,10.1.2.3\r\n")
    answer(t, ("connecting (yes/no/[fingerprint])? ", "yes"))
    assert t.wait() == 0
    assert len(way.known.read_text().splitlines()) == 2


def test_changed(way, sshd, start_sshd, user_key, ssh_keys, engine):
    other = ssh_keys.make("ed25519")
    line = f"[127.0.0.1]:{sshd.port} " + " ".join((other.parent / f"{other.name}.pub").read_text().split()[:2]) + "\n"
    way.config(sshd, engine, known="# mine\n" + line, identity=user_key)
    way.fails(77, f"broker: p: [127.0.0.1]:{sshd.port}: REMOTE HOST IDENTIFICATION HAS CHANGED",
              f"  ~/.ssh/known_hosts:2  ED25519 {ssh_keys.fingerprint(other)}",
              f"  offered now           ED25519 {sshd.fingerprint('ed25519')}",
              f"hint: ssh-keygen -R '[127.0.0.1]:{sshd.port}', once you know why")
    assert way.known.read_text() == "# mine\n" + line


def test_revoked(way, start_sshd, user_key, engine):
    sshd = start_sshd(host_keys=["ed25519"])
    sshd.authorize(user_key)
    way.config(sshd, engine, known=sshd.known() + "@revoked * " + sshd.known().partition(" ")[2], identity=user_key)
    way.fails(77, f"broker: p: [127.0.0.1]:{sshd.port}: the ED25519 host key is marked as revoked",
              f"  ~/.ssh/known_hosts:2  ED25519 {sshd.fingerprint('ed25519')}",
              "hint: the host needs a new key: ask its administrator")


def test_another_key_than_the_revoked_one(way, sshd, user_key, engine):
    way.config(sshd, engine, known=sshd.known("ed25519", "ecdsa") + "@revoked * " + sshd.known("ed25519").partition(" ")[2],
               identity=user_key)
    way.ok()


@pytest.mark.parametrize("strict, code", [("yes", 77), ("accept-new", 0), ("no", 0)])
def test_strict(way, sshd, user_key, ssh_home, engine, strict, code):
    (ssh_home / "config").write_text(f"StrictHostKeyChecking {strict}\nHashKnownHosts yes\n")
    way.config(sshd, engine, known=None, identity=user_key)
    done = way.run()
    assert done.code == code, done.errors
    if code:
        assert done.errors.splitlines()[0] == (f"broker: p: [127.0.0.1]:{sshd.port}: No ED25519 host key is known and you have "
                                               "requested strict checking")
        assert not way.known.exists()
    else:
        assert done.errors == ADDED.format(port=sshd.port)
        assert way.known.read_text().startswith("|1|")
        assert way.ok().errors == ""
        way.known.unlink()
        assert way.ok("--quiet").errors == "" and way.known.exists()


# logging in

def test_key_refused(way, sshd, ssh_keys, ssh_home, engine):
    way.config(sshd, engine, identity=ssh_keys.make())
    way.fails(77, f"broker: p: {sshd.user}@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} {sshd.user}@127.0.0.1 work, or set identity in [tunnel bastion]")


def test_hint_is_quoted(way, sshd, user_key, engine):
    way.config(sshd, engine, identity=user_key, user="no one")
    way.fails(77, "broker: p: no one@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} 'no one@127.0.0.1' work, or set identity in [tunnel bastion]")


@pytest.mark.parametrize("least, code", [(2048, 0), (3072, 77)])
def test_least_size_of_a_key(way, sshd, ssh_keys, ssh_home, engine, least, code):
    key = ssh_keys.make("rsa")  # of 2048 bits
    sshd.authorize(key)
    (ssh_home / "config").write_text(f"RequiredRSASize {least}\n")
    way.config(sshd, engine, identity=key)
    done = way.run()
    assert done.code == code and ("Permission denied (publickey)" in done.errors) == bool(code), done.errors


def test_no_such_identity(way, sshd, engine):
    way.config(sshd, engine, identity="~/.ssh/nothing")
    line = way.broker.config_path.read_text().splitlines().index("identity = ~/.ssh/nothing") + 1
    way.fails(78, f"broker: ~/.config/broker/config:{line}: identity ~/.ssh/nothing: No such file or directory",
              "hint: set identity to a private key file that you can read")


@pytest.mark.parametrize("name, mode, words, hint", [
    ("my key", 0o644, "permissions 0644 are too open: the key is not used", "chmod 600 '{path}'"),
    ("key.pub", 0o600, "a public key, and the ssh agent does not have its private key", "set identity to the private key")])
def test_identity_that_is_not_used(way, sshd, user_key, ssh_home, name, mode, words, hint):
    path = ssh_home / name
    path.write_bytes(user_key.with_name(user_key.name + path.suffix).read_bytes())
    path.chmod(mode)
    way.config(sshd, "libssh2", identity=path)
    way.fails(77, f"broker: warning: ~/.ssh/{name}: {words}", "hint: " + hint.format(path=path),
              f"broker: p: {sshd.user}@127.0.0.1: Permission denied (publickey)",
              f"hint: make ssh -p {sshd.port} {sshd.user}@127.0.0.1 work, or set identity in [tunnel bastion]")


def test_agent_that_does_not_sign(way, sshd, user_key, agent, broker, monkeypatch):
    """It wants a person's consent and does not get it."""
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    one = agent()
    broker.env.update(one.env)
    subprocess.run(["ssh-add", "-q", "-c", user_key], check=True, capture_output=True, env={**os.environ, **one.env})
    way.config(sshd, "libssh2")
    done = way.run()
    assert done.code == 77
    assert re.match(r"broker: warning: the ssh agent refused to sign with the key test \d+\nbroker: p: .*Permission denied", done.errors)


def test_passphrase(way, sshd, ssh_keys, broker, engine):
    phrase = broker.secret(b"correct horse battery")
    key = ssh_keys.make(passphrase=phrase.decode())
    sshd.authorize(key)
    way.config(sshd, engine, identity=key)
    t = way.pty()
    question = f"Enter passphrase for key '{key}': "
    answer(t, (question, "wrong"), (question, "wrong too"), (question, phrase.decode()))
    assert t.wait() == 0 and t.out == b"1\n"


def test_passphrase_that_is_wrong_each_time(way, sshd, ssh_keys, engine):
    """The error says why the key was not offered."""
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    way.config(sshd, engine, identity=key)
    t = way.pty()
    answer(t, *[(f"Enter passphrase for key '{key}': ", word) for word in ("wrong", "wrong too", "wrong again")])
    assert t.wait() == 77 and re.search(rb"Permission denied \(publickey\)\.?\r\n.*" + re.escape(f"key {key}: 3 wrong passphrases".encode()), t.shown, re.S), t.shown


@pytest.mark.parametrize("spoil, words", [
    (lambda text: b"\xef\xbb\xbf" + text, r"it begins with a byte order mark"),
    (lambda text: b"".join(b"    " + line for line in text.splitlines(True)), r"its lines are indented"),
    (lambda text: b"PuTTY-User-Key-File-3: ssh-ed25519\n", r"a PuTTY key")], ids=["bom", "indented", "putty"])
def test_key_file_that_is_spoilt(way, sshd, ssh_keys, ssh_home, engine, spoil, words):
    """Which it is, and how it is converted; what is said then helps."""
    key = ssh_keys.make()
    sshd.authorize(key)
    file = ssh_home / "spoilt"
    file.write_bytes(spoil(key.read_bytes()))
    file.chmod(0o600)
    way.config(sshd, engine, identity=file)
    done = way.run()
    assert done.code == 77 and re.search(words, done.errors), done.errors
    mend = re.search(r"(?:hint|" + words + r"): ((?:sed|puttygen) .*)", done.errors)
    assert mend, done.errors
    if mend[1].startswith("sed"):
        subprocess.run(["sh", "-c", mend[1]], check=True)
        way.ok()


def test_public_key_as_identity(way, sshd, user_key, ssh_home, engine):
    """The line says which file is the private one."""
    for suffix in ("", ".pub"):
        file = ssh_home / f"mine{suffix}"
        file.write_bytes(user_key.with_name(user_key.name + suffix).read_bytes())
        file.chmod(0o600)
    way.config(sshd, engine, identity=ssh_home / "mine.pub")
    done = way.run()
    assert done.code == 77 and "~/.ssh/mine.pub: a public key, " in done.errors, done.errors
    assert re.search(r"(?m)set identity to ~/.ssh/mine$", done.errors), done.errors


@pytest.mark.parametrize("kind, form", [("ed25519", []), ("ecdsa", ["-m", "PEM"]), ("rsa", ["-m", "PEM"])])
@pytest.mark.parametrize("taken", ["private", "public"])
def test_pub_of_another_key(way, sshd, ssh_keys, ssh_home, engine, kind, form, taken):
    """ssh offers what the .pub names, libssh2's engine the key itself. Where that does not help, it is said why, and the command mends
    the .pub; it cannot where the server takes only the other key."""
    mine, other = ssh_keys.make(kind, options=form), ssh_keys.make(kind)
    sshd.authorize(mine if taken == "private" else other)
    file = ssh_home / "mine"
    file.write_bytes(mine.read_bytes())
    (ssh_home / "mine.pub").write_bytes(other.with_name(other.name + ".pub").read_bytes())
    file.chmod(0o600)
    way.config(sshd, engine, identity=file)
    if engine == "libssh2" and taken == "private":
        assert way.ok().errors == ""
        return
    done = way.run()
    mend = re.search(r"(?m)^  ~/.ssh/mine.pub does not belong to the key ~/.ssh/mine: (ssh-keygen -y -f .*)$", done.errors)
    assert done.code == 77 and mend, done.errors
    if taken == "private":
        subprocess.run(["sh", "-c", mend[1]], check=True)
        assert way.ok().errors == ""


def test_loglevel_of_ssh(way, sshd, user_key, ssh_home, engine):
    """Below INFO ssh does not say that it has added a key."""
    (ssh_home / "config").write_text("LogLevel ERROR\nStrictHostKeyChecking accept-new\n")
    way.config(sshd, engine, known=False, identity=user_key)
    assert way.ok().errors == "" and "ssh-ed25519" in way.known.read_text()


def test_passphrase_is_asked_for_once(way, sshd, ssh_keys, ssh_home, engine):
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    (ssh_home / "config").write_text("NumberOfPasswordPrompts 1\n")
    way.config(sshd, engine, identity=key)
    t = way.pty()
    answer(t, (f"Enter passphrase for key '{key}': ", "wrong"))
    assert t.wait() == 77 and t.shown.count(b"Enter passphrase") == 1


def test_passphrase_and_nobody_there(way, sshd, ssh_keys, engine):
    key = ssh_keys.make(passphrase="correct horse battery")
    sshd.authorize(key)
    way.config(sshd, engine, identity=key)
    done = way.run()
    assert done.code == 79 and f"Enter passphrase for key '{key}'" in done.errors


@pytest.fixture
def password(broker):
    return broker.secret(b"sUch-a-pAssword").decode()


def test_password(way, start_sshd, password, engine):
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    way.config(sshd, engine)
    t = way.pty()
    answer(t, ("assword: ", password))
    assert t.wait() == 0 and t.out == b"1\n"


def test_password_refused(way, start_sshd, password, engine):
    """What is typed is tried once."""
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    way.config(sshd, engine)
    t = way.pty()
    answer(t, ("assword: ", "wrong"))
    assert t.wait() == 77
    assert t.shown.count(b"assword: ") == 1 and f"the password of {sshd.user}@127.0.0.1:{sshd.port} was refused".encode() in t.shown


def test_password_of_the_keychain(way, start_sshd, password, broker, keychain, engine):
    """Asked for by nobody; a wrong one is asked for once more where there is a terminal, and not three times."""
    sshd = start_sshd(questions=[("Password: ", password, "hide")], lines=["PasswordAuthentication yes"])
    broker.env.update(keychain.env)
    way.config(sshd, engine)
    keychain_set(broker, password)
    way.ok()
    keychain_set(broker, "not it")
    t = way.pty()
    t.expect(b"assword: ")
    t.sendline(b"nor this")
    assert t.wait() == 77
    assert f"the password of {sshd.user}@127.0.0.1:{sshd.port} was refused".encode() in t.shown
    assert t.shown.count(b"assword: ") == 1


def keychain_set(broker, password):
    done = broker.run("password", "set", "--tunnel", "bastion", input=password.encode())
    assert done.code == 0, done.errors


def test_code(way, start_sshd, password, engine):
    """Several prompts of one login: the password, and a code that nobody keeps."""
    sshd = start_sshd(questions=[("Password: ", password, "hide"), ("Verification code: ", "123456", "hide")],
                      lines=["AuthenticationMethods keyboard-interactive", "KbdInteractiveAuthentication yes"])
    way.config(sshd, engine)
    t = way.pty()
    answer(t, ("Password: ", password), ("Verification code: ", "123456"))
    assert t.wait() == 0 and t.out == b"1\n"


def test_too_many_keys(way, start_sshd, ssh_keys, agent, broker, engine):
    keys = [ssh_keys.make() for _ in range(7)]
    sshd = start_sshd(lines=["MaxAuthTries 3"])
    broker.env.update(agent(*keys).env)
    way.config(sshd, engine)
    done = way.run()
    assert done.code == 77, done.errors
    assert done.errors.splitlines()[0] == f"broker: p: {sshd.user}@127.0.0.1: Too many authentication failures"


# the way

def test_no_such_bastion(way, sshd, user_key, engine):
    way.config(sshd, engine, identity=user_key, host="no-such-host.invalid")
    way.fails(69, "broker: p: no-such-host.invalid: no such host", f"hint: try ssh -p {sshd.port} {sshd.user}@no-such-host.invalid")


def test_nobody_listens(way, sshd, user_key, engine):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        way.config(sshd, engine, identity=user_key, port=port)
        way.fails(69, f"broker: p: 127.0.0.1:{port}: connection refused", f"hint: try ssh -p {port} {sshd.user}@127.0.0.1")


def test_one_that_never_answers(way, sshd, user_key, engine):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        way.config(sshd, engine, identity=user_key, port=port, connect_timeout="3s")
        way.fails(69, f"broker: p: 127.0.0.1:{port}: no answer within 3s",
                  f"hint: try ssh -p {port} {sshd.user}@127.0.0.1, or raise connect_timeout of the tunnel")


def test_server_refused(way, sshd, user_key, engine):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        way.config(sshd, engine, identity=user_key)
        text = way.broker.config_path.read_text()
        way.broker.config(re.sub(r"(?m)^port = \d+", f"port = {port}", text, count=1))
        way.fails(69, f"broker: p: 2003 {way.server.host}:{port}: connection refused",
                  "hint: check host and port: 127.0.0.1 connects to them; or by its socket: socket = /run/mysqld/mysqld.sock")


def test_server_that_never_answers(way, sshd, user_key, engine):
    """Its time is the profile's; that of the tunnel is for the bastion."""
    with contextlib.ExitStack() as held, socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        for _ in range(3):  # its queue is full
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        way.config(sshd, engine, identity=user_key, connect_timeout="30s")
        text = way.broker.config_path.read_text()
        way.broker.config(re.sub(r"(?m)^port = \d+", f"port = {port}\nconnect_timeout = 1s", text, count=1))
        way.fails(69, f"broker: p: 2013 {way.server.host}:{port}: no answer within 1s",
                  "hint: check host and port: 127.0.0.1 connects to them")


def test_server_unknown(way, sshd, user_key, engine):
    way.config(sshd, engine, identity=user_key)
    way.broker.config(way.broker.config_path.read_text().replace(f"host = {way.server.host}", "host = no-such-host.invalid", 1))
    way.fails(69, "broker: p: 2005 no-such-host.invalid: no such host", "hint: check host: 127.0.0.1 looks it up")


def test_forwards_forbidden(way, start_sshd, user_key, engine):
    sshd = start_sshd(lines=["AllowTcpForwarding no"])
    sshd.authorize(user_key)
    way.config(sshd, engine, identity=user_key)
    done = way.run()
    assert done.code == 77
    assert re.match(rf"broker: p: 2003 {re.escape(way.server.host)}:{way.server.port}: 127.0.0.1: .*prohibited", done.errors)


# which engine

def auto(way):
    """What --verbose says."""
    return re.search(r"route +ssh \S+, (.*)", way.ok("-v").errors)[1]


def test_engine_by_default(way, sshd, user_key):
    way.config(sshd, identity=user_key)
    assert auto(way) == "libssh2"


@pytest.mark.parametrize("config, why", [
    ("ProxyCommand nc %h %p", "ProxyCommand"), ("RekeyLimit 1G", "RekeyLimit"), ("AddKeysToAgent yes", "AddKeysToAgent"),
    ("PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-256", "PubkeyAcceptedAlgorithms"),
    ("PubkeyAcceptedAlgorithms ssh-ed25519,ssh-rsa", "PubkeyAcceptedAlgorithms")])
def test_engine_by_ssh_config(way, sshd, user_key, ssh_home, config, why):
    (ssh_home / "config").write_text(config + "\n")
    way.config(sshd, identity=user_key)
    if "nc " in config:
        way.broker.script("nc", 'exec python3 -c "import os,socket,sys,threading\n'
                          's=socket.create_connection((sys.argv[1],int(sys.argv[2])))\n'
                          'def up():\n while d:=os.read(0,65536): s.sendall(d)\n s.shutdown(1)\n'
                          'threading.Thread(target=up,daemon=True).start()\n'
                          'while d:=s.recv(65536): os.write(1,d)\n" "$@"')
    assert auto(way) == f"openssh: {why}"


@pytest.mark.parametrize("lines, host_keys, since", [
    ((), ("rsa",), (1, 11)), (("MACs hmac-sha2-256-etm@openssh.com", "Ciphers aes128-ctr"), ("ed25519",), (1, 11)),
    (("KexAlgorithms sntrup761x25519-sha512@openssh.com",), ("ed25519",), (99, 0))])
def test_engine_by_server(way, start_sshd, user_key, lines, host_keys, since):
    """What libssh2 cannot, or could not before a version, is for the system's ssh."""
    sshd = start_sshd(lines=lines, host_keys=host_keys)
    sshd.authorize(user_key)
    way.config(sshd, identity=user_key)
    assert auto(way).startswith("libssh2" if libssh2_version() >= since else "openssh: ")
    # Decided before any attempt to log in.
    said = sshd.all_said()
    assert said.count("Accepted publickey") == 1 and "Failed" not in said


@pytest.mark.parametrize("what, server, user, why", [
    ("host key", "HostKeyAlgorithms ssh-rsa", "HostKeyAlgorithms +ssh-rsa", "ssh-rsa"),
    ("key", "PubkeyAcceptedAlgorithms ssh-rsa", "PubkeyAcceptedAlgorithms ^ssh-rsa", "an RSA key where ssh-rsa is allowed")])
@pytest.mark.parametrize("allowed", [True, False])
def test_server_that_signs_with_sha1_only(way, start_sshd, ssh_keys, ssh_home, what, server, user, why, allowed):
    """It is for the system's ssh, and works where the user allows ssh-rsa."""
    sshd = start_sshd(lines=[server], host_keys=["rsa" if what == "host key" else "ed25519"])
    key = ssh_keys.make("ed25519" if what == "host key" else "rsa")
    sshd.authorize(key)
    way.config(sshd, identity=key)
    if not allowed:
        done = way.run()
        assert done.code == 77 and re.search(r"no matching host key type|Permission denied \(publickey\)", done.errors), done.errors
        return
    (ssh_home / "config").write_text(user + "\n")
    assert re.fullmatch(rf"openssh: .*{why}", auto(way))
    said = sshd.all_said()
    assert said.count("Accepted publickey") == 1 and "Failed" not in said


def test_rsa_key_where_ssh_rsa_is_allowed(way, sshd, ssh_keys, ssh_home):
    """libssh2 alone does it as before; another key needs no other engine."""
    rsa, other = ssh_keys.make("rsa"), ssh_keys.make()
    sshd.authorize(rsa, other)
    (ssh_home / "config").write_text("PubkeyAcceptedAlgorithms +ssh-rsa\n")
    way.config(sshd, "libssh2", identity=rsa)
    assert auto(way) == "libssh2"
    way.config(sshd, identity=other)
    assert auto(way) == "libssh2"


def test_engine_that_cannot(way, sshd, user_key, ssh_home):
    (ssh_home / "config").write_text("ProxyJump elsewhere\n")
    way.config(sshd, "libssh2", identity=user_key)
    way.fails(78, "broker: p: libssh2 does not support it: ProxyJump", "hint: ssh_engine = auto")


# what only the system's ssh does

def test_jump(way, sshd, start_sshd, user_key, ssh_home):
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
    way.config(inner, known=sshd.known() + inner.known(), host="inner", port=None, user="")
    way.broker.config(way.broker.config_path.read_text().replace("user = \n", ""))
    assert auto(way) == "openssh: ProxyJump"


@pytest.mark.parametrize("lines, why, code", [([], "connection refused", 69), (["PermitOpen none"], "administratively prohibited: open failed", 77)])
def test_jump_that_does_not_reach_it(way, start_sshd, user_key, ssh_home, lines, why, code):
    """The jump host's reason is the headline, not that the connection was closed."""
    jump = start_sshd(lines=lines)
    jump.authorize(user_key)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        (ssh_home / "config").write_text(f"Host inner\n  HostName 127.0.0.1\n  Port {port}\n  ProxyJump {jump.user}@127.0.0.1:{jump.port}\n"
                                         f"Host *\n  IdentityFile {user_key}\n")
        way.config(jump, known=jump.known(), host="inner", port=None)
        done = way.run()
        by = rf"{jump.user}@\[?127\.0\.0\.1\]?:{jump.port}"  # as ssh -G of this version writes it
        assert done.code == code and re.fullmatch(rf"broker: p: 127\.0\.0\.1:{port}: {by} cannot reach it: {why}\n"
                                                  rf"hint: try ssh {jump.user}@inner\n", done.errors), done.errors


def test_jump_with_a_password_of_its_own(way, sshd, start_sshd, user_key, ssh_home, broker, keychain, password):
    """The stored password is the tunnel's, and not for the host that is jumped over."""
    outer = start_sshd(questions=[("Password: ", password, "hide")], lines=["KbdInteractiveAuthentication no"])
    (ssh_home / "config").write_text(f"Host 127.0.0.1\n  ProxyJump {outer.user}@localhost:{outer.port}\n"
                                     f"Host localhost\n  ProxyJump none\n  PubkeyAuthentication no\n")
    broker.env.update(keychain.env)
    way.config(sshd, identity=user_key, known=sshd.known() + outer.known(name=f"[localhost]:{outer.port}"))
    keychain_set(broker, "only for the inner one")
    t = way.pty()
    answer(t, (f"{outer.user}@localhost's password: ", password))
    assert t.wait() == 0 and t.out == b"1\n"


def test_host_certificate(way, start_sshd, user_key, ssh_keys):
    ca, host = ssh_keys.make(), ssh_keys.make()
    ssh_keys.sign(ca, host, "-h", "-n", "127.0.0.1")
    sshd = start_sshd(host_keys=[host])
    sshd.authorize(user_key)
    text = "@cert-authority * " + (ca.parent / f"{ca.name}.pub").read_text()
    way.config(sshd, identity=user_key, known=text)
    assert auto(way) == "openssh: a host certificate"


def test_far_socket(way, start_sshd, user_key, mysql_server, engine):
    sshd = start_sshd()
    sshd.authorize(user_key)
    way.config(sshd, engine, identity=user_key)
    text = re.sub(r"(?m)^host = .*\nport = .*\n", f"socket = {mysql_server.socket}\n", way.broker.config_path.read_text(), count=1)
    way.broker.config(text)
    way.ok()
    way.broker.config(text.replace(str(mysql_server.socket), "/nonexistent/mysql.sock"))
    done = way.run()
    assert done.code in (69, 77) and done.errors.startswith("broker: p: 2003 /nonexistent/mysql.sock: "), done.errors
    assert done.errors.endswith("\nhint: check socket: it is 127.0.0.1's, whose sshd_config must allow it: AllowStreamLocalForwarding\n")


def test_nothing_is_left(way, sshd, user_key, broker, engine):
    """The harness looks for processes, sockets and files; here, that there was something to leave."""
    way.config(sshd, engine, identity=user_key)
    t = broker.start("exec", "p", "--", "sleep", "77")
    assert until(lambda: named("sleep"))
    assert bool(named("/usr/bin/ssh")) == (engine == "openssh")
    t.kill()
    t.wait()
    gone(broker)
