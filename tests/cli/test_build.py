# SPDX-License-Identifier: MIT
"""The build: byte for byte the same in another folder; from `make dist`; installed and uninstalled in folders that a
packager chooses; no warnings from other compilers. The tests that compile the whole tree run in CI, and if this file
is named."""
import os
import re
import shlex
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.broker import BUILD, REPO, SANITIZED

ENV = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN", "STATIC", "V")}
NOT_COMPARED = "" if BUILD == REPO / "build" else "the build that is tested has flags of its own"


def make(folder, *args):
    done = subprocess.run(["make", "-C", folder, *args], env=ENV, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The unpacked archive of `make dist`."""
    made = make(REPO, "dist", f"B={tmp_path_factory.mktemp('made')}").partition("> ")[2].split()[0]
    with tarfile.open(made) as archive:
        names = archive.getnames()
        assert len({name.partition("/")[0] for name in names}) == 1 and not any("/build/" in name or "/.git/" in name for name in names)
        folder = tmp_path_factory.mktemp("source")
        archive.extractall(folder)
    return folder / names[0].partition("/")[0]


WHERE = ["PREFIX=/usr", "LIBEXECDIR=/usr/lib", "DOCDIR=/usr/share/doc/broker-doc", "MANDIR=/usr/man"]
FLAGS = ["CFLAGS=-O0", "CPPFLAGS=-D_FORTIFY_SOURCE=0 -DBROKER_NOT_USED=1", "LDFLAGS=-Wl,--build-id=none"]  # -O0 is quicker


@pytest.fixture(scope="module")
def built(source):
    make(source, "-j2", *WHERE, *FLAGS)
    return source


@pytest.mark.builds
@pytest.mark.timeout(900)
def test_the_same_in_another_folder(tmp_path):
    """Builds the tree as it is, not as it was committed, because the result is compared with the build that is
    tested."""
    if SANITIZED or NOT_COMPARED:
        return
    copy = tmp_path / "a" / "longer" / "way"
    shutil.copytree(REPO, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build*", "__pycache__"))
    make(copy, "-j2")
    made, ours = ((folder / "build", [p for p in files(folder / "build") if p.startswith(("bin/", "libexec/", "share/"))])
                  for folder in (copy, REPO))
    assert made[1] == ours[1] and len(made[1]) >= 5
    for path in made[1]:
        assert (made[0] / path).read_bytes() == (ours[0] / path).read_bytes(), path


@pytest.mark.builds
@pytest.mark.timeout(900)
def test_folders_of_a_packager(built, tmp_path, bare_broker, keychain):
    """With LIBEXECDIR and the other variables: the installed programs work, the pages link to each other, and `make
    uninstall` removes them."""
    where = [*WHERE, *FLAGS, f"DESTDIR={tmp_path}/root"]
    make(built, "install", *where)
    found = files(tmp_path / "root")
    assert {"usr/bin/broker", *(f"usr/lib/broker/broker-{name}" for name in ("askpass", "http", "keeper", "keychain")),
            "usr/share/broker/rds-ca.pem", "usr/share/doc/broker-doc/docs/tunnels.md", "usr/share/doc/broker-doc/LICENSE",
            "usr/man/man1/broker-connect.1", "usr/man/man5/broker-config.5", "usr/man/man7/broker-tls.7"} <= {*found}
    assert not any("libexec" in path for path in found)
    docs = tmp_path / "root/usr/share/doc/broker-doc"
    for page in [*docs.glob("*.md"), *docs.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
    b = bare_broker(tmp_path / "root/usr/bin/broker")
    b.env.update(keychain.env)
    assert b.run("password", "set", "--host", "h", "--user", "u", input=b"fake-pw").code == 0
    assert b.run("token", "--host", "h", "--user", "u", secret_out=True).text == "fake-pw\n"
    (tmp_path / "root/usr/share/broker/kept").touch()
    make(built, "uninstall", *where)
    assert files(tmp_path / "root") == ["usr/share/broker/kept"]
    assert not (tmp_path / "root/usr/lib/broker").exists()


@pytest.mark.parametrize("args, text", [
    (["LIBEXECDIR=/opt/x"], "LIBEXECDIR must be below PREFIX (/usr/local)"), (["STATIC=yes"], "STATIC is libs or 1")])
def test_refused(args, text):
    done = subprocess.run(["make", "-n", "-C", REPO, *args], env={"PATH": ENV["PATH"]}, capture_output=True, text=True)
    assert done.returncode and text in done.stderr


def test_warnings_are_errors_only_if_requested():
    for args, there in (([], "WERROR" in ENV), (["WERROR="], False), (["WERROR=0"], False), (["WERROR=1"], True)):
        assert ("-Werror" in make(REPO, "-n", "V=1", "-W", "src/command/version.c", *args)) == there, args


@pytest.mark.builds
@pytest.mark.timeout(600)
@pytest.mark.parametrize("compiler", ["clang"])
def test_another_compiler_has_no_warning(tmp_path, compiler):
    """The rest of CI builds with gcc. Debian 12 has gcc 12 and clang 14, Debian 13 has gcc 14 and clang 19."""
    if not shutil.which(compiler):
        pytest.skip(f"missing: {compiler}")
    printed = make(REPO, "-n", "V=1", f"B={tmp_path}/b", f"CC={compiler}", "WERROR=1", "CFLAGS=-O2", "all", "unit")
    commands = [shlex.split(line) for line in re.sub(r"\\\n\s*", " ", printed).splitlines() if line.startswith(f"{compiler} -std=")]
    assert len(commands) > 200

    def check(words):
        flags = [word for word in words if re.match(r"-([DIWf]|std=)", word) and not word.startswith("-Wl,")]
        source = [word for word in words if word.endswith(".c")]
        return subprocess.run([compiler, *flags, "-O2", "-fsyntax-only", *source], cwd=REPO, capture_output=True, text=True).stderr
    with ThreadPoolExecutor(2) as pool:
        printed = "".join(pool.map(check, commands))
    assert not printed, printed[:3000]


@pytest.mark.builds
@pytest.mark.parametrize("kind, needed", [("libs", ["libc.so.6"]), ("1", [])])
@pytest.mark.timeout(900)
def test_static(built, bare_broker, kind, needed):
    """Libraries that are linked in are no longer needed; what they and the C library's name service do still works."""
    program = built / "build" / "bin" / "broker"
    program.unlink()
    make(built, *WHERE, *FLAGS, f"STATIC={kind}", "B=build", "build/bin/broker")  # from the same objects
    printed = subprocess.run(["readelf", "-d", program], capture_output=True, text=True).stdout
    assert [name for name in re.findall(r"NEEDED.*\[(.*)\]", printed) if not name.startswith("ld-linux")] == needed
    b = bare_broker(program)
    b.write(".aws/credentials", "[default]\naws_access_key_id = AKIAFAKE\naws_secret_access_key = fake-secret\n", secret=True)
    done = b.run("token", "--iam", "--host", "db.c9akciq32.eu-west-1.rds.amazonaws.com", "--user", "app", secret_out=True)
    assert done.code == 0 and "X-Amz-Signature=" in done.text, done.errors
    b.config("[profile p]\nhost = h\nuser = u\n")
    assert b.run("profile", "show", "p", "--json").code == 0
    del b.env["HOME"]
    assert b.run("profile", "list").code == 0  # the home is found in /etc/passwd
