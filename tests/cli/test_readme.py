# SPDX-License-Identifier: MIT
"""What the README and docs/ say is true: the demo runs, prints its row and leaves nothing behind; CI runs the README's
test command; the config examples are valid; docs/config.md has every key with its default; verbs and links exist.

The demo runs with an apt-get and a sudo in front of PATH that fail, which also shows that it does not need root if
everything is installed."""
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from lib.broker import BUILD, REPO

README = (REPO / "README.md").read_text()
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").glob("*.md"))]
WITH_CONFIG = [REPO / "README.md", REPO / "docs" / "config.md"]
NEEDED = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb")


def commands(text):
    """The indented lines of code; those in fenced blocks are tested in test_docs_commands.py."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [line[4:] for line in outside.splitlines() if line.startswith("    ")]


# The demo

@pytest.fixture
def demo(broker):
    """Starts the README's first command, with the build that is tested, and with folders of the test to write to."""
    for program in NEEDED:
        if not os.access(program, os.X_OK):
            pytest.skip(f"missing: {program}")
    refused = broker.folder / "refused"
    for name in ("apt-get", "sudo"):
        broker.script(name, f"echo {name} >>{refused}; exit 1")
    broker.env.update(BROKER_BUILD=str(BUILD), PATH=f"{broker.home}/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    started = []

    def start():
        short = tempfile.mkdtemp(dir=broker.folder.parent)  # the length of a socket's path is limited
        broker.env["TMPDIR"] = short
        broker.forget_families()
        started.append(subprocess.Popen(["sh", "-c", "exec " + commands(README)[0]], cwd=REPO, env=broker.env,
                                        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT))
        return started[-1], Path(short)
    yield start
    for proc in started:
        proc.kill()
        proc.wait()
    assert not refused.exists(), f"called {refused.read_text()!r} although everything is installed"


def test_demo(demo, broker):
    proc, tmp = demo()
    text = proc.communicate(timeout=150)[0].decode()
    lines = text.splitlines()
    assert proc.returncode == 0, text
    assert re.search(r"^\| demo@localhost \| \S+ \| it works \|$", text, re.M), text
    assert [line for line in lines if line.startswith("$ broker connect demo -- ")], text
    assert "password = " not in text and re.search(r"^    auth_file = ", text, re.M)
    assert re.fullmatch(r"next: \S*/?bin/broker profile add NAME, .*; then: \S*/?bin/broker connect NAME", lines[-1])
    assert not list(tmp.iterdir()), "the demo left something in its temporary folder"
    assert not [p for p in broker.home.rglob("*") if p.is_file() and p.parent.name != "bin"], "the demo left something in the home"


def test_demo_stopped(demo):
    """It cleans up when it is ended early, too; the fixture `nothing_left` checks that its server has ended."""
    proc, tmp = demo()
    for line in proc.stdout:
        if b"throw-away" in line:
            break
    deadline = time.monotonic() + 30
    while not list(tmp.glob("broker-demo.*/pid")) and proc.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    proc.send_signal(signal.SIGTERM)
    text = proc.communicate(timeout=20)[0].decode()
    assert proc.returncode == 143, text
    assert not list(tmp.iterdir())


# The commands

def test_commands():
    demo_line, test_line = commands(README)
    ci = (REPO / ".ci" / "run").read_text().splitlines()
    assert [line for line in ci if line.startswith("count ")] == [f'count "this Debian" "{test_line}"', 'count "Debian 13" "./tests/debian13"']
    assert "export CI=true" in ci
    assert demo_line == "./tests/demo" and test_line == "./tests/setup && make check"
    for program in ("tests/demo", "tests/setup", "tests/debian13", ".ci/run"):
        assert os.access(REPO / program, os.X_OK), program


@pytest.mark.parametrize("here, there, last", [
    ("echo 5 passed, 0 failed, 0 skipped", "echo 7 passed, 0 failed, 0 skipped", "12 passed, 0 failed, 0 skipped"),
    ("echo 5 passed, 1 failed, 0 skipped; exit 1", "echo 7 passed, 0 failed, 0 skipped", "12 passed, 1 failed, 0 skipped"),
    ("echo 5 passed, 0 failed, 0 skipped", "echo 6 passed, 0 failed, 1 skipped; exit 1", "11 passed, 0 failed, 1 skipped"),
    ("echo 5 passed, 0 failed, 0 skipped", "echo no root >&2; exit 1", "5 passed, 1 failed, 0 skipped"),
    ("echo 5 passed, 0 failed, 0 skipped; exit 1", "echo 7 passed, 0 failed, 0 skipped", "12 passed, 1 failed, 0 skipped"),
    ("echo 5 passed, 0 failed, 0 skipped", "kill -9 $$", "5 passed, 1 failed, 0 skipped"),
    ("exit 1", "exit 1", "0 passed, 2 failed, 0 skipped")])
def test_ci_counts_both_runs(tmp_path, here, there, last):
    """In one last line. A run that ends without such a line, or with an error that its line does not show, counts as
    one failure."""
    for path, text in ((".ci/run", (REPO / ".ci" / "run").read_text()), ("tests/setup", "#!/bin/sh\n"),
                       ("tests/debian13", f"#!/bin/sh\n{there}\n"), ("Makefile", f"check:\n\t@{here}\n")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)
    done = subprocess.run([tmp_path / ".ci" / "run"], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == last and [line for line in lines if re.fullmatch(r"\d+ passed, .*", line)] == [last]
    assert (done.returncode == 0) == last.endswith("passed, 0 failed, 0 skipped"), done


@pytest.mark.skipif(os.getuid() != 0, reason="missing: root")
@pytest.mark.parametrize("less, message", [
    (["unshare", "--map-user=1000"], "debian13: only root can make and enter a trixie: sudo tests/debian13"),
    (["setpriv", "--bounding-set=-sys_admin"], "debian13: this machine's root may not mount, so there is no way into a trixie")])
def test_debian13_without_permission(tmp_path, less, message):
    """It fails and says why, before it creates or installs anything."""
    done = subprocess.run([*less, REPO / "tests" / "debian13"], capture_output=True, text=True,
                          env={**os.environ, "BROKER_TEST_CACHE": str(tmp_path / "cache")})
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (1, "", message)
    assert not list(tmp_path.iterdir())


# The packages

PROBE = REPO / "tests" / "lint" / "probe-packages"


def packages():
    """The Debian packages that a build needs."""
    return subprocess.run([PROBE], capture_output=True, text=True, check=True).stdout.split()


def libraries():
    """The libraries that the Makefile asks pkg-config for."""
    asked = re.findall(r"\$\(PKG_CONFIG\) [-\w ]*--(?:cflags|libs) ([\w .-]+)\)", (REPO / "Makefile").read_text())
    return {name for line in asked for name in line.split()}


def probe(*args, **env):
    return subprocess.run([PROBE, *args], capture_output=True, text=True, check=True, env={**os.environ, **env}).stdout


def test_readme_lists_the_packages():
    assert " ".join(packages()) in " ".join(README.replace("`", "").split())


def test_setup_and_demo_install_them():
    assert "$(tests/lint/probe-packages)" in (REPO / "tests" / "demo").read_text()
    assert '$("$here/lint/probe-packages")' in (REPO / "tests" / "setup").read_text()


def test_probe_checks_all_libraries():
    missing = probe("cc", "pkg-config", PKG_CONFIG_LIBDIR="/nonexistent").partition(";")[0]
    assert set(missing.split()[1:]) == libraries() >= {"libsodium", "jansson", "libsecret-1", "libssh2"}


@pytest.mark.parametrize("args, env, message", [
    (("cc", "pkg-config", "unit"), {}, ""),
    (("no-cc", "pkg-config"), {}, "missing: no-cc; on Debian: apt-get install gcc libc6-dev\n"),
    (("false", "pkg-config"), {}, "missing: stdio.h; on Debian: apt-get install libc6-dev\n"),
    (("cc", "no-such"), {}, "missing: no-such; on Debian: apt-get install pkg-config {libraries}\n"),
    (("cc", "pkg-config"), {"PKG_CONFIG_LIBDIR": "/nonexistent"}, "missing: {asked}; on Debian: apt-get install {libraries}\n")])
def test_what_is_missing(args, env, message):
    asked = "libsodium jansson libsecret-1 libcurl expat libssl libcrypto libssh2"
    assert probe(*args, **env) == message.format(asked=asked, libraries=" ".join(packages()[4:]))


def test_make_says_what_is_missing():
    """In one line, before anything is built."""
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "PKG_CONFIG=no-such"], cwd=REPO, capture_output=True, text=True, env=outside)
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(r"Makefile:\d+: \*\*\* missing: no-such; on Debian: apt-get install pkg-config lib.*  Stop\.\n", done.stderr)


