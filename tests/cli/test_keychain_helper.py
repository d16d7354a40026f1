# SPDX-License-Identifier: MIT
"""broker-keychain by itself: records on its stdin and stdout, against a real Secret Service."""
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from subprocess import PIPE

import pytest

from conftest import BASE
from lib.broker import BUILD
from servers import process, secret_service
from servers.secret_service import SecretService

HELPER = BUILD / "libexec" / "broker" / "broker-keychain"
GET, PUT, ERASE = 16, 17, 18
OK, ERROR = 1, 2
IDENTITY, LABEL, SECRET, TIMEOUT, QUIET, COUNT = 1, 2, 3, 4, 5, 6
CODE, WHAT, MSG, DETAIL, HINT = 1, 2, 3, 4, 5
UNREACHABLE, PROTOCOL, LOGIN, DATA = 69, 76, 79, 65
ACCOUNT = "mysql://app@db.example.com:3306"
CANARY = b"canary-keychain-7f3e"


def field(tag, data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">BI", tag, len(data)) + data


def record(kind, *fields, version=1):
    body = b"".join(fields)
    return struct.pack(">IBB", len(body) + 2, version, kind) + body


def request(verb, identity=ACCOUNT, secret=None, label="app@db", ms=10000, quiet=False):
    fields = [field(IDENTITY, identity), field(TIMEOUT, struct.pack(">Q", ms))]
    if verb == PUT:
        fields += [field(LABEL, label), field(SECRET, secret)]
    return record(verb, *fields, *([field(QUIET, b"")] if quiet else []))


def parse(data):
    """[(kind, {tag: bytes})]"""
    answers = []
    while data:
        length, version, kind = struct.unpack(">IBB", data[:6])
        body, data, fields = data[6:length + 4], data[length + 4:], {}
        assert version == 1
        while body:
            tag, n = struct.unpack(">BI", body[:5])
            fields[tag], body = body[5:5 + n], body[5 + n:]
        answers.append((kind, fields))
    return answers


class Helper:
    def __init__(self, runner):
        self.runner = runner

    def raw(self, data, env={}, wrap=(), code=0):
        done = self.runner.run(input=data, env=env, wrap=wrap, secret_out=True)
        assert done.err == b""
        assert done.code == code
        return parse(done.out)

    def ask(self, *requests, env={}, wrap=()):
        answers = self.raw(b"".join(requests), env=env, wrap=wrap)
        assert len(answers) == len(requests)
        return answers[0] if len(requests) == 1 else answers


@pytest.fixture
def helper(bare_broker):
    if not os.access(HELPER, os.X_OK):
        pytest.skip(f"missing: {HELPER} (make)")
    runner = bare_broker(HELPER)
    runner.secret(CANARY)
    return Helper(runner)


@pytest.fixture
def asked(helper, keychain):
    """A function that sends requests to the helper, with the unlocked keychain."""
    return lambda *requests, env={}, **more: helper.ask(*requests, env={**keychain.env, **env}, **more)


def text(answer, tag):
    return answer[1].get(tag, b"").decode()


def failed(answer, code):
    assert answer[0] == ERROR, answer
    assert struct.unpack(">Q", answer[1][CODE])[0] == code, answer
    return text(answer, MSG)


def test_round_trip(asked):
    none, put, got, erased, again = asked(request(GET), request(PUT, secret=CANARY), request(GET), request(ERASE), request(GET))
    assert none == (OK, {}) and put == (OK, {})
    assert got == (OK, {SECRET: CANARY})
    assert erased == (OK, {COUNT: struct.pack(">Q", 1)})
    assert again == (OK, {})


def test_a_second_put_replaces(asked, keychain):
    asked(request(PUT, secret=b"first"), request(PUT, secret=CANARY))
    assert asked(request(GET))[1][SECRET] == CANARY
    assert keychain.search({"identity": ACCOUNT}).count(b"label =") == 1


def test_other_programs_find_it_by_its_identity(asked, keychain):
    asked(request(PUT, secret=CANARY, label="app@db.example.com:3306"))
    assert keychain.lookup({"identity": ACCOUNT}) == CANARY
    seen = keychain.search({"identity": ACCOUNT})
    assert b"label = app@db.example.com:3306" in seen and b"schema = org.broker.Password" in seen


