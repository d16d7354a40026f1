# SPDX-License-Identifier: MIT
"""Host keys, with both engines: prompts, acceptance, storage and refusal with ssh's own messages, and file and line of
the known key; never less strict than ssh. For servers that libssh2 does not support the system's ssh is used, and no
login attempt is wasted."""
import re
import subprocess

import pytest

from lib.bastion import libssh2_version, tunnel, write
from lib.forwards import until
from lib.keeping import gone
from servers.sshd import USER

QUESTION = b"Are you sure you want to continue connecting (yes/no/[fingerprint])? "
QUERY = ["--", "-NBe", "select current_user()"]
RESULT = b"app_native@%\n"


def prepare(home, sshd, engine, **keys):
    write(home.broker, home.server, tunnel(sshd, engine, **keys), client=home.client.path)
    return f"[{sshd.host}]:{sshd.port}"


def run(home, *args, **options):
    return home.broker.run("connect", "p", *args, *QUERY, **options)


def on_terminal(home, *args, **options):
    return home.broker.pty("connect", "p", *args, *QUERY, stdout="pipe", stderr="pipe", **options)


def logins(sshd):
    """The numbers of (accepted, refused) logins in its log so far."""
    text = sshd.all_said()
    return len(re.findall(r"Accepted \S+ for", text)), len(re.findall("Failed |Connection closed by authenticating", text))


def added(sshd, path):
    """Whether the file PATH holds the ed25519 key of SSHD once, by name or hashed (Debian's default). The system's ssh
    also adds, without asking, the other keys that the server announces."""
    found = subprocess.run(["ssh-keygen", "-F", f"[{sshd.host}]:{sshd.port}", "-f", path], capture_output=True, text=True).stdout
    key = sshd.known("ed25519").split(" ", 1)[1]
    return key in found and path.read_text().count(" ssh-ed25519 ") == 1


# An unknown key

@pytest.mark.parametrize("answer", ["yes", "YES", "fingerprint", "what?"])
def test_unknown_and_accepted(home, sshd, engine, answer):
    name, fingerprint_of_key = prepare(home, sshd, engine), sshd.fingerprint("ed25519")
    t = on_terminal(home)
    shown = t.expect(QUESTION).replace(b"\r", b"").lstrip(b"\n").decode()
    assert shown == (f"The authenticity of host '{name} ({name})' can't be established.\nED25519 key fingerprint is {fingerprint_of_key}.\n"
                     f"This key is not known by any other names.\n{QUESTION.decode()}")
    assert t.echo
    t.sendline((fingerprint_of_key if answer == "fingerprint" else answer).encode())
    if answer == "what?":
        t.expect(b"Please type 'yes', 'no' or the fingerprint: ")
        t.sendline(b"yes")
    assert t.wait() == 0 and t.out == RESULT
    assert t.err.decode() == f"Warning: Permanently added '{name}' (ED25519) to the list of known hosts.\n"
    assert added(sshd, home.known_hosts) and home.known_hosts.stat().st_mode & 0o777 == 0o600
    done = run(home)
    assert (done.out, done.err, done.code) == (RESULT, b"", 0) and gone(home.broker)


@pytest.mark.parametrize("answer", [b"no", b"", b"No"])
def test_unknown_and_refused(home, sshd, engine, answer):
    prepare(home, sshd, engine)
    before, t = logins(sshd), on_terminal(home)
    t.expect(QUESTION)
    t.sendline(answer)
    assert t.wait() == 77 and t.out == b"" and b"Host key verification failed" in t.err.splitlines()[0]
    assert not home.known_hosts.exists() and logins(sshd) == before and gone(home.broker)


def test_ctrl_c_at_the_question(home, sshd, engine):
    prepare(home, sshd, engine)
    t = on_terminal(home)
    t.expect(QUESTION)
    t.interrupt()
    assert t.wait() == -2 and (t.out, t.err) == (b"", b"") and gone(home.broker)


def test_no_terminal_to_prompt_on(home, sshd, engine):
    """Status 79, and the key that was offered."""
    name = prepare(home, sshd, engine)
    before = logins(sshd)
    for args in ([], ["--no-input"]):
        done = run(home, *args)
        assert (done.code, done.out) == (79, b"")
        assert done.errors.splitlines()[0] == f"broker: p: cannot ask without a terminal: The authenticity of host '{name} ({name})' can't be established"
        assert sshd.fingerprint("ed25519") in done.errors and "hint: " in done.errors.splitlines()[-1]
    assert not home.known_hosts.exists() and logins(sshd) == before and gone(home.broker)