# The examples

@pytest.mark.parametrize("page", WITH_CONFIG, ids=lambda p: p.name)
def test_config_examples(broker, page):
    blocks = re.findall(r"^```ini\n(.*?)^```$", page.read_text(), re.M | re.S)
    assert blocks
    for block in blocks:
        broker.config(block)
        for path in re.findall(r"^(?:tls_\w+|identity) += +~/(\S+)", block, re.M):
            broker.write(path, "")
        names = re.findall(r"^\[profile (\S+)\]", block, re.M)
        done = broker.run("profile", "check")
        assert (done.code, done.errors) == (0, ""), block
        done = broker.run("profile", "list", "--json")
        assert re.findall(r'"name": ?"([^"]+)"', done.text) == names
        for name in names:
            assert broker.run("profile", "show", name).code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_verbs_exist(broker, page):
    """Each `broker WORD` and `$ broker WORD` is a verb, and `profile`, `password` and `completion` have the word after
    them."""
    verbs = set(re.findall(r"^  (\w+)  ", broker.run("help").text, re.M)) | {"bugreport"}
    assert {"connect", "exec", "profile"} <= verbs
    used = re.findall(r"(?:`|\$ |\()broker ([a-z]+)(?: ([a-z]+))?", page.read_text())
    for verb, second in used:
        assert verb in verbs, verb
        if verb in ("profile", "password", "completion"):
            usage = broker.run("help", verb).text.splitlines()[0]
            assert not second or re.search(rf"[ |]{second}[| ]", usage + " "), f"{verb} {second}: {usage}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_named_files(page):
    """All files of src, include, tests and docs that a page names exist."""
    for name in re.findall(r"(?<![\w/])((?:src|include|tests|docs)/[\w./-]*\w)", page.read_text()):
        if "NAME" not in name and "MODULE" not in name and name != "tests/cli/test_x.py":
            assert (REPO / name).exists() or list(REPO.glob(name + "*")), name