def test_identities_do_not_mix(asked):
    asked(request(PUT, "a", secret=b"1"), request(PUT, "b", secret=b"2"))
    assert [a[1].get(SECRET) for a in asked(*(request(GET, i) for i in ("a", "b", "c")))] == [b"1", b"2", None]
    assert asked(request(ERASE, "a"), request(GET, "b"))[1][1][SECRET] == b"2"


def test_entries_of_another_schema_are_not_ours(asked, keychain):
    keychain.store("foreign", b"not ours", {"identity": ACCOUNT})
    assert asked(request(GET)) == (OK, {})
    assert asked(request(ERASE)) == (OK, {COUNT: struct.pack(">Q", 0)})
    assert keychain.lookup({"identity": ACCOUNT}) == b"not ours"


def test_erase_of_nothing_reports_0(asked):
    assert asked(request(ERASE)) == (OK, {COUNT: struct.pack(">Q", 0)})


def test_several_entries(asked, keychain):
    """Other programs may make several entries with our schema: GET returns the newest, ERASE removes all."""
    ours = {"identity": ACCOUNT, "xdg:schema": "org.broker.Password"}
    keychain.store("old", b"old", {**ours, "other": "1"})
    time.sleep(1.1)  # the timestamps of entries are in seconds
    keychain.store("new", b"new", {**ours, "other": "2"})
    assert asked(request(GET))[1][SECRET] == b"new"
    assert asked(request(ERASE)) == (OK, {COUNT: struct.pack(">Q", 2)})
    assert keychain.lookup({"identity": ACCOUNT}) is None