@pytest.mark.parametrize("variable", ["SSH_ASKPASS", "BROKER_ASKPASS"])
def test_askpass(home, sshd, engine, variable):
    """Without a terminal the askpass program answers; that of ssh's own variable only if there is a display, as with
    ssh."""
    prepare(home, sshd, engine)
    asked = home.broker.script("ask", 'printf "%s" "$1" >$HOME/asked; echo yes')
    done = run(home, env={variable: str(asked), **({"DISPLAY": ":0"} if variable == "SSH_ASKPASS" else {})})
    assert (done.out, done.code) == (RESULT, 0), done.errors
    assert "authenticity of host" in (home.broker.home / "asked").read_text() and home.known_hosts.exists()


@pytest.mark.parametrize("setting, accepted", [("accept-new", True), ("no", True), ("yes", False)])
def test_strictness_of_the_config(home, sshd, engine, setting, accepted):
    prepare(home, sshd, engine)
    home.config(f"StrictHostKeyChecking {setting}\n")
    done = run(home)
    if accepted:
        assert done.out == RESULT and "Warning: Permanently added" in done.errors and added(sshd, home.known_hosts)
    else:
        assert done.code == 77 and "strict checking" in done.errors.splitlines()[0] and not home.known_hosts.exists()


@pytest.mark.parametrize("hashed", ["yes", "no"])
def test_name_is_hashed_when_added(home, sshd, engine, hashed):
    name = prepare(home, sshd, engine)
    home.config(f"HashKnownHosts {hashed}\nStrictHostKeyChecking accept-new\n")
    assert run(home).out == RESULT and added(sshd, home.known_hosts)
    assert home.known_hosts.read_text().startswith("|1|" if hashed == "yes" else f"{name} ssh-ed25519 ")
    assert run(home).errors == ""


def test_other_known_hosts_files(home, sshd, engine):
    prepare(home, sshd, engine)
    home.config("UserKnownHostsFile ~/.ssh/theirs ~/.ssh/more\n")
    (home.folder / "more").write_text(sshd.known("ecdsa"))
    assert run(home).out == RESULT
    (home.folder / "more").write_text("")
    t = on_terminal(home)
    t.expect(QUESTION)
    t.sendline(b"yes")
    assert t.wait() == 0 and added(sshd, home.folder / "theirs") and not home.known_hosts.exists()


# A known key

@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_known_by_one_key(home, sshd, engine, kind):
    """The server is asked for the type of key that is known."""
    prepare(home, sshd, engine)
    home.known_hosts.write_text("# a comment\n\nthis is no line\n" + sshd.known(kind))
    done = run(home)
    assert (done.out, done.err) == (RESULT, b"") and gone(home.broker)


@pytest.mark.parametrize("line", ["{name} {key}", "*.1,[127.0.0.*]:{port} {key}", "HASHED"])
def test_forms_of_known_hosts_lines(home, sshd, engine, line):
    name = prepare(home, sshd, engine)
    key = sshd.known("ed25519").split(" ", 1)[1].strip()
    home.known_hosts.write_text(line.format(name=name, port=sshd.port, key=key) + "\n" if line != "HASHED" else sshd.known("ed25519"))
    if line == "HASHED":
        subprocess.run(["ssh-keygen", "-H", "-f", home.known_hosts], check=True, capture_output=True)
    done = run(home)
    assert (done.out, done.err) == (RESULT, b"")


# A key other than the known one

def test_changed(home, sshd, start_sshd, engine):
    """It is refused, with file and line of the known key. The user is not prompted, and no login is attempted."""
    other = start_sshd(host_keys=["ed25519"])
    name = prepare(home, sshd, engine)
    home.known_hosts.write_text("# one\n# two\n" + other.known("ed25519", name=name))
    before, t = logins(sshd), on_terminal(home)
    assert t.wait() == 77 and t.out == b""
    assert t.err.decode() == (f"broker: p: {name}: REMOTE HOST IDENTIFICATION HAS CHANGED\n"
                              f"  ~/.ssh/known_hosts:3  ED25519 {other.fingerprint('ed25519')}\n"
                              f"  offered now           ED25519 {sshd.fingerprint('ed25519')}\n"
                              f"hint: ssh-keygen -R '{name}', once you know why\n")
    assert logins(sshd) == before and gone(home.broker)


@pytest.mark.parametrize("setting", ["no", "accept-new"])
def test_changed_is_never_accepted(home, sshd, start_sshd, engine, setting):
    other = start_sshd(host_keys=["ed25519"])
    home.known_hosts.write_text(other.known("ed25519", name=prepare(home, sshd, engine)))
    home.config(f"StrictHostKeyChecking {setting}\n")
    done = run(home)
    assert done.code == 77 and "HAS CHANGED" in done.errors.splitlines()[0]


