# SPDX-License-Identifier: MIT
"""Login to a bastion, with either engine: passwords, prompts, keys, agents, certificates; what the user is asked, and
how often. No attempt is wasted, because servers count them."""
import re
import subprocess

import pytest

from conftest import BASE, lasting
from lib.bastion import Home, tunnel, write
from lib.keeping import gone, keeper, memory_of
from servers.sshd import Sshd

QUERY = ["--", "-NBe", "select current_user()"]
RESULT = b"app_native@%\n"
PASSWORD, CODE, PHRASE = b"fake-ssh-password-canary", b"fake-code-471147", b"fake-passphrase-canary"
ASKS_PASSWORD = [("Password: ", PASSWORD.decode(), "hide")]
ASKS_BOTH = [*ASKS_PASSWORD, ("Verification code: ", CODE.decode(), "hide")]


@pytest.fixture(scope="session")
def shared_asking(names, ssh_keys):
    yield from lasting(Sshd, BASE / "asking", ssh_keys, questions=ASKS_PASSWORD, host_keys=["ed25519"])


@pytest.fixture
def asking(shared_asking):
    """An sshd that asks for PASSWORD, and accepts no key."""
    shared_asking.ask(ASKS_PASSWORD)
    shared_asking.authorize()
    return shared_asking


@pytest.fixture
def home(broker, ssh_home, mariadb_server, clients):
    home = Home(broker, ssh_home)
    home.server, home.client = mariadb_server, clients["mariadb1011"]
    for value in (PASSWORD, CODE, PHRASE):
        broker.secret(value)
    return home


class Counting:
    """(logins, failed attempts other than with keys) in the sshd's log since this was created."""

    def __init__(self, sshd):
        self.sshd, self.start = sshd, len(sshd.all_said())

    def __call__(self):
        text = self.sshd.all_said()[self.start:]
        return len(re.findall(r"Accepted \S+ for", text)), len(re.findall(r"Failed (?!publickey)\S+ for", text))


def prepare(home, sshd, engine, *lines, **keys):
    home.knows(sshd)
    write(home.broker, home.server, tunnel(sshd, engine, *lines, **keys), client=home.client.path)
    return Counting(sshd)


def run(home, *args, **options):
    return home.broker.run("connect", "p", *args, *QUERY, **options)


def on_terminal(home, *args):
    return home.broker.pty("connect", "p", *args, *QUERY, stdout="pipe", stderr="pipe")


def answer(t, question, said, echo=False):
    shown = t.expect(question)
    assert shown.lstrip(b"\r\n") == question and t.echo == echo, shown
    t.sendline(said)


def user_host(sshd):
    return f"{sshd.user}@{sshd.host}"


# Passwords

def test_method_none_is_tried_first(home, start_sshd, ssh_keys, engine):
    """If the sshd accepts a login without any proof, no key is offered, and the user is not asked for a passphrase."""
    key = ssh_keys.make(passphrase=PHRASE.decode())
    sshd = start_sshd(questions=[], lines=["PasswordAuthentication yes", "PermitEmptyPasswords yes"], host_keys=["ed25519"])
    sshd.authorize(key)
    prepare(home, sshd, engine, identity=key)
    done = run(home)
    assert done.out == RESULT and not done.err, done.errors
    said = sshd.all_said()
    assert said.count("Accepted none for") == 1 and "publickey" not in said and "Failed" not in said


def test_server_that_asks_for_nothing(home, start_bastion, ssh_keys, engine):
    bastion = start_bastion("asyncssh", "open")
    key = ssh_keys.make(passphrase=PHRASE.decode())
    bastion.authorize(key)
    home.knows(bastion)
    write(home.broker, home.server, tunnel(bastion, engine, identity=key), client=home.client.path)
    done = run(home)
    assert done.out == RESULT and not done.err and bastion.logins() == 1, done.errors


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_password(home, asking, engine, method):
    count = prepare(home, asking, engine)
    home.config(f"PreferredAuthentications {method}\n")
    question = f"{user_host(asking)}'s password: " if method == "password" else f"({user_host(asking)}) Password: "
    t = on_terminal(home)
    answer(t, question.encode(), PASSWORD)
    assert t.wait() == 0 and (t.out, t.err) == (RESULT, b"") and count() == (1, 0) and gone(home.broker)


