# SPDX-License-Identifier: MIT
"""The exact text of help, which is made from the parser's own tables and names only what this version has."""
import os
import re
import shutil
import subprocess

import pytest

from lib import built
from lib.broker import PROGRAM
from lib.built import PROVIDERS, TUNNELS

OVERVIEW = """\
usage: broker VERB [PROFILE|URL] [OPTION]...

connect
  connect     start the mysql client
  exec        run a program with the connection parameters
  test        check each step of a connection
export
  token       print the password or token
  params      print connection parameters for other tools
  forward     forward a local address to the server
  credential  serve the git credential protocol
manage
  status      show forwards and cached sessions
  stop        end a forward
  login       log in now (browser, MFA, SSH)
  logout      revoke and forget cached credentials
  password    store or delete a password in the keychain
configure
  profile     list, show, add, set, edit, remove, rename, import, export, check
  completion  print shell completion for bash, zsh or fish
  help        help on a verb or topic
  version     versions and paths; bugreport collects them

topics: config urls formats tls environment exit-codes troubleshooting
first time: broker profile add NAME
"""
STOP = """\
usage: broker stop NAME|--all [OPTION]...

End a forward and the connections through it.

  broker stop prod
  broker stop --all

how
      --all               all forwards, sessions or keys
      --timeout TIME      give up after this time, for example 30s
      --no-input          never ask a question; fail instead (exit status 79)
  -q, --quiet             print errors and warnings only
  -v, --verbose           report each step; -vv reports more

exit status
  0      done
  64-79  an error in broker: broker help exit-codes

more: man broker-stop; broker help config
"""
VERBS = built.VERBS
COLUMNS = 80
TOPICS = "config urls formats tls environment exit-codes troubleshooting".split()


def test_alone(broker):
    done = broker.run()
    assert (done.text, done.errors, done.code) == ("", OVERVIEW, 64)


@pytest.mark.parametrize("args", [["help"], ["--help"], ["-h"]])
def test_overview(broker, args):
    done = broker.run(*args)
    assert (done.text, done.errors, done.code) == (OVERVIEW, "", 0)


def test_exact_text_of_stop(broker):
    for args in (["help", "stop"], ["stop", "-h"], ["stop", "--help"], ["stop", "-vh", "--quiet"]):
        done = broker.run(*args)
        assert (done.text, done.errors, done.code) == (STOP, "", 0), args


@pytest.mark.parametrize("verb", VERBS)
def test_verb(broker, verb):
    """Usage, a description in sentences, examples that name the verb, an explanation for each option, exit statuses."""
    text = broker.run("help", verb).text
    usage, about, *examples = text.split("\n\n")
    assert usage.startswith(f"usage: broker {verb}") and about[0].isupper() and about.endswith(".")
    assert all(line.startswith("  ") and re.search(rf"broker[ -]([a-z]+ )*{verb}|credential.helper", line)
               for line in examples[0].replace("\\\n", "").splitlines())
    options = re.findall(r"^  (?:-\w|(?:-\w, |    )--[a-z-]+)(?: [^ ]+)?(?:  +|\n {26})(\S.*)$", text, re.M)
    assert len(options) == len(re.findall(r"^  (?:-|    --)", text, re.M)), options
    assert text.endswith(f"more: man broker-{verb}; broker help config\n") and "\nexit status\n  0  " in text


@pytest.mark.parametrize("name", ["", *VERBS, *TOPICS])
def test_all_help_is_within_80_columns(broker, name):
    done = broker.run("help", *name.split())
    assert done.code == 0 and done.errors == "" and len(done.text.splitlines()) > 3
    assert [line for line in done.text.splitlines() if len(line) > COLUMNS or line != line.rstrip()] == []


def test_a_long_text_goes_through_the_pager(broker):
    """On a terminal that has fewer lines. PAGER is split as sh does, but no shell runs. The pager reads the text on
    stdin."""
    broker.script("my pager", 'printf "<%s> " "$@" >~/called; head -n 1; cat >/dev/null; echo "LESS=$LESS"')
    def shown(*args, rows=10, **env):
        (broker.home / "called").unlink(missing_ok=True)
        terminal = broker.pty(*args, size=(rows, 100), env=env)
        assert terminal.wait() == 0
        called = broker.home / "called"
        return called.read_text() if called.exists() else None, terminal.shown
    pager = "'my pager' -x '$HOME;id'"
    called, text = shown("help", "connect", PAGER=pager)
    assert called == "<-x> <$HOME;id> " and text.splitlines() == [b"usage: broker connect [PROFILE|URL] [OPTION]... [-- CLIENT ARG...]", b"LESS=FRX"]
    assert shown("connect", "--help", PAGER=pager)[0] and b"LESS=Q" in shown("help", "config", PAGER=pager, LESS="Q")[1]
    for more in ({"PAGER": pager, "rows": 200}, {"PAGER": ""}, {"PAGER": "cat"}, {"PAGER": "no-such-program"}, {"PAGER": "'open"}):
        called, text = shown("help", "connect", **more)
        assert called is None and b"more: man broker-connect" in text, more
    done = broker.run("help", "config", env={"PAGER": pager})
    assert "auth is one of" in done.text and not (broker.home / "called").exists()