SECRETS = {
    "empty": b"",
    "every byte": bytes(range(1, 256)),
    "each byte twice": b"".join(bytes([i, i]) for i in range(1, 256)),
    "lone continuation": b"\x80",
    "spaces": b" \t a \n",
    "NUL": b"a\0b",
    "utf8": "pässwörd \N{KEY}".encode(),
    "4k": b"x" * 4096,
    "64k": b"y" * 65536,
    "64k of bytes": bytes(range(256)) * 256,
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_any_bytes(asked, secret):
    assert asked(request(PUT, secret=secret), request(GET))[1] == (OK, {SECRET: secret})


def test_any_bytes_survive_a_restart_of_the_service(helper, keychain):
    env = keychain.env
    for name, secret in SECRETS.items():
        assert helper.ask(request(PUT, name, secret=secret), env=env) == (OK, {})
    process.stop(keychain.keyring)
    keychain.keyring = keychain._start_keyring()
    for name, secret in SECRETS.items():
        assert helper.ask(request(GET, name), env=env) == (OK, {SECRET: secret}), name


def test_identity_not_in_utf8(asked):
    bad = b"mysql://\xff@h:3306"
    got, put, erased = asked(request(GET, bad), request(PUT, bad, secret=b"x"), request(ERASE, bad))
    assert got == (OK, {}) and erased == (OK, {COUNT: struct.pack(">Q", 0)})
    assert "UTF-8" in failed(put, DATA)


def test_identity_of_8_kib(asked):
    assert asked(request(PUT, "x" * 8192, secret=b"1"), request(GET, "x" * 8192))[1] == (OK, {SECRET: b"1"})


# No keychain


def test_no_session_bus(helper):
    assert failed(helper.ask(request(GET)), UNREACHABLE) == "no session bus"


def test_no_bus_at_the_address(helper):
    answer = helper.ask(request(GET), env={"DBUS_SESSION_BUS_ADDRESS": f"unix:path={helper.runner.folder}/none"})
    assert failed(answer, UNREACHABLE).startswith("session bus: ")


@pytest.mark.parametrize("address", ["garbage", "unix:", "tcp:host=127.0.0.1,port=1", ";;;", "unixexec:path=/bin/false"])
def test_broken_address(helper, address):
    answer = helper.ask(request(GET), env={"DBUS_SESSION_BUS_ADDRESS": address})
    assert failed(answer, UNREACHABLE).startswith("session bus: ")


@pytest.mark.parametrize("verb", [GET, PUT, ERASE])
def test_no_service_on_the_bus(helper, empty_bus, verb):
    answer = helper.ask(request(verb, secret=CANARY), env=empty_bus.env)
    assert failed(answer, UNREACHABLE) == "no Secret Service on the session bus"


def test_bus_that_never_answers(helper, silent_bus):
    start = time.monotonic()
    assert "no answer in time" in failed(helper.ask(request(GET), env=silent_bus.env), UNREACHABLE)
    assert 0.9 < time.monotonic() - start < 10


def test_runtime_bus_is_found_without_the_variable(helper, keychain):
    os.symlink(keychain.folder / "run" / "bus", helper.runner.runtime / "bus")
    assert helper.ask(request(PUT, secret=CANARY)) == (OK, {})
    assert keychain.lookup({"identity": ACCOUNT}) == CANARY


def test_a_service_that_hangs(helper, keychain):
    os.kill(keychain.keyring.pid, signal.SIGSTOP)
    start = time.monotonic()
    answer = helper.ask(request(GET, ms=700), env=keychain.env)
    os.kill(keychain.keyring.pid, signal.SIGCONT)
    assert "no answer in time" in failed(answer, UNREACHABLE)
    assert 0.6 < time.monotonic() - start < 10


def test_a_service_that_dies_between_two_requests(helper, keychain):
    with helper.runner.start(stdin=PIPE, stdout=PIPE, env=keychain.env) as proc:
        proc.stdin.write(request(GET))
        proc.stdin.flush()
        assert os.read(proc.stdout.fileno(), 100) == record(OK)
        process.stop(keychain.keyring)
        out, _ = proc.communicate(request(GET), timeout=10)
    keychain.keyring = None
    assert failed(parse(out)[0], UNREACHABLE) == "no Secret Service on the session bus"


# A service that D-Bus starts on demand


@pytest.fixture
def servicedir(monkeypatch):
    """servicedir(name, command) makes a name activatable; servicedir.start(keyring=True) starts the bus."""
    folder = Path(tempfile.mkdtemp(dir=BASE))
    inside = f"<servicedir>{folder}</servicedir></busconfig>"
    monkeypatch.setattr(secret_service, "BUS", secret_service.BUS.replace("</busconfig>", inside))
    started = []

    def add(name, command, with_bus=True):
        command = f"/usr/bin/setpriv --pdeathsig KILL {command}" if with_bus else command
        (folder / f"{name}.service").write_text(f"[D-BUS Service]\nName={name}\nExec={command}\n")

    def start(keyring=True):
        started.append(SecretService(folder / "ss", keyring=keyring))
        return started[0]
    add.start, add.folder = start, folder
    yield add
    for service in started:
        service.stop()


def test_activated(helper, servicedir):
    """The real service, which is not running yet. dbus-daemon does not end it, so the script notes its pid for the
    test."""
    folder, noted = servicedir.folder, servicedir.folder / "pid"
    script = folder / "start"
    script.write_text(f"#!/bin/sh\necho $$ > {noted}\nexport HOME={folder} XDG_RUNTIME_DIR={folder}\n"
                      "exec /usr/bin/gnome-keyring-daemon --start --foreground --components=secrets 2>/dev/null\n")
    script.chmod(0o700)
    servicedir("org.freedesktop.secrets", script, with_bus=False)
    answer = helper.ask(request(GET), env=servicedir.start(keyring=False).env)
    os.kill(int(noted.read_text()), signal.SIGKILL)
    assert answer == (OK, {}), text(answer, MSG)


def test_activation_fails(helper, servicedir):
    servicedir("org.freedesktop.secrets", "/bin/false")
    start = time.monotonic()
    answer = helper.ask(request(GET), env=servicedir.start(keyring=False).env)
    assert failed(answer, UNREACHABLE).startswith("starting the Secret Service: ")
    assert time.monotonic() - start < 10


def test_activation_hangs(helper, servicedir):
    servicedir("org.freedesktop.secrets", "/bin/sleep 60")
    start = time.monotonic()
    answer = helper.ask(request(GET, ms=1000), env=servicedir.start(keyring=False).env)
    assert "no answer in time" in failed(answer, UNREACHABLE)
    assert 0.9 < time.monotonic() - start < 10


# A locked keychain


@pytest.mark.parametrize("display", [{}, {"DISPLAY": ""}], ids=["unset", "empty"])
@pytest.mark.parametrize("verb", [GET, PUT, ERASE])
def test_locked_without_a_display(helper, keychain, verb, display):
    assert helper.ask(request(PUT, secret=b"before"), env=keychain.env) == (OK, {})
    keychain.lock()
    answer = helper.ask(request(verb, secret=CANARY), env={**keychain.env, **display})
    assert failed(answer, LOGIN) == "the keychain is locked"
    assert "unlock" in text(answer, HINT)
    assert keychain.locked()


def test_locked_get_of_a_missing_entry_is_no_error(helper, locked_keychain):
    assert helper.ask(request(GET), env=locked_keychain.env) == (OK, {})


def test_quiet_forbids_the_unlock_prompt(helper, keychain):
    helper.ask(request(PUT, secret=b"x"), env=keychain.env)
    keychain.lock()
    start = time.monotonic()
    answer = helper.ask(request(GET, quiet=True), env={**keychain.env, "DISPLAY": ":99"})
    assert failed(answer, LOGIN) == "the keychain is locked"
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("verb", [GET, PUT, ERASE])
def test_locked_with_a_display_that_shows_nothing(helper, keychain, verb):
    """The helper asks the service to unlock it; whether the service gives up or waits forever, the helper ends in
    time."""
    helper.ask(request(PUT, secret=b"x"), env=keychain.env)
    keychain.lock()
    start = time.monotonic()
    answer = helper.ask(request(verb, secret=CANARY, ms=1500), env={**keychain.env, "DISPLAY": ":99"})
    assert failed(answer, LOGIN).startswith("the keychain is locked: ")
    assert time.monotonic() - start < 10


def test_locked_and_the_prompt_is_not_answered(helper, servicedir):
    """The prompter runs and its window stays open: the deadline of the request ends the wait."""
    servicedir("org.gnome.keyring.SystemPrompter", "/bin/sleep 60")
    service = servicedir.start()
    helper.ask(request(PUT, secret=b"x"), env=service.env)
    service.lock()
    start = time.monotonic()
    answer = helper.ask(request(GET, ms=1000), env={**service.env, "DISPLAY": ":99"})
    assert failed(answer, LOGIN) == "the keychain is locked: its prompt was not answered in time"
    assert 0.9 < time.monotonic() - start < 10


def is_open(service):
    answer = service.call(secret_service.COLLECTION, "org.freedesktop.DBus.Properties.Get",
                          "string:org.freedesktop.Secret.Collection", "string:Locked")
    return answer and answer.endswith(b"false")


@pytest.fixture
def hinted():
    """hinted(service) runs the command of the hint, but in the foreground, so that its pid is known."""
    started = []

    def unlock(service):
        password = service.folder / "typed"
        password.write_text("fake-keyring-password")
        run = {"HOME": str(service.folder), "XDG_RUNTIME_DIR": str(service.folder / "run"), "PATH": os.environ["PATH"]}
        with open(password) as stdin:
            started.append(process.start(["gnome-keyring-daemon", "--replace", "--unlock", "--foreground"], service.log,
                                         stdin=stdin, env={**run, **service.env}))
        process.wait_until(lambda: is_open(service), started[-1], service.log)
    yield unlock
    for proc in started:
        process.stop(proc)


def test_the_hint_unlocks_it(helper, keychain, hinted):
    helper.ask(request(PUT, secret=CANARY), env=keychain.env)
    keychain.lock()
    hinted(keychain)
    assert helper.ask(request(GET), env=keychain.env) == (OK, {SECRET: CANARY})


# A collection that does not exist yet


@pytest.fixture
def fresh_keychain():
    """gnome-keyring before the user's first login: the only collection is that of the session."""
    service = SecretService(Path(tempfile.mkdtemp(dir=BASE)) / "ss", keyring=False)
    env = {"HOME": str(service.folder), "XDG_RUNTIME_DIR": str(service.folder / "run"), "PATH": os.environ["PATH"]}
    daemon = shutil.which("gnome-keyring-daemon") or pytest.skip("missing: gnome-keyring-daemon (tests/setup installs it)")
    service.keyring = process.start([daemon, "--foreground", "--components=secrets"], service.log, env={**env, **service.env})
    process.wait_until(lambda: service.call("/org/freedesktop/secrets", "org.freedesktop.DBus.Peer.Ping") is not False,
                       service.keyring, service.log)
    yield service
    service.stop()


def test_no_collection_yet(helper, fresh_keychain):
    got, put = helper.ask(request(GET), request(PUT, secret=CANARY), env=fresh_keychain.env)
    assert got == (OK, {})
    assert failed(put, LOGIN) == "the keychain has no default collection yet"
    assert "gnome-keyring-daemon --replace --unlock" in text(put, HINT)


def test_the_hint_creates_a_collection(helper, fresh_keychain, hinted):
    hinted(fresh_keychain)
    put, got = helper.ask(request(PUT, secret=CANARY), request(GET), env=fresh_keychain.env)
    assert put == (OK, {}) and got[1][SECRET] == CANARY


def test_no_collection_yet_with_a_display_that_shows_nothing(helper, fresh_keychain):
    start = time.monotonic()
    answer = helper.ask(request(PUT, secret=CANARY, ms=1500), env={**fresh_keychain.env, "DISPLAY": ":99"})
    assert answer[0] == ERROR
    assert time.monotonic() - start < 10


# The protocol


@pytest.mark.parametrize("data", [
    b"\0", b"garbage that is no record", b"\xff\xff\xff\xff\1\x10", struct.pack(">IBB", 1, 1, 16), record(GET, version=2),
    record(GET, b"\1\0\0\0\5abc"), record(GET, b"\1\0\0"), record(GET, b"\1\xff\xff\xff\xffa"), request(GET)[:-1],
], ids=range(9))
def test_broken_records_end_the_helper(helper, data):
    assert helper.raw(data, code=PROTOCOL) == []


@pytest.mark.parametrize("data", [
    record(GET), record(GET, field(IDENTITY, "")), record(99, field(IDENTITY, ACCOUNT)), record(OK, field(IDENTITY, ACCOUNT)),
    record(PUT, field(IDENTITY, ACCOUNT)), record(PUT, field(IDENTITY, ACCOUNT), field(SECRET, b"x" * 65537)),
], ids=range(6))
def test_wrong_requests_are_answered(asked, data):
    first, second = asked(data, request(GET))
    failed(first, PROTOCOL)
    assert second == (OK, {})


def test_end_of_input_ends_the_helper(helper):
    assert helper.raw(b"") == []


def gone(pid, seconds=20):
    """Whether a process ends in time; a zombie has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


def test_helper_ends_with_its_parent(helper, keychain):
    """Even though another process holds its stdin open."""
    shell = ["/bin/sh", "-c", 'exec 3<&0; "$0" <&3 & echo $!; wait']
    with helper.runner.start(wrap=shell, stdin=PIPE, stdout=PIPE, env=keychain.env) as parent:
        pid = int(parent.stdout.readline())
        parent.stdin.write(request(GET))
        parent.stdin.flush()
        assert os.read(parent.stdout.fileno(), 100) == record(OK)
        parent.kill()
        parent.wait()
        assert gone(pid)


def test_hardening(helper, keychain):
    read, write = os.pipe()
    with helper.runner.start(stdin=PIPE, stdout=PIPE, env=keychain.env, pass_fds=(read, write)) as proc:
        os.close(write)
        proc.stdin.write(request(GET))
        proc.stdin.flush()
        assert os.read(proc.stdout.fileno(), 100) == record(OK)
        status = Path(f"/proc/{proc.pid}/status").read_text()
        limits = Path(f"/proc/{proc.pid}/limits").read_text()
        assert os.read(read, 1) == b""  # the helper has closed the descriptors that it inherited
        os.close(read)
        proc.stdin.close()
        assert proc.wait(20) == 0
    assert "NoNewPrivs:\t1" in status
    assert "Max core file size        0 " in limits


def test_only_records_reach_its_stdout(helper, keychain):
    """GLib would print debug messages to stdout; the helper drops them."""
    answer = helper.ask(request(GET), env={**keychain.env, "G_MESSAGES_DEBUG": "all", "G_DBUS_DEBUG": "call"})
    assert answer == (OK, {})


def test_secret_not_in_argv_or_environment(helper, keychain):
    with helper.runner.watch() as watch:
        helper.ask(request(PUT, secret=CANARY), request(GET), env=keychain.env)
    helper.runner.assert_hidden(watch)
