# SPDX-License-Identifier: MIT
"""How the client and its family are found: the key and the flag, PATH, links, wrappers, broken programs, and the
cache.

`mysql` may be of either family. If the name does not show the family, the program is asked once for its version, and
the answer is cached in $XDG_CACHE_HOME/broker/clients until the file changes. That cache may be damaged, impossible
to write or forged."""
import os
import shutil

import pytest

VERSIONS = {"mysql": "mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)",
            "mariadb": "mysql  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper"}
OPTIONS = {"mysql": "ssl-mode=PREFERRED\n", "mariadb": "disable-ssl-verify-server-cert\n"}


@pytest.fixture
def broker(broker):
    """A broker that finds no clients except the test's own; the system's programs are in a folder of their own."""
    broker.forget_families()
    tools = broker.home / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "sleep", "wc"):
        (tools / name).symlink_to(shutil.which(name))
    broker.env["PATH"] = f"{broker.home}/bin:{tools}"
    broker.config("[profile p]\nhost = 127.0.0.1\nuser = u\nauth = none\n")
    return broker


def program(broker, path, family, banner="", before=""):
    """A client that counts how often it was asked for its version, and otherwise prints its option file and its
    name."""
    text = (f'{before}\n[ "$1" = --version ] && {{ echo >>"{broker.home}/asked"; echo "{banner}{VERSIONS[family]}"; exit 0; }}\n'
            'cat "${1#*=}"; echo "ran $0"')
    return broker.write(path, "#!/bin/sh\n" + text + "\n", mode=0o700)


def asked(broker):
    path = broker.home / "asked"
    return len(path.read_bytes()) if path.exists() else 0


def ran(done, family, path):
    """The client at that path ran and got the options of its family."""
    assert done.code == 0 and not done.err, done.errors
    return OPTIONS[family] in done.text and done.text.endswith(f"ran {path}\n")


def cache(broker):
    return broker.home / ".cache/broker/clients"


@pytest.mark.parametrize("there, family, chosen", [
    (["mysql"], "mysql", "mysql"), (["mysql"], "mariadb", "mysql"), (["mariadb"], "mariadb", "mariadb"),
    (["mariadb", "mysql"], "mysql", "mysql")])
def test_without_a_key(broker, there, family, chosen):
    for name in there:
        program(broker, f"bin/{name}", family)
    assert ran(broker.run("connect", "p"), family, broker.home / "bin" / chosen)


