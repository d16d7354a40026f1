# SPDX-License-Identifier: MIT
"""Cached sessions: the keys of a role are cached in the kernel's keyring until five minutes before they expire; one
broker fetches them for all that need them; the code of a second factor is asked for once. Roles in the AWS CLI's
cache are used, and its files are never written. The client inherits no child process of broker. Each test has its
own role names (see test_aws_roles.py)."""
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time

import pytest

from lib.aws import HOST, IAM, SECRET, arn, endpoint, files, fixed_clock, pair, signed_with
from servers.aws_fake import iso, keys_of
from test_aws_roles import BASE, profile, run
from test_command_provider import NO_KEYRING

SERIAL = "arn:aws:iam::123456789012:mfa/dev"


@pytest.fixture
def sts(aws_fake):
    return aws_fake({"sts": {"minutes": 6}})


@pytest.fixture
def role(broker):
    broker.secret(SECRET.encode())
    name = "role-" + os.urandom(6).hex()
    for n in ("", "-b"):
        broker.secret(keys_of(name + n)["secret"].encode())
    return name


def ids(*results):
    return [signed_with(done)["id"] for done in results]


def at_once(count, do):
    results = []
    threads = [threading.Thread(target=lambda: results.append(do())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# The keyring

def test_cached(broker, sts, role):
    files(broker, BASE + profile("p", role, "q") + profile("q", role + "-b"))
    first, second = run(broker, sts, "p"), run(broker, sts, "p")
    assert ids(first, second) == [keys_of(role)["id"]] * 2 and len(sts.calls) == 2


def test_cached_keys_need_no_helper(broker, sts, role):
    files(broker, BASE + profile("p", role))
    run(broker, sts, "p")
    log = broker.tmp / "strace"
    assert run(broker, sts, "p", wrap=["strace", "-f", "-qq", "-e", "trace=process,network", "-o", log],
               env={"ASAN_OPTIONS": "detect_leaks=0"}).code == 0
    assert not [line for line in log.read_text().splitlines() if "exit" not in line][1:]  # the first line is broker's own execve


@pytest.mark.parametrize("minutes, calls", [(4, 3), (5, 3), (6, 1)])
def test_cached_until_five_minutes_before_expiry(broker, sts, role, minutes, calls):
    sts.state["sts"]["minutes"] = minutes
    files(broker, BASE + profile("p", role))
    assert len(ids(*[run(broker, sts, "p") for _ in range(3)])) == 3 and len(sts.calls) == calls


def test_a_clock_that_jumps(broker, sts, role):
    """The kernel's timeout of the entry does not follow the clock; broker checks the expiry time in the entry
    itself."""
    files(broker, BASE + profile("p", role))
    run(broker, sts, "p")
    later = fixed_clock(broker, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 120)))
    assert ids(run(broker, sts, "p", **later)) == [keys_of(role)["id"]] and len(sts.calls) == 2


@pytest.mark.parametrize("change", [{"external_id": "other"}, {"role_session_name": "other"}, {"duration_seconds": 1800}])
def test_cached_for_the_same_chain_only(broker, sts, role, change):
    files(broker, BASE + profile("p", role) + profile("q", role, **change) + profile("same", role, region="eu-west-3"))
    assert len(ids(*[run(broker, sts, name) for name in ("p", "q", "same", "q", "p")])) == 5 and len(sts.calls) == 2


def test_other_keys_are_another_chain(broker, sts, role):
    for id in ("AKIAONE", "AKIATWO", "AKIAONE"):
        files(broker, "[profile base]\n" + pair(id) + profile("p", role))
        run(broker, sts, "p")
    assert len(sts.calls) == 2


def test_container_keys_are_not_cached(broker, aws_fake, role):
    """Keys obtained with a container's credentials are not cached, because other containers may share the keyring."""
    fake = aws_fake({"sts": {"minutes": 6}})
    files(broker, profile("p", role, None, credential_source="EcsContainer"))
    for _ in range(2):
        assert run(broker, fake, "p", env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.url + "/ecs"}).code == 0
    assert len(fake.calls) == 2