def test_table_of_modules_is_the_linters():
    """docs/architecture.md has the same table of modules as the linter, except for modules that do not exist yet."""
    text = (REPO / "tests/lint/source.py").read_text()
    rows = re.findall(r'^    "(\w+)": "([\w ]*)",$', re.search(r"^MODULES = \{\n(.*?)^\}", text, re.M | re.S)[1], re.M)
    linters = {module: may.split() for module, may in rows if (REPO / "src" / module).is_dir()}
    written = {}
    for names, may in re.findall(r"^\| ([a-z0-9, ]+) \| ([a-z0-9, ]+) \|$", (REPO / "docs/architecture.md").read_text(), re.M):
        for name in names.split(", "):
            written[name] = [] if may == "nothing of ours" else may.split(", ")
    assert len(linters) > 9 and {module: written.get(module) for module in linters} == linters


def test_picture_names_the_modules():
    """Each folder below src is in the picture of docs/architecture.md, within the program that the Makefile links it into."""
    page = (REPO / "docs/architecture.md").read_text()
    picture = re.search(r"^Programs, their modules.*?^```\n(.*?)^```", page, re.M | re.S)[1]
    makefile = (REPO / "Makefile").read_text()
    linked = {"broker": re.search(r"^BROKER_MODULES := (.*)$", makefile, re.M)[1].split(), "broker-http": ["http", "ipc", "base"],
              "broker-keeper": [*re.search(r"^KEEPER_MODULES := (.*)$", makefile, re.M)[1].split(), "ipc", "base"],
              "broker-keychain": ["keychain", "ipc", "base"]}
    assert {module for modules in linked.values() for module in modules} == {p.name for p in (REPO / "src").iterdir()}
    for program, modules in linked.items():
        first = next(i for i, line in enumerate(picture.splitlines()) if f"+- {program} -" in line)
        left = picture.splitlines()[first].index(f"+- {program} -")
        right = picture.splitlines()[first].index("+", left + 1)
        rows = [line[left + 1:right] for line in picture.splitlines()[first + 1:]]
        inside = rows[:next(i for i, row in enumerate(rows) if set(row) == {"-"})]
        assert not [module for module in modules if not re.search(rf"\b{module}\b", " ".join(inside))], program


