# SPDX-License-Identifier: MIT
"""The keychain, through the whole program: `password set`, `token`, `password delete` with a real Secret Service, and
the errors if there is none, or if it is locked."""
import os
import signal
import time

import pytest

from lib import procs

CONFIG = "[profile shop]\nhost = db.example.com\nuser = app\n"
IDENTITY = {"identity": "mysql://app@db.example.com:3306"}
LABEL = "app@db.example.com:3306"


@pytest.fixture
def shop(broker):
    broker.config(CONFIG)
    broker.password = broker.secret(b"canary-store-51c0")
    return broker


@pytest.fixture
def stored(shop, keychain):
    shop.env.update(keychain.env)
    keychain.store(LABEL, shop.password, {**IDENTITY, "xdg:schema": "org.broker.Password"})
    return shop


def token(broker, **more):
    return broker.run("token", "shop", secret_out=True, **more)


def test_set_token_delete(shop, keychain):
    shop.env.update(keychain.env)
    done = shop.run("password", "set", "shop", input=shop.password)
    assert (done.code, done.out) == (0, b""), done.errors
    assert keychain.lookup(IDENTITY) == shop.password
    assert f"label = {LABEL}".encode() in keychain.search(IDENTITY)
    assert token(shop).out.rstrip(b"\n") == shop.password
    assert shop.run("password", "delete", "shop").code == 0
    assert keychain.lookup(IDENTITY) is None
    done = token(shop)
    assert (done.code, done.errors) == (
        79, f"broker: shop: no stored password for {LABEL}\nhint: broker password set shop\n")


def test_entries_of_other_programs_are_found(stored):
    assert token(stored).out.rstrip(b"\n") == stored.password


def test_two_servers_behind_two_bastions(shop, keychain):
    """127.0.0.1 is another server behind each bastion, so the identity includes the tunnel."""
    shop.env.update(keychain.env)
    shop.config("".join(f"[profile {n}]\nhost = 127.0.0.1\nuser = app\nvia = tcp://127.0.0.1:{n[1:]}\n" for n in ("p1", "p2")))
    assert shop.run("password", "set", "p1", input=b"one").code == 0
    assert shop.run("password", "set", "p2", input=b"two").code == 0
    for name, word in (("p1", b"one"), ("p2", b"two")):
        assert keychain.lookup({"identity": f"mysql://app@127.0.0.1:3306;via=tcp://127.0.0.1:{name[1:]}"}) == word


def test_no_secret_in_argv_or_environment(stored):
    with stored.watch() as watch:
        assert token(stored).code == 0
        assert stored.run("password", "set", "shop", input=stored.password).code == 0
    stored.assert_hidden(watch)


@pytest.mark.parametrize("verbosity", ["-v", "-vv"])
def test_no_secret_in_the_log(stored, verbosity):
    flags = ["-v"] * (len(verbosity) - 1)
    assert stored.run("token", "shop", *flags, secret_out=True).code == 0


def test_program_of_exec_inherits_no_child(stored):
    """The helper has ended before the exec; otherwise wait(2) of the program would return it."""
    waits = "import os\ntry:\n print(os.waitpid(-1, 0))\nexcept ChildProcessError:\n print('none')"
    done = stored.run("exec", "shop", "--", "/usr/bin/python3", "-c", waits)
    assert (done.text, done.code) == ("none\n", 0), done.errors


# No keychain, or one that fails


def no_keychain(done):
    assert done.code == 78 and done.out == b""
    first, hint = done.errors.splitlines()
    assert first.startswith("broker: shop: no keychain here")
    assert hint.startswith("hint: ") and "auth = " in hint


def test_no_keychain_on_this_machine(shop):
    no_keychain(token(shop))
    no_keychain(shop.run("password", "set", "shop", input=shop.password))
    no_keychain(shop.run("password", "delete", "shop"))


def test_a_bus_without_a_keychain(shop, empty_bus):
    no_keychain(token(shop, env=empty_bus.env))


def test_a_bus_that_never_answers_times_out(shop, silent_bus):
    start = time.monotonic()
    no_keychain(token(shop, env=silent_bus.env))
    assert 0.9 < time.monotonic() - start < 10


def test_locked(stored, keychain):
    keychain.lock()
    commands = [["token", "shop"], ["password", "set", "shop"], ["password", "delete", "shop"]]
    for words in commands:
        done = stored.run(*words, input=b"x")
        assert done.code == 79 and done.out == b"", words
        first, hint = done.errors.splitlines()
        assert first == "broker: shop: the keychain is locked"
        assert hint.startswith("hint: ") and "unlock" in hint
    assert keychain.locked()


def test_a_helper_that_is_missing(shop, bare_broker, keychain, tmp_path):
    """Only bin/broker is installed."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "broker"
    program.write_bytes(shop.program.read_bytes())
    program.chmod(0o755)
    lone = bare_broker(program)
    lone.config(CONFIG)
    done = lone.run("token", "shop", env=keychain.env)
    assert done.code == 78
    assert "broker-keychain" in done.errors and "hint: " in done.errors


def test_nothing_is_left_after_a_kill(shop, keychain):
    """broker is killed with SIGKILL while the keychain hangs: the helper ends, too."""
    os.kill(keychain.keyring.pid, signal.SIGSTOP)
    proc = shop.start("token", "shop", env=keychain.env)
    end, helpers = time.monotonic() + 20, []
    while time.monotonic() < end and not helpers:
        helpers = [pid for pid in procs.tree(proc.pid) if b"broker-keychain" in procs.cmdline(pid)]
    proc.kill()
    proc.wait()
    assert helpers and procs.strays() == []
    os.kill(keychain.keyring.pid, signal.SIGCONT)