def test_without_a_keyring(broker, sts, role):
    files(broker, BASE + profile("p", role))
    wrap = [sys.executable, "-c", NO_KEYRING]
    assert len(ids(*[run(broker, sts, "p", wrap=wrap) for _ in range(2)])) == 2 and len(sts.calls) == 2


def keyring_entry(role):
    """The id of the role's key, the header that the store writes before an entry (store/keyring-linux.c), and the
    entry."""
    listed = subprocess.run(["keyctl", "rlist", "@u"], capture_output=True, text=True).stdout.split()
    for key in listed:
        if "broker:aws:" in subprocess.run(["keyctl", "rdescribe", key], capture_output=True, text=True).stdout:
            payload = subprocess.run(["keyctl", "pipe", key], capture_output=True).stdout
            if b"role/" + role.encode() in payload:
                start = payload.index(b"\0", 9) + 1
                return key, payload[:start], payload[start:]
    raise AssertionError("no entry")


def test_format_of_an_entry(broker, sts, role):
    files(broker, BASE + profile("p", role))
    run(broker, sts, "p")
    _, head, entry = keyring_entry(role)
    keys = keys_of(role)
    label, account, end, *rest, proof, place, nothing = entry[1:].split(b"\0")
    assert entry[:1] == b"2" and re.fullmatch(rb"[0-9a-f]{32}", proof) and (place, nothing) == (b"", b"") and (label, account) == (b"role/" + role.encode(), b"123456789012") and b"role/" + role.encode() in head
    assert 0 < int(end) - time.time() <= 360 and rest == [keys["id"].encode(), keys["secret"].encode(), keys["token"].encode()]


@pytest.mark.parametrize("entry", [
    b"", b"2", b"1role/x\0\0009999999999\0A\0s\0t\0P\0\0", b"2role/x\0\0soon\0A\0s\0t\0P\0\0",
    b"2role/x\0\0009999999999\0A\0s\0t\0P\0", b"2role/x\0\0009999999999\0\0s\0t\0P\0\0", b"2role/x\0\0009999999999\0A\0\0t\0P\0\0",
    b"2role/x\0\0001\0A\0s\0t\0P\0\0", b"2role/x\0\0009999999999\0A\0s\0t\0P\0\0more", b"2role/x\0\0009999999999\0A\0s\0t\0\0\0",
    b"2role/x\0\0009999999999\0A\0s\0t\0" + b"0" * 32 + b"\0\0", None])
def test_invalid_entry(broker, sts, role, entry):
    files(broker, BASE + profile("p", role))
    run(broker, sts, "p")
    key, head, good = keyring_entry(role)
    entry = entry and entry.replace(b"P\0", good.split(b"\0")[6] + b"\0")  # everything else in the entry is valid
    subprocess.run(["keyctl", "pupdate", key], input=b"nonsense" if entry is None else head + entry, check=True, capture_output=True)
    assert ids(run(broker, sts, "p")) == [keys_of(role)["id"]] and len(sts.calls) == 2


# Concurrent runs

def test_one_fetch_for_all(broker, sts, role):
    sts.state["sts"]["delay"] = 0.3
    files(broker, BASE + profile("p", role))
    assert ids(*at_once(4, lambda: run(broker, sts, "p"))) == [keys_of(role)["id"]] * 4 and len(sts.calls) == 1


def test_waiting_broker_has_a_deadline(broker, sts, role):
    sts.state["sts"]["until"] = broker.home / "done"
    files(broker, BASE + profile("p", role))
    first = threading.Thread(target=run, args=[broker, sts, "p"])
    first.start()
    while not sts.calls:
        time.sleep(0.005)
    done = run(broker, sts, "p", "--timeout", "200ms")
    (broker.home / "done").touch()
    first.join()
    assert done.code == 75 and "another broker process holds" in done.errors and len(sts.calls) == 1


def test_failure_is_not_cached(broker, sts, role):
    sts.state["sts"]["refuse"] = [(403, "AccessDenied", "no")]
    files(broker, BASE + profile("p", role))
    assert [run(broker, sts, "p").code for _ in range(3)] == [77, 0, 0] and len(sts.calls) == 2