def test_the_guard_does_not_have_the_password(home, asking, engine):
    """The keeper has it, as it may have to open the tunnel again. Its guard, which was forked before the question, does
    not."""
    prepare(home, asking, engine)
    t = home.broker.pty("exec", "p", "--", "sh", "-c", "echo it runs; read end")
    t.expect(b"assword: ")
    t.sendline(PASSWORD)
    t.expect(b"it runs")
    guard, pid = keeper()
    assert PASSWORD in memory_of(pid) and PASSWORD not in memory_of(guard)
    t.sendline(b"")
    assert t.wait() == 0 and gone(home.broker)


@pytest.fixture
def stored(home, keychain):
    """stored(value) stores VALUE in the keychain, as the password of the tunnel."""
    home.broker.env.update(keychain.env)

    def put(value):
        done = home.broker.run("password", "set", "--tunnel", "far", input=value)
        assert done.code == 0, done.errors
    return put


def test_stored_password(home, asking, engine, stored):
    count = prepare(home, asking, engine)
    stored(PASSWORD)
    with home.broker.watch() as watch:
        done = run(home)
    assert (done.out, done.err) == (RESULT, b"") and count() == (1, 0)
    home.broker.secrets.remove(home.server.password("app_native"))  # this one is in the environment
    home.broker.assert_hidden(watch)
    t = on_terminal(home)
    assert t.wait() == 0 and t.shown == b"" and gone(home.broker)


@pytest.mark.parametrize("second, code", [(PASSWORD, 0), (b"fake-wrong-too", 77)])
def test_stored_password_that_is_wrong(home, asking, engine, stored, second, code):
    """On a terminal, the user is asked once, and not three times."""
    count = prepare(home, asking, engine)
    stored(b"fake-wrong")
    t = on_terminal(home)
    answer(t, f"({user_host(asking)}) Password: ".encode(), second)
    assert t.wait() == code and t.out == (b"" if code else RESULT)
    assert count() == ((0, 2) if code else (1, 1)) and gone(home.broker)


def test_stored_password_that_is_wrong_and_no_terminal(home, asking, engine, stored):
    count = prepare(home, asking, engine)
    stored(b"fake-wrong")
    done = run(home)
    assert done.code in (77, 79) and not done.out and "hint: " in done.errors
    assert count() == (0, 1) and gone(home.broker)


def test_no_password_and_no_prompt(home, asking, engine):
    """The exit status is 79, and no login is attempted."""
    count = prepare(home, asking, engine)
    for args in ([], ["--no-input"]):
        done = run(home, *args)
        assert (done.code, done.out) == (79, b"") and done.errors.endswith("hint: broker password set --tunnel far\n"), done.errors
    assert count() == (0, 0) and gone(home.broker)


def test_wrong_password(home, asking, engine):
    count = prepare(home, asking, engine)
    t = on_terminal(home)
    answer(t, f"({user_host(asking)}) Password: ".encode(), b"fake-wrong")
    assert t.wait() == 77 and t.err.startswith(b"broker: p: ") and b"hint: " in t.err
    assert count() == (0, 1) and gone(home.broker)


def test_password_of_a_url(home, asking, engine):
    """It is used for this run only."""
    count = prepare(home, asking, engine)
    server = home.server
    url = (f"mysql://app_native:{server.password('app_native').decode()}@127.0.0.1:{server.port}/?type=ssh&ssh_host={asking.host}"
           f"&ssh_port={asking.port}&ssh_user={asking.user}&ssh_password={PASSWORD.decode()}&tls=preferred")
    done = home.broker.run("connect", "-", "-o", f"tunnel.ssh_engine={engine}", "--client", home.client.path, *QUERY, input=url.encode() + b"\n")
    assert done.out == RESULT and count() == (1, 0), done.errors