def test_files_of_the_keepers_modules():
    """All files in the table of docs/tunnels.md exist."""
    module, rows = None, re.findall(r"^\| (\w*) \| ([\w, ]+) \| .* \|$", (REPO / "docs/tunnels.md").read_text(), re.M)
    for name, files in rows:
        module = name or module
        for file in files.split(", "):
            assert module is None or not (REPO / "src" / module).is_dir() or list((REPO / "src" / module).glob(f"{file}.c")) \
                or list((REPO / "src" / module).glob(f"{file}-*.c")), f"{module}: {file}"


# docs/config.md and the table of keys

def defined(macro):
    """{key: (default, words)} of a macro in keys.def; words: the values of a CHOICE, else []."""
    text = (REPO / "include/model/keys.def").read_text()
    kinds = (REPO / "include/model/kinds.def").read_text()
    lists = {name: re.findall(rf"^{kind}(?:_LATER)?\((\w+)", kinds, re.M)
             for name, kind in (("KIND_AUTH_WORDS", "PROVIDER"), ("KIND_TUNNEL_WORDS", "TUNNEL"))}
    group = r"\w+, " if macro == "KEY" else ""
    rows = re.findall(rf'^{macro}\((\w+), {group}(\w+), (NULL|\w+|"[^"]*"), (NULL|"[^"]*"), (?:[A-Z]+, )?"', text, re.M)
    assert rows
    return {key: (None if default == "NULL" else default.strip('"'),
                  lists.get(limits, limits.strip('"').split()) if kind == "CHOICE" else [])
            for key, kind, limits, default in rows}


def documented(title):
    """{key: (default, words)} of the table under a heading of docs/config.md."""
    part = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", (REPO / "docs/config.md").read_text(), re.M | re.S)[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| [^|]+ \|$", part, re.M)
    return {key: (None if default == "-" else default.strip("`"),
                  re.findall(r"`([^`]+)`", kind) if kind.startswith("one of") else [])
            for key, default, kind in rows}


@pytest.mark.parametrize("macro, title", [("KEY", "Keys of a profile"), ("TUNNEL_KEY", "Keys of a tunnel"),
                                          ("FILE_KEY", "Keys of `\\[defaults\\]` alone")])
def test_every_key_is_documented(macro, title):
    ours, theirs = defined(macro), documented(title)
    assert list(theirs) == list(ours), "the same keys in the same order"
    for key, (default, words) in ours.items():
        assert theirs[key][0] == default, key
        assert sorted(theirs[key][1]) == sorted(words), key


def test_what_a_url_may_set_is_documented():
    """docs/config.md names the keys that keys.def refuses in a URL."""
    refused = re.findall(r'^KEY\((\w+), .*, (?:RUNS|SENDS|OPENS|BORROWS), "', (REPO / "include/model/keys.def").read_text(), re.M)
    row = re.search(r"^\| always \| (.*) \|$", (REPO / "docs/config.md").read_text(), re.M)[1]
    named = re.findall(r"`(\w+)`", row.partition("`auth` or `type`")[0])
    assert sorted(named) == sorted(key for key in refused if not key.startswith("vault_")) and "every key of Vault" in row
    levels = re.findall(r'^KEY\((\w+), .*, LEVEL, "', (REPO / "include/model/keys.def").read_text(), re.M)
    assert levels == ["tls", "tls_ca", "tls_ciphers", "tls_version", "cleartext", "server_public_key"]


def test_later_means_not_built(broker):
    """docs/config.md marks a key as `Later` exactly if `broker help config` omits it. The values of auth are the same
    in `broker help config`, keys.def and the README."""
    text = broker.run("help", "config").text
    keys, _, providers = text.partition("tls is one of:")[0].partition("auth is one of")
    built = set(re.findall(r"^  (\w+)(?:  +\S|$)", keys.partition("keys of a profile\n")[2], re.M))
    part = re.search(r"^## Keys of a profile\n(.*?)(?=^## )", (REPO / "docs/config.md").read_text(), re.M | re.S)[1]
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", part, re.M)
    assert {key for key, meaning in rows if "Later" not in meaning} == built
    assert sorted(re.findall(r"^  (\w+)  ", providers, re.M)) == sorted(defined("KEY")["auth"][1])
    table = re.search(r"^\| `auth` \| \|\n(.*?)\n\n", README, re.M | re.S)[1]
    assert sorted(re.findall(r"^\| `(\w+)`", table, re.M)) == sorted(defined("KEY")["auth"][1])
