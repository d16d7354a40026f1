# SPDX-License-Identifier: MIT
"""Folders that another user can change, with real users: root makes them, `broker` runs as one without privileges, and somebody
else (MALLORY) owns a parent folder, or may write it.

What lies in the runtime folder is run by us (plug-ins) and trusted with passwords (sockets), so its path must be one that only we
and root can change; otherwise the other place is taken, otherwise it is an error. The same holds for what is read and believed:
the config file and what it includes, a password's file, authorities of one's own, the clients' flavours; and for the session bus."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lib import stranger
from lib.broker import BUILD
from servers.secret_service import SecretService

UID, MALLORY = stranger.UID, 54400
BY_MALLORY = ["setpriv", f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups", "--"]
OWN_FOLDER = "hint: set XDG_RUNTIME_DIR to a folder that you own, mode 0700\n"
RENAME_EXCHANGE = 2


@pytest.fixture
def user(broker):
    """broker.run(..., wrap=stranger.WRAP): the caller, who is not root."""
    if os.geteuid() != 0:
        pytest.skip("missing: root, to run as another user")
    stranger.settle(broker, BUILD)
    return broker


@pytest.fixture
def place(user):
    """A folder of root's, outside the caller's home."""
    path = user.folder.with_name("place")
    path.mkdir(mode=0o755)
    return path


def folder(path, uid=UID, mode=0o755, gid=None):
    path.mkdir(exist_ok=True)
    os.chown(path, uid, uid if gid is None else gid)
    path.chmod(mode)
    return path


def link(path, target, uid=UID):
    path.symlink_to(target)
    os.chown(path, uid, uid, follow_symlinks=False)
    return path


# What stands at PLACE, what XDG_RUNTIME_DIR is there, and what is said against it (None: it is good).

def theirs(place):
    folder(place / "a", MALLORY)
    return folder(place / "a" / "run", mode=0o700), "{place}/a belongs to another user"


def far_up(place):
    folder(folder(place / "a", MALLORY) / "b")
    return folder(place / "a" / "b" / "run", mode=0o700), "{place}/a belongs to another user"


def by_group(place):
    folder(place / "a", mode=0o775, gid=MALLORY)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by group"


def by_our_group(place):
    folder(place / "a", mode=0o775)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by group"


def by_all(place):
    folder(place / "a", 0, mode=0o777)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by others"


def itself(place):
    return folder(place / "run", mode=0o777), "{place}/run is writable by others"


def by_their_link(place):
    folder(place / "tmp", 0, mode=0o1777)
    folder(place / "run", mode=0o700)
    return link(place / "tmp" / "l", place / "run", MALLORY), "the link {place}/tmp/l belongs to another user"


def by_our_link_to_theirs(place):
    theirs(place)
    return link(place / "l", "a/run"), "{place}/a belongs to another user"


def out_of_theirs(place):
    theirs(place)
    folder(place / "run", mode=0o700)
    return place / "a" / "run" / ".." / ".." / "run", "{place}/a belongs to another user"


def around(place):
    link(place / "l", "m")
    return link(place / "m", "l"), "Too many levels of symbolic links"


def nowhere(place):
    return place / "none", "No such file or directory"


def closed(place):
    return folder(place / "run", 0, 0o700), "Permission denied"


def ours(place):
    return folder(place / "run", mode=0o700), None


def sticky(place):
    folder(place / "tmp", 0, mode=0o1777)
    return folder(place / "tmp" / "run", mode=0o700), None


def by_our_links(place):
    folder(place / "tmp", 0, mode=0o1777)
    folder(folder(place / "tmp" / "b") / "run", mode=0o700)
    return link(place / "tmp" / "l", "b/../m"), link(place / "tmp" / "m", place / "tmp" / "b" / "run"), None


def by_roots_link(place):
    folder(place / "run", mode=0o700)
    return link(place / "l", place / "run", 0), None


BAD = [theirs, far_up, by_group, by_our_group, by_all, itself, by_their_link, by_our_link_to_theirs, out_of_theirs, around, nowhere, closed]
GOOD = [ours, sticky, by_our_links, by_roots_link]
NAMED = {"ids": lambda make: make.__name__}


def runtime(user, **env):
    """A run that needs the folder: a MariaDB client without verified TLS gets its plug-ins from there."""
    return user.run("connect", "mysql://u@127.0.0.1:1/?auth=none", "--client", "/usr/bin/mariadb", "-v", "--", "--version",
                    wrap=stranger.WRAP, env=env)


def made(*places):
    """Which of these folders have our plug-ins."""
    return [path for path in places if list(path.glob("plugins-*"))]


@pytest.mark.parametrize("make", BAD, **NAMED)
def test_the_other_place_is_taken(user, place, make):
    run, why = make(place)
    before = sorted(place.rglob("*")) if make != closed else []
    other = user.tmp / f"broker-{UID}"
    done = runtime(user, XDG_RUNTIME_DIR=str(run))
    assert done.code == 0, done.errors
    assert f"runtime     {run}/broker: {why.format(place=place)}; instead: {other}\n" in done.errors
    assert made(other) == [other] and other.stat().st_mode & 0o777 == 0o700
    assert make == closed or sorted(place.rglob("*")) == before, "something was made there"


@pytest.mark.parametrize("make", GOOD, **NAMED)
def test_a_good_way_is_taken(user, place, make):
    run, *_ = make(place)
    done = runtime(user, XDG_RUNTIME_DIR=str(run))
    assert (done.code, "runtime " in done.errors) == (0, False), done.errors
    assert made(run / "broker") == [run / "broker"] and not (user.tmp / f"broker-{UID}").exists()


@pytest.mark.parametrize("make", BAD, **NAMED)
def test_a_bad_tmpdir_is_an_error(user, place, make):
    tmp, why = make(place)
    why = why.format(place=place)
    done = runtime(user, XDG_RUNTIME_DIR=None, TMPDIR=str(tmp))
    assert (done.code, done.out) == (78, b"")
    assert done.errors.endswith(f"broker: {tmp}/broker-{UID}: {why}\n{OWN_FOLDER}"), done.errors
    done = runtime(user, XDG_RUNTIME_DIR=str(tmp), TMPDIR=str(tmp))
    assert done.code == 78 and done.errors.endswith(f"broker: {tmp}/broker: {why}\n  {tmp}/broker-{UID}: {why}\n{OWN_FOLDER}")


SWAP = f"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
a, b = (os.fsencode(word) for word in sys.argv[1:])
print(libc.renameat2(-100, a, -100, b, {RENAME_EXCHANGE}), flush=True)
while True:
    libc.renameat2(-100, a, -100, b, {RENAME_EXCHANGE})
"""