# Several prompts

def test_two_prompts(home, asking, engine):
    asking.ask([*ASKS_PASSWORD, ("Favourite colour: ", "blue", "echo")])
    count = prepare(home, asking, engine)
    t = on_terminal(home)
    answer(t, f"({user_host(asking)}) Password: ".encode(), PASSWORD)
    answer(t, f"({user_host(asking)}) Favourite colour: ".encode(), b"blue", echo=engine == "libssh2")
    assert t.wait() == 0 and t.out == RESULT and count() == (1, 0) and gone(home.broker)


@pytest.mark.parametrize("second", ["New password: ", "LDAP Password: "])
def test_password_after_a_stored_password(home, asking, engine, stored, second):
    """The second prompt is for another password, and does not mean that the first one was refused."""
    first, new = "Password: " if engine == "openssh" else "Current password: ", home.broker.secret(b"fake-new-canary")
    asking.ask([(first, PASSWORD.decode(), "hide"), (second, new.decode(), "hide"), ("Once more: ", new.decode(), "hide")])
    count = prepare(home, asking, engine)
    stored(PASSWORD)
    t = on_terminal(home)
    answer(t, f"({user_host(asking)}) {second}".encode(), new)
    answer(t, f"({user_host(asking)}) Once more: ".encode(), new)
    assert t.wait() == 0 and t.out == RESULT and count() == (1, 0) and gone(home.broker)


def test_code_after_a_stored_password(home, asking, engine, stored):
    """The user is asked only for the code."""
    asking.ask(ASKS_BOTH)
    count = prepare(home, asking, engine)
    stored(PASSWORD)
    t = on_terminal(home)
    answer(t, f"({user_host(asking)}) Verification code: ".encode(), CODE)
    assert t.wait() == 0 and t.out == RESULT and count() == (1, 0)
    done = run(home)
    assert done.code == 79 and "Verification code" in done.errors.splitlines()[0] and gone(home.broker), done.errors


def test_code_after_a_key(home, start_sshd, user_key, engine):
    sshd = start_sshd(questions=[ASKS_BOTH[1]], lines=["AuthenticationMethods publickey,keyboard-interactive"], host_keys=["ed25519"])
    sshd.authorize(user_key)
    home.has_key(user_key)
    count = prepare(home, sshd, engine)
    t = on_terminal(home)
    answer(t, f"({user_host(sshd)}) Verification code: ".encode(), CODE)
    assert t.wait() == 0 and t.out == RESULT and count()[1] == 0 and gone(home.broker)


# Keys

@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("where", ["default", "identity", "agent"])
def test_keys(home, sshd, ssh_keys, agent, engine, kind, where):
    """With libssh2, ssh is not needed for any of them, not even for RSA."""
    key = ssh_keys.make(kind)
    sshd.authorize(key)
    keys = {}
    if where == "default":
        home.has_key(key)
    elif where == "identity":
        keys["identity"] = key
    else:
        home.broker.env.update(agent(key).env)
    prepare(home, sshd, engine, **keys)
    done = run(home, "-v")
    assert done.out == RESULT and f":{sshd.port}, {engine}" in done.errors, done.errors