def test_killed_broker_releases_the_lock(broker, sts, role):
    sts.state["sts"]["delay"] = 1
    files(broker, BASE + profile("p", role))
    first = broker.start(*IAM, "--aws-profile", "p", env=endpoint(sts), stdout=subprocess.DEVNULL)
    while not sts.calls:
        time.sleep(0.005)
    first.kill()
    first.wait()
    sts.state["sts"]["delay"] = 0
    assert run(broker, sts, "p").code == 0


# A second factor

def on_terminal(broker, sts, name):
    return broker.pty(*IAM, "--aws-profile", name, env=endpoint(sts), stdout="pipe", secret_out=True)


def test_mfa_code_prompt(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"]["mfa"] = {SERIAL: "654321"}
    terminal = on_terminal(broker, sts, "p")
    terminal.expect(f"Enter MFA code for {SERIAL}: ".encode())
    assert not terminal.echo and not sts.calls
    terminal.sendline(b"654321")
    assert terminal.wait() == 0 and keys_of(role)["id"].encode() in terminal.out and b"654321" not in terminal.shown
    assert (sts.calls[0]["SerialNumber"], sts.calls[0]["TokenCode"]) == (SERIAL, "654321")
    assert run(broker, sts, "p").code == 0 and len(sts.calls) == 1  # cached, so there is no prompt


@pytest.mark.parametrize("codes, asked, code", [
    (["000000", "654321"], 2, 0), (["000000", "111111", "654321"], 3, 0), (["000000"] * 3, 3, 77), (["12 34", "", "654321"], 1, 0)])
def test_a_wrong_code(broker, sts, role, codes, asked, code):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"]["mfa"] = {SERIAL: "654321"}
    terminal = on_terminal(broker, sts, "p")
    for typed in codes:
        terminal.expect(b"Enter MFA code for ")
        terminal.sendline(typed.encode())
    assert (terminal.wait(), len(sts.calls)) == (code, asked)
    assert terminal.shown.count(b"wrong code") == (len(codes) - 1)
    if code:
        assert b"MultiFactorAuthentication failed" in terminal.shown and b"hint: check the device's clock; a code works only once" in terminal.shown


def test_other_refusals_do_not_prompt_again(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"].update(refuse=[(403, "AccessDenied", "not for you")])
    terminal = on_terminal(broker, sts, "p")
    terminal.expect(b"Enter MFA code")
    terminal.sendline(b"654321")
    assert (terminal.wait(), len(sts.calls)) == (77, 1)


def test_mfa_code_without_a_terminal(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    done = run(broker, sts, "p")
    assert (done.code, done.errors) == (79, f"broker: {HOST}: AWS profile 'p': role {role}: an MFA code for {SERIAL} is needed\n"
                                        "hint: run it on a terminal, or set mfa_command to a program that prints the code\n")
    assert not sts.calls


def test_an_askpass_program(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"]["mfa"] = {SERIAL: "654321"}
    broker.script("ask", 'echo "$1" >~/prompt; echo 654321')
    assert run(broker, sts, "p", env={"BROKER_ASKPASS": str(broker.home / "bin/ask")}).code == 0
    assert (broker.home / "prompt").read_text() == f"Enter MFA code for {SERIAL}: \n"


@pytest.mark.parametrize("script, code, words", [
    ("echo 654321", 0, ""), ("printf '654321\\r\\n'", 0, ""), ("echo 12345", 65, "did not print a code of six digits"), (":", 65, "did not print a code"),
    ("echo 654321 7", 65, "did not print a code"), ("echo no phone >&2; exit 3", 77, "exit status 3\n  no phone\n"),
    ("echo 000000", 77, "MultiFactorAuthentication failed"), ("head -c 100000 /dev/zero", 65, "printed over 256 bytes")])
def test_mfa_command(broker, sts, role, script, code, words):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"]["mfa"] = {SERIAL: "654321"}
    broker.script("code", script + "\necho run >>~/runs")
    done = run(broker, sts, "p", "-o", "mfa_command=code --for 'a b'")
    assert done.code == code and words in done.errors and len(sts.calls) == (script.startswith("echo 000") or code == 0)
    assert (code == 0) == (done.errors == "") and (code == 0 or "\nhint: " in done.errors)


def test_one_prompt_for_two_brokers(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    sts.state["sts"]["mfa"] = {SERIAL: "654321"}
    terminal = on_terminal(broker, sts, "p")
    terminal.expect(b"Enter MFA code")
    other = broker.start(*IAM, "--aws-profile", "p", env=endpoint(sts), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        other.wait(0.2)
    terminal.sendline(b"654321")
    out, err = other.communicate(timeout=10)
    assert (terminal.wait(), other.returncode, err) == (0, 0, b"") and keys_of(role)["id"].encode() in out and len(sts.calls) == 1


# The AWS CLI's cache: used only for roles with a second factor, because its serial number identifies the user

FACTOR = {"mfa_serial": SERIAL}


def cli_file(broker, arguments, role, end=3600, text=None):
    name = hashlib.sha1(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
    keys = keys_of(role)
    body = {"Credentials": {"AccessKeyId": keys["id"], "SecretAccessKey": keys["secret"], "SessionToken": keys["token"],
                            "Expiration": iso(end) if isinstance(end, int) else end}, "AssumedRoleUser": {}, "ResponseMetadata": {}}
    return broker.write(f".aws/cli/cache/{name}.json", text if text is not None else json.dumps(body), secret=True)


@pytest.mark.parametrize("more", [{}, {"external_id": "ext/1"}, {"role_session_name": "me", "duration_seconds": 3600}, {"duration_seconds": "1h"}])
def test_role_in_cli_cache(broker, sts, role, more):
    names = {"external_id": "ExternalId", "role_session_name": "RoleSessionName", "duration_seconds": "DurationSeconds"}
    arguments = {"RoleArn": arn(role), "SerialNumber": SERIAL, **{names[k]: v for k, v in more.items() if v != "1h"}}
    path = cli_file(broker, arguments, role)
    before = path.read_bytes(), os.stat(path).st_mtime_ns
    files(broker, BASE + profile("p", role, **FACTOR, **more))
    done = run(broker, sts, "p", "-v")
    assert ids(done) == [keys_of(role)["id"]] and not sts.calls and f"role {role} from the AWS CLI's ~/.aws/cli/cache/" in done.errors
    assert (path.read_bytes(), os.stat(path).st_mtime_ns) == before and stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_role_in_cli_cache_without_second_factor(broker, sts, role):
    """The CLI's file does not say whose keys assumed the role: they may be another profile's, or older than a
    change."""
    cli_file(broker, {"RoleArn": arn(role)}, role + "-b")
    files(broker, BASE + profile("p", role))
    assert ids(run(broker, sts, "p")) == [keys_of(role)["id"]] and len(sts.calls) == 1


def test_middle_role_in_cli_cache(broker, sts, role):
    cli_file(broker, {"RoleArn": arn(role + "-b"), "SerialNumber": SERIAL}, role + "-b")
    files(broker, BASE + profile("p", role, "q") + profile("q", role + "-b", **FACTOR))
    assert ids(run(broker, sts, "p")) == [keys_of(role)["id"]]
    assert [call["RoleArn"] for call in sts.calls] == [arn(role)] and keys_of(role + "-b")["id"] in sts.seen[0].headers["authorization"]


@pytest.mark.parametrize("end, used", [(240, False), (600, True), ("2115-01-01T00:00:00UTC", True), ("2115-01-01T00:00:00+00:00", True),
                                       ("2015-01-01T00:00:00Z", False), ("soon", False)])
def test_expiry_in_cli_cache(broker, sts, role, end, used):
    cli_file(broker, {"RoleArn": arn(role), "SerialNumber": SERIAL}, role, end)
    files(broker, BASE + profile("p", role, **FACTOR))
    done = run(broker, sts, "p", "--no-input")
    assert done.code == (0 if used else 79) and not sts.calls
    if not used:
        return
    subprocess.run(["keyctl", "unlink", keyring_entry(role)[0], "@u"], check=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Credentials": 1}', '{"Credentials": {"AccessKeyId": "A"}}', "x" * 100_000])
def test_invalid_file_in_cli_cache(broker, sts, role, text):
    path = cli_file(broker, {"RoleArn": arn(role), "SerialNumber": SERIAL}, role, text=text)
    files(broker, BASE + profile("p", role, **FACTOR))
    assert run(broker, sts, "p", "--no-input").code == 79 and path.read_text() == text


# The client

def test_client_inherits_no_child(broker, sts, role):
    """broker-http ran and was reaped: the program that broker becomes finds no child process in its wait()."""
    files(broker, BASE + profile("p", role))
    broker.config(f"[profile db]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = p\n")
    text = "import os\ntry:\n    print(os.waitpid(-1, os.WNOHANG))\nexcept ChildProcessError:\n    print('none')"
    done = broker.run("exec", "db", "--client", broker.stub("mysql").path, "--", sys.executable, "-c", text, env=endpoint(sts))
    assert (done.text, done.code) == ("none\n", 0) and len(sts.calls) == 1


def test_no_secret_in_processes(broker, sts, role):
    """The arguments and the environment of broker, of broker-http and of mfa_command are checked."""
    sts.state["sts"].update(mfa={SERIAL: "654321"}, until=broker.home / "helper")
    files(broker, BASE + profile("p", role, "q", mfa_serial=SERIAL) + profile("q", role + "-b"))
    broker.script("code", "until test -e ~/program; do sleep 0.01; done; echo 654321")
    with broker.watch() as watch:
        watch.tell(broker.home / "helper", b"broker-http")
        watch.tell(broker.home / "program", b"/code")
        assert run(broker, sts, "p", "-v", "-v", "-o", "mfa_command=code").code == 0
    assert any(b"broker-http" in argv for argv in watch.argv) and any(b"/code" in argv for argv in watch.argv)
    broker.assert_hidden(watch)
    assert not [argv for argv in watch.argv if b"654321" in argv and b"echo" not in argv]


def test_dry_run_sends_no_request(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    broker.config(f"[profile db]\nhost = {HOST}\nuser = app\nauth = iam\naws_profile = p\n")
    done = broker.run("connect", "db", "--client", broker.stub("mysql").path, "--dry-run", env=endpoint(sts), tty=True)
    assert done.code == 0 and "login       aws profile p\n" in done.text and not sts.seen and b"MFA" not in done.tty


def test_wait_is_shown_and_can_be_interrupted(broker, role, fake_server):
    files(broker, BASE + profile("p", role))
    place = f"127.0.0.1:{fake_server('silent').port}"
    terminal = broker.pty(*IAM, "--aws-profile", "p", "--timeout", "50s", env={"AWS_ENDPOINT_URL": "http://" + place}, stdout="pipe")
    terminal.expect(rf"waiting for {re.escape(place)} \(\ds of (?:49|50)s\)")
    terminal.interrupt()
    assert terminal.wait(5) == -2


def test_prompt_can_be_interrupted(broker, sts, role):
    files(broker, BASE + profile("p", role, mfa_serial=SERIAL))
    terminal = on_terminal(broker, sts, "p")
    terminal.expect(b"Enter MFA code")
    terminal.interrupt()
    assert terminal.wait() == -2 and terminal.echo and not sts.calls


def test_broker_http_not_installed(broker, sts, role, bare_broker):
    """The error names the missing program; credentials that need no network still work."""
    files(broker, BASE + profile("p", role))
    alone = broker.folder / "alone" / "bin"
    alone.mkdir(parents=True)
    program = alone / "broker"
    program.write_bytes(broker.program.read_bytes())
    program.chmod(0o700)
    broker.program = program
    assert broker.run(*IAM, "--aws-profile", "base", secret_out=True).code == 0
    done = run(broker, sts, "p")
    assert done.code == 78 and "broker-http" in done.errors and "\nhint: " in done.errors