def test_a_folder_that_is_swapped_all_the_time(user, place):
    """Its owner exchanges our runtime folder for his own, whose plug-ins would be loaded by us, as fast as he can."""
    folder(place / "a", MALLORY)
    run, evil = folder(place / "a" / "run", mode=0o700), folder(place / "a" / "evil", MALLORY, 0o777)
    folder(folder(evil / "broker") / "plugins-0000000000000000", MALLORY, 0o777)
    with subprocess.Popen([*BY_MALLORY, sys.executable, "-c", SWAP, run, evil], stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout.readline() == b"0\n", "he cannot swap them, which is what this is about"
        done = [runtime(user, XDG_RUNTIME_DIR=str(run)) for _ in range(30)]
        swapper.kill()
    other = user.tmp / f"broker-{UID}"
    assert {run.code for run in done} == {0} and made(other)
    assert {len(list((path / "broker").rglob("*"))) for path in (run, evil) if (path / "broker").exists()} == {1}


def test_a_good_way_is_one_that_nobody_can_swap(user, place):
    """What was looked at is what is used later, by its path: the parts of a way that is found good resist the same attempt."""
    run, _ = sticky(place)
    evil = folder(place / "tmp" / "evil", MALLORY, 0o777)
    once = SWAP.partition("while")[0]
    for part in (run, place / "tmp", place):
        done = subprocess.run([*BY_MALLORY, sys.executable, "-c", once, part, evil], capture_output=True, check=True)
        assert done.stdout == b"-1\n", part
    assert runtime(user, XDG_RUNTIME_DIR=str(run)).code == 0 and made(run / "broker")


@pytest.mark.parametrize("make", [theirs, by_all], **NAMED)
def test_sockets_lie_in_the_other_place(user, mariadb_server, place, make):
    """A forward and its control socket, the keeper's end for a client."""
    run, _ = make(place)
    other = user.tmp / f"broker-{UID}"
    user.env["XDG_RUNTIME_DIR"] = str(run)
    user.config(f"[profile p]\nhost = 127.0.0.1\nport = {mariadb_server.port}\nuser = u\nauth = none\ntls = required\n"
                "client = /usr/bin/mariadb\n")
    stranger.own(user)
    opts = {"wrap": stranger.WRAP}
    assert user.run("forward", "p", "--detach", **opts).code == 0
    assert [path.name for path in (other / "forward").iterdir()] == ["p.sock"]
    assert re.search(r"^forward +p ", user.run("status", **opts).text, re.M)
    assert user.run("stop", "p", **opts).code == 0 and user.run("status", "p", **opts).code == 69
    done = user.run("exec", "p", "--via", f"tcp://127.0.0.1:{mariadb_server.port}", "--", "printenv", "MYSQL_UNIX_PORT", **opts)
    assert done.text.startswith(f"{other}/"), done.errors
    assert not list(run.iterdir())


# What is read and believed

PROFILE = "[profile p]\nhost = h\nauth = client\n"
MOVE = "hint: use a folder that you own, below folders owned by you or root\n"


def config_by_group(place):
    """Found, as with the umask 002 of users who have a group each, and as with another group's."""
    return folder(place / "a", mode=0o2775, gid=MALLORY), "{place}/a is writable by group\nhint: chmod go-w {place}/a\n"


def config_by_our_group(place):
    return folder(place / "a", mode=0o775), None


def config_by_all(place):
    return folder(place / "a", mode=0o777), "{place}/a is writable by others\nhint: chmod go-w {place}/a\n"


def config_in_theirs(place):
    return folder(place / "a", MALLORY), "{place}/a belongs to another user\n" + MOVE


def config_sticky(place):
    return folder(place / "a", 0, 0o1777), None


def config_by_their_link(place):
    folder(place / "a")
    folder(place / "tmp", 0, mode=0o1777)
    return (link(place / "tmp" / "l", place / "a", MALLORY),
            "the link {place}/tmp/l belongs to another user\nhint: use a path without that link\n")


def config_by_our_link(place):
    folder(place / "a")
    return link(place / "l", "a"), None


CONFIGS = [config_by_group, config_by_our_group, config_by_all, config_in_theirs, config_sticky, config_by_their_link, config_by_our_link]


def put(path, text, mode=0o600, uid=UID):
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, uid, uid)
    return path