@pytest.mark.parametrize("options", [["-m", "PEM"], ["-m", "PKCS8"], ["-o"]], ids=["PEM", "PKCS8", "OpenSSH"])
@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
@pytest.mark.parametrize("phrase", ["", PHRASE.decode()])
def test_key_files(home, sshd, ssh_keys, kind, options, phrase):
    """broker reads the file; for a key that libssh2 cannot use, the other engine is needed."""
    beyond = phrase and kind == "rsa" and options == ["-o"]
    key = ssh_keys.make(kind, phrase, [] if options == ["-o"] else options)
    sshd.authorize(key)
    if beyond:
        prepare(home, sshd, "libssh2", identity=key)
        done = run(home)
        assert (done.code, done.errors) == (78, "broker: p: libssh2 does not support it: an RSA key with a passphrase in OpenSSH's own format\n"
                                                "hint: ssh_engine = auto\n")
    count = prepare(home, sshd, None if beyond else "libssh2", identity=key)
    t = on_terminal(home, "-v")
    if phrase:
        answer(t, f"Enter passphrase for key '{key}': ".encode(), PHRASE)
    assert (t.wait(), t.out) == (0, RESULT) and count()[0] == 1, t.err
    assert (b", openssh: " if beyond else b", libssh2\n") in t.err


def test_keys_are_not_kept_if_ssh_makes_the_tunnel(home, sshd, ssh_keys):
    """The libssh2 engine had read each of them first, and asked for the passphrase."""
    key, other = ssh_keys.make("rsa", PHRASE.decode(), []), ssh_keys.make("ecdsa")
    sshd.authorize(key)
    home.has_key(other), home.has_key(key)
    prepare(home, sshd, None)
    t = home.broker.pty("exec", "p", "-v", "--", "sh", "-c", "echo it runs; read end")
    t.expect(f"Enter passphrase for key '{home.folder / 'id_rsa'}': ".encode())
    t.sendline(PHRASE)
    shown = t.expect(b"it runs")
    memory = memory_of(keeper()[1])
    t.sendline(b"")
    assert t.wait() == 0 and b"openssh: an RSA key with a passphrase" in shown and gone(home.broker), shown
    texts = [line for path in (key, other) for line in path.read_bytes().splitlines()[1:-1]]
    assert PHRASE in memory  # it is kept, as the tunnel may have to be opened again
    assert not [line for line in texts if line in memory]


@pytest.mark.parametrize("kex, said", [("+", True), ("curve25519-sha256,sntrup761x25519-sha512@openssh.com", False)])
def test_missing_post_quantum_key_exchange_is_reported(home, sshd, user_key, engine, kex, said):
    """If ssh would begin with a post-quantum key exchange, -v says that libssh2 has none."""
    if kex != "+":
        home.config(f"KexAlgorithms {kex}\n")
    prepare(home, sshd, engine, identity=user_key)
    done = run(home, "-v")
    (first,) = re.findall(r"(?m)^kexalgorithms ([^,\n]+)", subprocess.run(["ssh", "-G", "h", "-F", "none"], capture_output=True, text=True).stdout)
    words = f"no post-quantum key exchange ({first}): libssh2 has none, but ssh_engine = openssh does"
    assert done.out == RESULT and (words in done.errors) == (said and engine == "libssh2"), done.errors
    assert words not in run(home).errors


def test_passphrase_that_is_wrong(home, sshd, ssh_keys, engine):
    """The user is asked three times in all, as by ssh; without a terminal the exit status is 79."""
    key = ssh_keys.make("ed25519", PHRASE.decode())
    sshd.authorize(key)
    prepare(home, sshd, engine)
    question = f"Enter passphrase for key '{home.has_key(key)}': ".encode()
    for last, code in ((PHRASE, 0), (b"fake-wrong", 77)):
        t = on_terminal(home)
        for said in (b"fake-wrong", b"fake-wrong-too", last):
            t.expect(question)
            t.sendline(said)
        assert (t.wait(), t.out) == (code, b"" if code else RESULT), t.err
    done = run(home)
    assert done.code == 79 and "Enter passphrase for key" in done.errors.splitlines()[0] and gone(home.broker), done.errors


