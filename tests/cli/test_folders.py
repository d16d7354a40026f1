# SPDX-License-Identifier: MIT
"""Folders that another user can change, with real users: root creates them, `broker` runs as a user without privileges,
and another user (MALLORY) owns a parent folder or can write to it.

broker runs plug-ins from the runtime folder and trusts its sockets with passwords, so only the user and root may be
able to change the path of that folder. Otherwise broker uses the fallback below TMPDIR, and if that is not safe either,
it fails. The same rule holds for files that broker reads and trusts (the config file and what it includes, a password
file, the user's own CA certificates, the cached flavours of clients) and for the session bus."""
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
    """broker, prepared for broker.run(..., wrap=stranger.WRAP), which runs it as a user who is not root."""
    if os.geteuid() != 0:
        pytest.skip("missing: root, to run as another user")
    stranger.settle(broker, BUILD)
    return broker


@pytest.fixture
def place(user):
    """A folder that root owns, outside the user's home."""
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


# Each function creates folders below PLACE. It returns the value of XDG_RUNTIME_DIR, and why that is refused (None: it
# is not).

def parent_of_mallory(place):
    folder(place / "a", MALLORY)
    return folder(place / "a" / "run", mode=0o700), "{place}/a belongs to another user"


def grandparent_of_mallory(place):
    folder(folder(place / "a", MALLORY) / "b")
    return folder(place / "a" / "b" / "run", mode=0o700), "{place}/a belongs to another user"


def parent_writable_by_group(place):
    folder(place / "a", mode=0o775, gid=MALLORY)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by group"


def parent_writable_by_own_group(place):
    folder(place / "a", mode=0o775)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by group"


def parent_writable_by_all(place):
    folder(place / "a", 0, mode=0o777)
    return folder(place / "a" / "run", mode=0o700), "{place}/a is writable by others"


def folder_writable_by_all(place):
    return folder(place / "run", mode=0o777), "{place}/run is writable by others"


def link_of_mallory(place):
    folder(place / "tmp", 0, mode=0o1777)
    folder(place / "run", mode=0o700)
    return link(place / "tmp" / "l", place / "run", MALLORY), "the link {place}/tmp/l belongs to another user"


def own_link_through_mallorys_folder(place):
    parent_of_mallory(place)
    return link(place / "l", "a/run"), "{place}/a belongs to another user"


def dotdot_through_mallorys_folder(place):
    parent_of_mallory(place)
    folder(place / "run", mode=0o700)
    return place / "a" / "run" / ".." / ".." / "run", "{place}/a belongs to another user"


def link_loop(place):
    link(place / "l", "m")
    return link(place / "m", "l"), "Too many levels of symbolic links"


def missing_folder(place):
    return place / "none", "No such file or directory"


def unreadable_folder(place):
    return folder(place / "run", 0, 0o700), "Permission denied"


def own_folder(place):
    return folder(place / "run", mode=0o700), None


def in_sticky_folder(place):
    folder(place / "tmp", 0, mode=0o1777)
    return folder(place / "tmp" / "run", mode=0o700), None


def own_links(place):
    folder(place / "tmp", 0, mode=0o1777)
    folder(folder(place / "tmp" / "b") / "run", mode=0o700)
    return link(place / "tmp" / "l", "b/../m"), link(place / "tmp" / "m", place / "tmp" / "b" / "run"), None


def link_of_root(place):
    folder(place / "run", mode=0o700)
    return link(place / "l", place / "run", 0), None


BAD = [parent_of_mallory, grandparent_of_mallory, parent_writable_by_group, parent_writable_by_own_group,
       parent_writable_by_all, folder_writable_by_all, link_of_mallory, own_link_through_mallorys_folder,
       dotdot_through_mallorys_folder, link_loop, missing_folder, unreadable_folder]
GOOD = [own_folder, in_sticky_folder, own_links, link_of_root]
NAMED = {"ids": lambda make: make.__name__}


def runtime(user, **env):
    """A run that needs the runtime folder: a MariaDB client without verified TLS loads its plug-ins from there."""
    return user.run("connect", "mysql://u@127.0.0.1:1/?auth=none", "--client", "/usr/bin/mariadb", "-v", "--", "--version",
                    wrap=stranger.WRAP, env=env)


def made(*places):
    """Those of the folders that contain our plug-in folder."""
    return [path for path in places if list(path.glob("plugins-*"))]


@pytest.mark.parametrize("make", BAD, **NAMED)
def test_fallback_is_used(user, place, make):
    run, why = make(place)
    before = sorted(place.rglob("*")) if make != unreadable_folder else []
    other = user.tmp / f"broker-{UID}"
    done = runtime(user, XDG_RUNTIME_DIR=str(run))
    assert done.code == 0, done.errors
    assert f"runtime     {run}/broker: {why.format(place=place)}; instead: {other}\n" in done.errors
    assert made(other) == [other] and other.stat().st_mode & 0o777 == 0o700
    assert make == unreadable_folder or sorted(place.rglob("*")) == before, "created something in the refused folder"


@pytest.mark.parametrize("make", GOOD, **NAMED)
def test_trusted_path_is_used(user, place, make):
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