def test_help_wins_over_other_errors(broker):
    broker.config("[profile a]\nbad\n")
    assert broker.run("connect", "nobody", "--help").code == 0
    assert broker.run("profile", "frobnicate", "-h").code == 0


def test_every_verb_is_in_the_overview(broker):
    listed = re.findall(r"^  (\w+) ", OVERVIEW, re.M)
    assert [*listed, "bugreport"] == VERBS and "; bugreport " in OVERVIEW
    for verb in VERBS:
        assert f"usage: broker {verb}" in broker.run("help", verb).text


def test_config_topic_is_the_table_of_keys(broker):
    broker.config("[profile p]\nhost = h\nuser = u\n")
    text = broker.run("help", "config").text
    table = text[text.index("\nkeys of a profile\n"):text.index("\nauth is one of\n")]
    shown = broker.run("profile", "show", "p", "--all").text
    keys = re.findall(r"^  (\w+)(?:  +|\n)((?:.|\n {24})*)", table, re.M)
    assert len(keys) > 30
    for key, help in keys:
        assert re.search(rf"^{key} ", shown, re.M), key
        default = re.search(r"\((\S+)\)$", re.sub(r"\s+", " ", help))
        if default:
            assert re.search(rf"^{key} +{re.escape(default[1])} +built in$", shown, re.M), key
    providers = re.findall(r"^  (\w+) ", text[text.index("auth is one of"):text.index("tls is one of:")], re.M)
    assert providers == PROVIDERS.split()
    assert "\ntls is one of: disabled preferred required verify-ca verify-identity\n" in text
    tunnels = text[text.index("\ntype is one of\n"):text.index("\nkeys of [defaults] only\n")]
    assert re.findall(r"^  (\w+)  ", tunnels, re.M) == TUNNELS.split()
    assert {"include", "store", "color"} <= set(re.findall(r"^  (\w+)  ", text[text.index("\nkeys of [defaults] only\n"):], re.M))


def test_exit_codes_topic(broker):
    text = broker.run("help", "exit-codes").text
    assert re.findall(r"^ *(\d+)  +\w", text, re.M) == "0 64 65 69 70 74 75 76 77 78 79 126 127".split()


@pytest.mark.parametrize("args, wanted", [
    (["help", "conect"], "broker: conect: no such topic\nhint: did you mean 'connect'?\n"),
    (["help", "exit-code"], "broker: exit-code: no such topic\nhint: did you mean 'exit-codes'?\n"),
    (["help", "zzz"], "broker: zzz: no such topic\nhint: a verb, or: config urls formats tls environment exit-codes troubleshooting\n"),
    (["help", "__complete"], "broker: __complete: no such topic\nhint: a verb, or: config urls formats tls environment exit-codes troubleshooting\n"),
    (["help", "a", "b"], "broker: help: unexpected argument\nhint: broker help help\n")])
def test_no_such_topic(broker, args, wanted):
    done = broker.run(*args)
    assert (done.text, done.errors, done.code) == ("", wanted, 64)


@pytest.mark.parametrize("args", [["version"], ["--version"]])
def test_version(broker, args):
    done = broker.run(*args)
    assert re.fullmatch(r"broker \d+\.\d+\.\d+\n", done.text) and (done.errors, done.code) == ("", 0)


def test_version_with_details(broker):
    """What a bug report needs: also the versions of the helpers and libraries that are really used."""
    for args in (["version", "-v"], ["-v", "version"], ["version", "--verbose"]):
        done = broker.run(*args)
        first, *rows = done.text.splitlines()
        assert re.fullmatch(r"broker \d+\.\d+\.\d+", first) and (done.errors, done.code) == ("", 0)
        found = dict(re.split(r"  +", row, maxsplit=1) for row in rows)
        assert list(found) == ["program", "platform", "compiler", "libsodium", "jansson", "broker-http libcurl", "broker-http OpenSSL",
                               "broker-keeper libssh2", "broker-keeper OpenSSL", "broker-keychain libsecret"]
        assert all(re.fullmatch(r"\d+\.\d+[\w.+~-]*", version) for version in list(found.values())[3:])
        assert found["program"] == str(PROGRAM.parent)
        assert os.uname().release in found["platform"] and re.match(r"\d+\.\d+", found["libsodium"])


def test_version_without_helpers(broker, tmp_path):
    """A bug report shows that an installation is incomplete, and the rest of the report is still there."""
    (tmp_path / "bin").mkdir()
    shutil.copy(PROGRAM, tmp_path / "bin" / "broker")
    (tmp_path / "libexec" / "broker").mkdir(parents=True)
    (tmp_path / "libexec" / "broker" / "broker-http").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "libexec" / "broker" / "broker-http").chmod(0o755)
    done = subprocess.run([tmp_path / "bin" / "broker", "version", "-v"], env=broker.env, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"^broker-http +killed by SIGKILL$", done.stdout, re.M)
    assert re.search(r"^broker-keeper +\S+: No such file or directory$", done.stdout, re.M)


def test_version_starts_no_helper(broker):
    """Only -v asks the helpers."""
    trace = broker.folder / "trace"
    done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=execve", "-o", trace, PROGRAM, "version"],
                          env={**broker.env, "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 0 and trace.read_text().count("execve(") == 1