@pytest.mark.parametrize("make", CONFIGS, **NAMED)
@pytest.mark.parametrize("what", ["named", "xdg", "included", "auth_file"])
def test_a_file_that_others_can_replace(user, place, make, what):
    where, why = make(place)
    env, path = {}, where / "config"
    args = ["connect", "p", "--dry-run", "--client", "/usr/bin/mariadb"]
    if what == "xdg":
        path = folder(where / "broker") / "config"
        env = {"XDG_CONFIG_HOME": str(where)}
    elif what == "named":
        env = {"BROKER_CONFIG": str(path)}
    elif what == "included":
        user.config(f"[defaults]\ninclude = {path}\n")
    else:
        user.config(f"[profile p]\nhost = h\nuser = u\nauth = file\nauth_file = {path}\n")
        args = ["token", "p"]
    put(path, "fake-password\n" if what == "auth_file" else PROFILE)
    stranger.own(user)
    done = user.run(*args, wrap=stranger.WRAP, env=env, secret_out=True)
    if why is None:
        assert done.code == 0, done.errors
    else:
        label = "p" if what == "auth_file" else path
        assert (done.code, done.out) == (78, b"")
        assert done.errors.removeprefix(f"broker: {label}: ").removeprefix(f"broker: {path}: ") == why.format(place=place)


def test_a_config_of_ours_that_was_put_in_its_place(user, place):
    """Owner and mode are good, for it is ours: a file that we have fetched from somewhere, or an old one."""
    where, _ = config_by_all(place)
    evil = put(folder(user.home / "cloned", mode=0o755) / "config", "[profile p]\nhost = h\nuser = u\nauth = command\n"
               f"auth_command = touch {user.home}/run-by-mallory\n", 0o644)
    link(where / "config", evil)
    stranger.own(user)
    done = user.run("token", "p", wrap=stranger.WRAP, env={"BROKER_CONFIG": str(where / "config")})
    assert done.code == 78 and not (user.home / "run-by-mallory").exists()


