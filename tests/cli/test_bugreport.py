# SPDX-License-Identifier: MIT
"""`broker bugreport`: what it contains, and that none of the user's own names is in it."""
import os
import re

import pytest

from lib.forwards import dial, until
from servers.process import free_port

CANARY = "Canary7f3a"
NAMES = {"host": "db7f3a.acme.example", "user": "alice7f3a", "database": "ledger7f3a"}
# User names that are also words of broker's output, are numbers, or contain quotes, spaces or punctuation.
HOSTILE = ["password", "direct", "endpoint", "12345", "al ice", "the password", "o'brien", 'dbl"quote', "a=b,c;d", "back\\slash", "ümläut", "x/y",
           "root:admin", "a.b.c", "ends.", "%41dmin", "host-1", "user-1", "-v", "$(id)", "tls (route)"]


def configure(broker, **keys):
    keys = {**NAMES, "auth": "none", "tls": "required", "client": "/usr/bin/mariadb", **keys}
    broker.config("[profile prod7f3a]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()))


def report(broker, *args):
    return broker.run("bugreport", *args)


def plan_of(text):
    return dict(re.findall(r"^(endpoint|route|tls|credential|address|client) +(.*)$", text, re.M))


def test_without_a_profile(broker):
    """The rows of `broker version -v`; the home folder's name is masked."""
    done = report(broker)
    version = broker.run("version", "-v").text
    assert (done.code, done.errors) == (0, "")
    assert [line.split("  ")[0] for line in done.text.splitlines()] == [line.split("  ")[0] for line in version.splitlines()]
    assert report(broker, "--full").text == version


def test_plan(broker, clients):
    configure(broker, via="ssh://bob7f3a@bastion7f3a.acme.example:2222", client=clients["mariadb1011"].path)
    done = report(broker, "prod7f3a")
    assert (done.code, done.errors) == (0, "")
    plan = plan_of(done.text)
    assert plan["endpoint"] == "host-1:3306" and re.fullmatch(r"ssh user-\d@host-\d:2222", plan["route"]), done.text
    assert plan["tls"] == "required, by the keeper" and "no forward of this name is running" in done.text
    assert "7f3a" not in done.text and "acme" not in done.text and str(broker.home) not in done.text
    full = report(broker, "prod7f3a", "--full")
    rows = broker.run("connect", "prod7f3a", "--dry-run").text
    assert rows in full.text and NAMES["host"] in rows


@pytest.mark.parametrize("user", HOSTILE)
@pytest.mark.parametrize("key", ["user", "database"])
def test_hostile_names(broker, clients, key, user):
    """A name that is also a word of broker's output is masked as well. At most its punctuation is left."""
    configure(broker, **{key: user, "title": user, "via": "ssh://bastion7f3a", "client": clients["mariadb1011"].path})
    baseline = report(broker, "prod7f3a")
    assert (baseline.code, baseline.errors) == (0, ""), baseline
    words = [word for word in re.split(r"[\s,;()'\"=@:/]+", user) if len(word) > 1]
    plan = baseline.text.partition("\n\n")[2].partition("\n\n")[0]
    labels = r"\b(?:host|user|database|value|word|path|profile|tunnel)-\d+\b"
    shown = re.sub(labels, "", plan)
    for word in words:
        assert not re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", shown), (word, plan)


def test_error(broker):
    """The plan cannot be made: the report contains the masked error, stderr the usual one."""
    configure(broker, tls_ca=f"/nowhere/{CANARY}.pem")
    done = report(broker, "prod7f3a")
    assert done.code == 78 and CANARY in done.errors
    assert re.search(r"^error ", done.text, re.M) and CANARY not in done.text and "7f3a" not in done.text


def test_no_such_profile(broker):
    broker.config("[profile a]\nhost = h\n")
    done = report(broker, CANARY)
    assert done.code == 78 and CANARY in done.errors and CANARY not in done.text


def test_password_of_a_url(broker):
    """It is not shown, not even with --full."""
    for more in ([], ["--full"]):
        done = broker.run("bugreport", *more, "-", input=f"mysql://app:{CANARY}@db.example.net/x?tls=required\n".encode())
        assert CANARY not in done.text + done.errors


def test_end_of_the_log(broker, mariadb_server, forwards):
    """The log names hosts that are in no profile; lines that broker did not write are masked as well."""
    configure(broker, host="127.0.0.1", port=free_port(), tls="preferred")
    log = broker.home / "acme.log"
    address = forwards.detach("prod7f3a", "--log", str(log))
    with dial(address) as s:
        s.recv(64)
    assert until(lambda: log.read_text())
    with log.open("a") as f:
        f.write(f"early {CANARY}\n" * 3000 + f"2026-11-29T07:47:01Z x: Connection refused by jump.{CANARY}.example, 10.1.2.3:22, fe80::1:2, "
                f"/home/{CANARY}/.ssh/id, mysql://u:{CANARY}@h/\x1b[31m\n")
    done = report(broker, "prod7f3a")
    assert done.code == 0, done
    end = done.text.partition("the end of its forward's log:\n")[2].splitlines()
    assert 10 < len(end) < 3000 and end[-1].startswith("2026-11-29T07:47:01Z ") and ": Connection refused by host-" in end[-1]
    for name in (CANARY.lower(), "7f3a", "10.1.2.3", "fe80", "\x1b", "jump", "acme"):
        assert name not in done.text.lower(), name
    assert "10.1.2.3:22" in report(broker, "prod7f3a", "--full").text
    broker.write("secret", CANARY)
    log.unlink()
    log.symlink_to(broker.home / "secret")
    done = report(broker, "prod7f3a", "--full")
    assert CANARY not in done.text and "cannot read the log" in done.text