def test_no_key_is_accepted(home, sshd, ssh_keys, engine):
    """The error has ssh's own message, and the hint says how to fix it."""
    home.has_key(ssh_keys.make("ecdsa"))
    prepare(home, sshd, engine)
    done = run(home)
    assert (done.code, done.errors) == (77, f"broker: p: {user_host(sshd)}: Permission denied (publickey)\n"
                                            f"hint: make ssh -p {sshd.port} {user_host(sshd)} work, or set identity in [tunnel far]\n")
    assert gone(home.broker)


# Agents and certificates

@pytest.fixture(scope="module")
def ten_keys(ssh_keys):
    return [ssh_keys.make("ed25519") for _ in range(10)]


def test_agent_with_ten_keys(home, start_sshd, ten_keys, agent, engine):
    """If the server allows enough attempts, the last key is found; with `identity`, that key is offered first."""
    home.broker.env.update(agent(*ten_keys).env)
    patient, usual = start_sshd(lines=["MaxAuthTries 20"]), start_sshd()
    for sshd in (patient, usual):
        sshd.authorize(ten_keys[-1])
    prepare(home, patient, engine)
    assert run(home).out == RESULT
    prepare(home, usual, engine)
    done = run(home)
    assert done.code == 77 and "Too many authentication failures" in done.errors and "identity" in done.errors.splitlines()[-1], done.errors
    (home.folder / "last.pub").write_text(ten_keys[-1].with_name(ten_keys[-1].name + ".pub").read_text())
    for identity in (home.folder / "last.pub", None):  # only the agent has the private key
        prepare(home, usual, engine, identity=identity)
        home.config(f"IdentityFile {home.folder}/last\nIdentitiesOnly yes\n" if not identity else "")
        done = run(home)
        assert done.out == RESULT and gone(home.broker), done.errors


def test_max_auth_tries(home, start_sshd, ten_keys, agent, ssh_keys, engine):
    """There is only one attempt, so the key that the profile names must be offered before those of the agent."""
    sshd = start_sshd(lines=["MaxAuthTries 2"])
    key = ssh_keys.make()
    sshd.authorize(key)
    home.broker.env.update(agent(*ten_keys).env)
    prepare(home, sshd, engine, identity=key)
    done = run(home)
    assert done.out == RESULT, done.errors


@pytest.mark.parametrize("where", ["file", "agent"])
def test_user_certificate(home, start_sshd, ssh_keys, agent, where):
    """broker uses the system's ssh for it, without an attempt by libssh2 before."""
    ca, key = ssh_keys.make(), ssh_keys.make()
    sshd = start_sshd(lines=[f"TrustedUserCAKeys {ca}.pub"])
    ssh_keys.sign(ca, key, "-n", sshd.user)
    if where == "file":
        home.has_key(key)
    else:
        home.broker.env.update(agent(key).env)
    count = prepare(home, sshd, None)
    done = run(home, "-v")
    assert done.out == RESULT and ", openssh: " in done.errors and "certificate" in done.errors and count() == (1, 0), done.errors


def test_agent_socket_that_does_not_exist(home, sshd, user_key, engine):
    """The key files are used."""
    home.has_key(user_key)
    prepare(home, sshd, engine)
    done = run(home, env={"SSH_AUTH_SOCK": str(home.folder / "none")})
    assert done.out == RESULT


def test_agent_that_never_answers(home, sshd, user_key, silent_bus):
    """libssh2 goes on with the key files. ssh waits for its agent without end, so with it the login fails after
    login_timeout."""
    home.has_key(user_key)
    silent = {"SSH_AUTH_SOCK": silent_bus.env["DBUS_SESSION_BUS_ADDRESS"].partition("path=")[2]}
    prepare(home, sshd, "libssh2")
    done = run(home, "-v", env=silent)
    assert done.out == RESULT and "the ssh agent does not answer" in done.errors, done.errors
    prepare(home, sshd, "openssh")
    done = run(home, "-o", "login_timeout=2s", env=silent)
    assert done.code == 69 and done.errors.startswith(f"broker: p: {user_host(sshd)}: not logged in within 2s\n"), done.errors
    assert gone(home.broker)