HOW = {
    "key": lambda name: ([], f"client = {name}\n", {}),
    "flag": lambda name: (["--client", name], "", {}),
    "-o": lambda name: (["-o", f"client={name}"], "", {}),
    "variable": lambda name: ([], "", {"BROKER_CLIENT": name}),
    "flag before key": lambda name: (["--client", name], "client = /nowhere\n", {}),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", ["other", "{home}/dir/other", "~/dir/other", "~/a dir with blanks/other"])
def test_by_name_and_path(broker, name, how):
    program(broker, "bin/mysql", "mysql")
    path = name.replace("~", "{home}").format(home=broker.home) if "/" in name else f"{broker.home}/bin/{name}"
    program(broker, os.path.relpath(path, broker.home), "mariadb")
    flags, key, env = HOW[how](name.format(home=broker.home))
    broker.config("[profile p]\nhost = 127.0.0.1\nuser = u\nauth = none\n" + key)
    assert ran(broker.run("connect", "p", *flags, env=env), "mariadb", path)


def test_a_relative_path(broker):
    program(broker, "dir/other", "mariadb")
    assert ran(broker.run("connect", "p", "--client", "dir/other"), "mariadb", "dir/other")


@pytest.mark.parametrize("target, times", [("mariadb", 0), ("mariadb-11.8", 1), ("mysql-wrapper", 1)])
def test_target_of_a_link_decides(broker, target, times):
    """Debian's mysql is a link to mariadb, whose name shows the family, so it is not asked for its version."""
    program(broker, f"real/{target}", "mariadb")
    (broker.home / "bin/mysql").symlink_to(broker.home / "real" / target)
    assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql") and asked(broker) == times


@pytest.mark.parametrize("family", ["mysql", "mariadb"])
def test_wrapper_that_prints_more(broker, family):
    """A script that prints a banner, and warnings on stderr, before the program's own line."""
    program(broker, "bin/mysql", family, banner="Welcome to Example Corp.\n* use with care *\n", before="echo warning >&2")
    done = broker.run("connect", "p")
    assert done.code == 0 and OPTIONS[family] in done.text


def test_real_clients(broker, client, mariadb_server):
    """They are found by their path; the name mysql does not show the family."""
    password = broker.secret(mariadb_server.password("app_native")).decode()
    broker.config(f"[profile p]\nsocket = {mariadb_server.socket}\nuser = app_native\nauth = env\nauth_env = PW\nclient = {client.path}\n")
    for _ in range(2):
        done = broker.run("connect", "p", "--", *client.options_for(mariadb_server, "app_native"), "-NBe", "select 7",
                          env={"PW": password, "PATH": "/usr/bin:/bin"})
        assert done.out == b"7\n", done.errors


def broken(broker, case):
    path = broker.home / "bin/other"
    if case == "a folder":
        path.mkdir()
    elif case == "not executable":
        broker.write(path, "#!/bin/sh\n", mode=0o600)
    elif case == "no interpreter":
        broker.write(path, "#!/nowhere/sh\n", mode=0o700)
    elif case == "not a program":
        broker.write(path, "\x7fELF", mode=0o700)
    elif case == "a dangling link":
        path.symlink_to("/nowhere/mysql")
    elif case == "another program":
        broker.script("other", "echo other 1.0")
    elif case == "fails":
        broker.script("other", "echo MySQL; exit 3")
    elif case == "printed too much":
        broker.script("other", "while :; do cat $0 $0 $0 $0; done")
    return path


BROKEN = {
    "missing": (127, "no such program"), "a dangling link": (127, "no such program"), "a folder": (126, "not an executable program"),
    "not executable": (126, "not an executable program"), "no interpreter": (127, "No such file or directory"),
    "not a program": (126, "Exec format error"), "another program": (78, "its --version does not mention MySQL or MariaDB"),
    "fails": (78, "its --version does not mention MySQL or MariaDB"), "printed too much": (65, "printed over 65536 bytes")}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_clients(broker, case):
    code, why = BROKEN[case]
    path = broken(broker, case)
    done = broker.run("connect", "p", "--client", path)
    first, *rest = done.errors.splitlines()
    assert (done.code, done.out) == (code, b"") and first.startswith("broker: p: ") and str(path).rpartition("/")[2] in first
    assert first.endswith(why) and len(rest) == 1 and rest[0].startswith("hint: ") and not cache(broker).exists()


def test_no_client(broker):
    done = broker.run("connect", "p")
    assert (done.code, done.err) == (127, b"broker: p: mysql, mariadb: not found on PATH\n"
                                          b"hint: install a MySQL or MariaDB client, or set client to its path\n")
    broker.write("bin/mysql", "#!/bin/sh\n", mode=0o600)
    (broker.home / "bin/mariadb").mkdir()
    assert broker.run("connect", "p").err == done.err


def test_broken_client_does_not_hide_the_next_on_path(broker):
    (broker.home / "bin/mysql").mkdir()
    program(broker, "tools/mysql", "mysql")
    assert ran(broker.run("connect", "p"), "mysql", broker.home / "tools/mysql")


def test_client_that_hangs(broker):
    path = broker.script("other", "exec sleep 36.5")
    done = broker.run("connect", "p", "--client", "other", "--timeout", "1s")
    assert (done.code, done.out) == (69, b"") and done.errors.startswith(f"broker: p: {path} did not end in time\nhint: ")


# The cache of answers

def test_asked_once(broker):
    program(broker, "bin/mysql", "mariadb")
    for _ in range(3):
        assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql")
    assert asked(broker) == 1 and cache(broker).stat().st_mode & 0o777 == 0o600


def replace_same_size(path):
    text = path.read_text()
    path.write_text(text.replace("15.1", "15.2"))


CHANGES = {
    "mtime": lambda path: os.utime(path, ns=(1, 1)),
    "size": lambda path: path.write_text(path.read_text() + "#\n"),
    "inode": lambda path: (shutil.copy2(path, f"{path}.new"), os.rename(f"{path}.new", path)),
    "content": replace_same_size,
}


@pytest.mark.parametrize("change", CHANGES)
def test_asked_again_if_the_file_changes(broker, change):
    path = program(broker, "bin/mysql", "mariadb")
    assert broker.run("connect", "p").code == 0 and asked(broker) == 1
    CHANGES[change](path)
    for _ in range(2):
        assert ran(broker.run("connect", "p"), "mariadb", path)
    assert asked(broker) == 2


def test_an_upgrade_to_the_other_family(broker):
    program(broker, "bin/mysql", "mariadb")
    assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql")
    program(broker, "bin/mysql", "mysql")
    assert ran(broker.run("connect", "p"), "mysql", broker.home / "bin/mysql")


def test_many_clients_are_cached(broker):
    for i in range(5):
        program(broker, f"bin/client{i}", "mariadb" if i % 2 else "mysql")
    for _ in range(2):
        for i in range(5):
            assert broker.run("connect", "p", "--client", f"client{i}").code == 0
    assert asked(broker) == 5


DAMAGES = {
    "empty": b"", "garbage": os.urandom(3000), "a truncated line": b"mariadb 12", "no newline": None, "another family": b"postgres 1 2 3 /x\n" * 9,
    "huge": b"mysql 1 2 3.4 /x\n" * 100000, "NUL": b"\0" * 100,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cache_is_replaced(broker, damage):
    program(broker, "bin/mysql", "mariadb")
    assert broker.run("connect", "p").code == 0
    good = cache(broker).read_bytes()
    cache(broker).write_bytes(good[:-1] if DAMAGES[damage] is None else DAMAGES[damage])
    for _ in range(2):
        assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql")
    assert asked(broker) == 2 and good in cache(broker).read_bytes()


def make_unwritable(broker, case):
    """Makes the cache impossible to write."""
    folder = cache(broker).parent
    if case == "the folder is a file":
        broker.write(".cache", "")
    elif case == "no home":
        broker.env.update(HOME="/proc/nowhere", XDG_CACHE_HOME="")
    elif case == "no room":
        broker.env["XDG_CACHE_HOME"] = "/proc"
    elif case == "a folder in its place":
        (folder / "clients").mkdir(parents=True)


@pytest.mark.parametrize("case", ["the folder is a file", "no home", "no room", "a folder in its place"])
def test_without_a_cache(broker, case):
    program(broker, "bin/mysql", "mariadb")
    make_unwritable(broker, case)
    for times in (1, 2):
        assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql") and asked(broker) == times


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_cache_that_others_can_write_is_ignored(broker, mode):
    """Another user who made broker take a MariaDB client for Oracle's would change how TLS is requested."""
    program(broker, "bin/mysql", "mariadb")
    assert broker.run("connect", "p").code == 0
    lie = cache(broker).read_bytes().replace(b"mariadb ", b"mysql ", 1)
    cache(broker).write_bytes(lie)
    cache(broker).chmod(mode)
    for _ in range(2):
        assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql")
    assert asked(broker) == 2 and cache(broker).stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_cache_of_another_user_is_ignored(broker):
    program(broker, "bin/mysql", "mariadb")
    assert broker.run("connect", "p").code == 0
    cache(broker).write_bytes(cache(broker).read_bytes().replace(b"mariadb ", b"mysql ", 1))
    os.chown(cache(broker), 65534, 65534)
    assert ran(broker.run("connect", "p"), "mariadb", broker.home / "bin/mysql")


# Arguments

@pytest.mark.parametrize("word", ["--defaults-file=/x", "--defaults-extra-file=/x", "--defaults-group-suffix=_x", "--no-defaults",
                                  "--login-path=x", "--no-login-paths", "--print-defaults", "--defaults-file"])
@pytest.mark.parametrize("before", [[], ["-N", "--", "-e"]])
def test_options_that_must_come_first_are_refused(broker, word, before):
    stub = broker.stub("mysql")
    done = broker.run("connect", "p", "--client", stub.path, "--", *before, word)
    name = word.partition("=")[0]
    assert (done.code, done.out, stub.seen) == (64, b"", None)
    assert done.err == (f"broker: connect: {name} must be the client's first option, which broker needs itself\n"
                        "hint: move its contents to ~/.my.cnf, or use broker exec with {defaults-file}\n").encode()


def test_other_arguments_are_passed_to_the_client(broker):
    stub = broker.stub("mysql")
    words = ["-e", "select '--defaults'", "--", "--defaultsx", "-uother", "", "a b", "--print", "\n", "--login-pathology", "{host}"]
    assert broker.run("connect", "p", "--client", stub.path, "--", *words).code == 0
    assert stub.seen["argv"][1:] == words and stub.seen["argv"][0].startswith("--defaults-file=/dev/fd/")