def test_revoked(home, sshd, engine):
    name = prepare(home, sshd, engine)
    home.known_hosts.write_text(sshd.known("ed25519") + "@revoked * " + sshd.known("ed25519").split(" ", 1)[1])
    home.config("HostKeyAlgorithms ssh-ed25519\n")
    before, done = logins(sshd), run(home)
    assert done.code == 77 and done.errors.startswith(f"broker: p: {name}: ") and "revoked" in done.errors.splitlines()[0]
    assert "~/.ssh/known_hosts:2" in done.errors and logins(sshd) == before and gone(home.broker)


def test_keys_that_the_server_announces(home, sshd, forwards, engine):
    """UpdateHostKeys: the system's ssh stores the keys that the server announces, unless the user has switched that
    off; the libssh2 engine stores none."""
    for setting, learns in (("", engine == "openssh"), ("UpdateHostKeys no\n", False)):
        prepare(home, sshd, engine)
        home.known_hosts.write_text(sshd.known("ed25519"))
        home.config(setting)
        forwards.detach("p")
        here = lambda: sorted(line.split()[1] for line in home.known_hosts.read_text().splitlines())  # noqa: E731
        assert not learns or until(lambda: len(here()) == 3)
        assert home.broker.run("stop", "p").code == 0 and gone(home.broker)
        assert here() == (["ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-rsa"] if learns else ["ssh-ed25519"])


# What libssh2 does not support

def one_login(home, sshd, words, why):
    """--verbose shows WORDS and a reason that matches WHY in the line of the route; the server sees one login."""
    before = logins(sshd)
    done = run(home, "-v")
    assert done.out == RESULT, done.errors
    (route_line,) = [line for line in done.errors.splitlines() if line.split()[1] == "route"]
    assert words in route_line and re.search(why, route_line), route_line
    assert logins(sshd) == (before[0] + 1, before[1])


SERVERS = {  # options of sshd, the reason given if libssh2 does not support it, and the version from which it does
    "rsa host key": ({"host_keys": ["rsa"]}, "RSA|rsa|host key", (1, 11)),
    "etm macs": ({"lines": ["Ciphers aes128-ctr", "MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com"]}, "MAC|mac", (1, 11)),
    "gcm only": ({"lines": ["Ciphers aes256-gcm@openssh.com"]}, "cipher", (1, 11)),
    "new kex": ({"lines": ["KexAlgorithms sntrup761x25519-sha512@openssh.com"]}, "kex|no algorithm in common", (99, 0)),
}


@pytest.mark.parametrize("case", SERVERS)
@pytest.mark.parametrize("known", [True, False])
def test_servers_beyond_libssh2(home, start_sshd, user_key, case, known):
    options, why, since = SERVERS[case]
    sshd = start_sshd(**options)
    sshd.authorize(user_key)
    prepare(home, sshd, None)
    if known:
        home.knows(sshd)
    else:
        home.config("StrictHostKeyChecking accept-new\n")
    name = f"ssh {USER}@127.0.0.1:{sshd.port}"
    if libssh2_version() >= since:
        one_login(home, sshd, name, ", libssh2$")
        prepare(home, sshd, "libssh2")
        return one_login(home, sshd, name, ", libssh2$")
    one_login(home, sshd, f"{name}, openssh: ", why)
    prepare(home, sshd, "libssh2")
    done = run(home)
    assert done.code == 78 and done.errors.startswith("broker: p: libssh2 does not support it: ") and re.search(why, done.errors.splitlines()[0])
    assert done.errors.endswith("hint: ssh_engine = auto\n") and gone(home.broker)


def test_host_certificate(home, start_sshd, ssh_keys, user_key):
    """@cert-authority: only the system's ssh supports certificates; one of another CA is refused."""
    ca, wrong, host = ssh_keys.make(), ssh_keys.make(), ssh_keys.make()
    ssh_keys.sign(ca, host, "-h", "-n", "127.0.0.1")
    sshd = start_sshd(host_keys=[host])
    sshd.authorize(user_key)
    name = prepare(home, sshd, None)
    line = "@cert-authority {} " + "{}"
    home.known_hosts.write_text(line.format(name, ca.with_name(ca.name + ".pub").read_text()))
    one_login(home, sshd, f"ssh {USER}@127.0.0.1:{sshd.port}, openssh: ", "certificate")
    home.known_hosts.write_text(line.format(name, wrong.with_name(wrong.name + ".pub").read_text()))
    done = run(home)
    assert done.code in (77, 79) and not done.out, done.errors