@pytest.mark.parametrize("make", CONFIGS, **NAMED)
def test_a_profile_is_added_only_where_it_will_be_believed(user, place, make):
    where, why = make(place)
    path = where / "broker" / "config"
    done = user.run("profile", "add", "p", "mysql://app@h/", wrap=stranger.WRAP, env={"XDG_CONFIG_HOME": str(where)})
    if why is None:
        assert done.code == 0 and path.exists()
    else:
        assert not path.exists() and done.code in (74, 78)  # 74: the folder itself cannot be made
        assert done.code == 74 or done.errors == f"broker: {path}: {why.format(place=place)}"


@pytest.mark.parametrize("path, code", [("/dev/fd/9", 0), ("/proc/self/fd/9", 0), ("config", 0), ("./x/../config", 0), ("none", 78)])
def test_ways_to_name_a_config(user, path, code):
    """By a descriptor, which nobody can swap, and relative to where we are."""
    put(user.home / "config", PROFILE)
    folder(user.home / "x")
    stranger.own(user)
    done = user.run("connect", "p", "--dry-run", "--client", "/usr/bin/mariadb", env={"BROKER_CONFIG": path},
                    wrap=[*stranger.WRAP, "sh", "-c", f'exec "$@" 9<{user.home}/config', "sh"])
    assert done.code == code, done.errors


RDS = "prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com"


@pytest.mark.parametrize("make", CONFIGS, **NAMED)
def test_authorities_of_ones_own(user, place, make):
    where, why = make(place)
    path = put(folder(where / "broker") / "rds-ca.pem", (BUILD / "share/broker/rds-ca.pem").read_text())
    done = user.run("connect", f"mysql://u@{RDS}/?tls=verify-identity&auth=none", "--client", "/usr/bin/mariadb", "--dry-run",
                    wrap=stranger.WRAP, env={"XDG_DATA_HOME": str(where)})
    if why is None:
        assert done.code == 0 and str(path) in done.text
    else:
        assert (done.code, done.errors) == (78, f"broker: {path}: {why.format(place=place)}")


def test_the_flavours_of_clients_are_not_kept_in_a_folder_of_others(user, place):
    """Nor is anything of ours written where their link leads."""
    where = folder(place / "cache", 0, 0o777)
    folder(where / "broker", MALLORY, 0o777)
    mine = put(user.home / ".profile", "umask 022\n", 0o644)
    link(where / "broker" / "clients", mine, MALLORY)
    asked = user.home / "asked"
    user.script("myclient", f"echo x >> {asked}\necho mysql from 11.8.9-MariaDB")
    stranger.own(user)
    for _ in range(2):
        done = user.run("connect", "mysql://u@127.0.0.1/?auth=none", "--client", f"{user.home}/bin/myclient", "--dry-run",
                        wrap=stranger.WRAP, env={"XDG_CACHE_HOME": str(where)})
        assert done.code == 0, done.errors
    assert mine.read_text() == "umask 022\n" and asked.read_text() == "x\nx\n"


def test_the_session_bus_of_another_user(user, names):
    """`su` without "-" keeps its address: what is told to that keychain is told to him."""
    accounts = "".join(f"u{uid}:x:{uid}:{uid}::/nonexistent:/bin/sh\n" for uid in (UID, MALLORY))
    user.etc.write("/etc/passwd", Path("/etc/passwd").read_text() + accounts)
    service = SecretService(folder(user.folder.with_name("bus"), MALLORY) / "s", wrap=BY_MALLORY)
    try:
        user.config("[profile p]\nhost = h\nuser = u\n")
        stranger.own(user)
        user.env.update(service.env)
        done = user.run("password", "set", "p", input=user.secret(b"fake-password-for-nobody"), wrap=stranger.WRAP)
        assert done.code == 78 and done.errors.startswith("broker: p: no keychain here: the session bus belongs to another user\n")
        assert service.search({"xdg:schema": "org.broker.Password"}) == b""
    finally:
        service.stop()