def test_folder_that_is_swapped_constantly(user, place):
    """The owner of the parent folder exchanges our runtime folder for his own, from which we would load plug-ins, as
    fast as he can."""
    folder(place / "a", MALLORY)
    run, evil = folder(place / "a" / "run", mode=0o700), folder(place / "a" / "evil", MALLORY, 0o777)
    folder(folder(evil / "broker") / "plugins-0000000000000000", MALLORY, 0o777)
    with subprocess.Popen([*BY_MALLORY, sys.executable, "-c", SWAP, run, evil], stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout.readline() == b"0\n", "the attacker cannot swap the folders, so this tests nothing"
        done = [runtime(user, XDG_RUNTIME_DIR=str(run)) for _ in range(30)]
        swapper.kill()
    other = user.tmp / f"broker-{UID}"
    assert {run.code for run in done} == {0} and made(other)
    assert {len(list((path / "broker").rglob("*"))) for path in (run, evil) if (path / "broker").exists()} == {1}


def test_trusted_path_cannot_be_swapped(user, place):
    """A folder is checked once, and used by its path later. So the same attempt must fail for each folder of a trusted
    path."""
    run, _ = in_sticky_folder(place)
    evil = folder(place / "tmp" / "evil", MALLORY, 0o777)
    once = SWAP.partition("while")[0]
    for part in (run, place / "tmp", place):
        done = subprocess.run([*BY_MALLORY, sys.executable, "-c", once, part, evil], capture_output=True, check=True)
        assert done.stdout == b"-1\n", part
    assert runtime(user, XDG_RUNTIME_DIR=str(run)).code == 0 and made(run / "broker")


@pytest.mark.parametrize("make", [parent_of_mallory, parent_writable_by_all], **NAMED)
def test_sockets_are_in_the_fallback(user, mariadb_server, place, make):
    """The control socket of a forward, and the keeper's socket for a client."""
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


# Files that are read and trusted

PROFILE = "[profile p]\nhost = h\nauth = client\n"
MOVE = "hint: use a folder that you own, below folders owned by you or root\n"


def config_by_group(place):
    """As a umask of 002 makes it, but the group is not the one with the user's own number, so it is refused."""
    return folder(place / "a", mode=0o2775, gid=MALLORY), "{place}/a is writable by group\nhint: chmod go-w {place}/a\n"


def config_by_own_group(place):
    return folder(place / "a", mode=0o775), None


def config_by_all(place):
    return folder(place / "a", mode=0o777), "{place}/a is writable by others\nhint: chmod go-w {place}/a\n"


def config_in_folder_of_mallory(place):
    return folder(place / "a", MALLORY), "{place}/a belongs to another user\n" + MOVE


def config_in_sticky_folder(place):
    return folder(place / "a", 0, 0o1777), None


def config_by_link_of_mallory(place):
    folder(place / "a")
    folder(place / "tmp", 0, mode=0o1777)
    return (link(place / "tmp" / "l", place / "a", MALLORY),
            "the link {place}/tmp/l belongs to another user\nhint: use a path without that link\n")


def config_by_own_link(place):
    folder(place / "a")
    return link(place / "l", "a"), None


CONFIGS = [config_by_group, config_by_own_group, config_by_all, config_in_folder_of_mallory, config_in_sticky_folder,
           config_by_link_of_mallory, config_by_own_link]


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


def test_own_file_linked_as_config_by_another_user(user, place):
    """A link leads to a file whose owner and mode are right, because it is ours: one that we downloaded, or an
    old one."""
    where, _ = config_by_all(place)
    evil = put(folder(user.home / "cloned", mode=0o755) / "config", "[profile p]\nhost = h\nuser = u\nauth = command\n"
               f"auth_command = touch {user.home}/run-by-mallory\n", 0o644)
    link(where / "config", evil)
    stranger.own(user)
    done = user.run("token", "p", wrap=stranger.WRAP, env={"BROKER_CONFIG": str(where / "config")})
    assert done.code == 78 and not (user.home / "run-by-mallory").exists()


@pytest.mark.parametrize("make", CONFIGS, **NAMED)
def test_profile_is_added_only_in_a_trusted_folder(user, place, make):
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
    """By a descriptor, which no one can swap, and relative to the current folder."""
    put(user.home / "config", PROFILE)
    folder(user.home / "x")
    stranger.own(user)
    done = user.run("connect", "p", "--dry-run", "--client", "/usr/bin/mariadb", env={"BROKER_CONFIG": path},
                    wrap=[*stranger.WRAP, "sh", "-c", f'exec "$@" 9<{user.home}/config', "sh"])
    assert done.code == code, done.errors


RDS = "prod.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com"


@pytest.mark.parametrize("make", CONFIGS, **NAMED)
def test_own_ca_certificates(user, place, make):
    where, why = make(place)
    path = put(folder(where / "broker") / "rds-ca.pem", (BUILD / "share/broker/rds-ca.pem").read_text())
    done = user.run("connect", f"mysql://u@{RDS}/?tls=verify-identity&auth=none", "--client", "/usr/bin/mariadb", "--dry-run",
                    wrap=stranger.WRAP, env={"XDG_DATA_HOME": str(where)})
    if why is None:
        assert done.code == 0 and str(path) in done.text
    else:
        assert (done.code, done.errors) == (78, f"broker: {path}: {why.format(place=place)}")


def test_flavours_are_not_cached_in_an_untrusted_folder(user, place):
    """Nor does broker write through another user's link."""
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


def test_session_bus_of_another_user(user, names):
    """`su` without "-" keeps the address of the other user's bus. A password stored in that keychain would be his."""
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
