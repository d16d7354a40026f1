# SPDX-License-Identifier: MIT
"""A hostile or broken environment: no home folder, closed and full outputs, folders of other users, missing programs
and keychains, and text that would manipulate a terminal.

Each failure prints one line with the error and its reason and one line with a hint, has the documented exit status,
and leaves no partly written file. For errors in the config file see test_config.py, on the command line
test_command_line.py."""
import os
import shutil
import stat
import time

import pytest

from lib import stranger
from lib.broker import BUILD

SH = ["sh", "-c"]
LIST = "NAME  AUTH    VIA  SERVER\np     client  -    h\n"
ESCAPES = "\u202eevil\u2066\u009b31m\u200b"
NO_OUTPUT = "hint: check that the disk is not full and the pipe is not closed\n"
OWN_FOLDER = "hint: set XDG_RUNTIME_DIR to a folder that you own, mode 0700\n"
NO_KEYCHAIN = "hint: start a Secret Service, or set auth = command, auth = file or auth = env\n"


@pytest.fixture
def user(broker):
    """For broker.run(..., wrap=stranger.WRAP), which runs broker as an unprivileged user."""
    if os.geteuid() != 0:
        pytest.skip("missing: root, to run as another user")
    stranger.settle(broker, BUILD)
    return broker


def refused(done, code):
    assert done.code == code and done.out == b"", done
    lines = done.errors.splitlines()
    assert len(lines) == 2 and lines[0].startswith("broker: ") and lines[1].startswith("hint: "), lines
    assert len(lines[1]) > 6
    return done.errors.removeprefix("broker: ")


# Outputs and inputs that fail

@pytest.mark.parametrize("args",
                         [["profile", "list"], ["profile", "list", "--json"], ["help"], ["help", "connect"],
                          ["version"],
                                  ["completion", "bash"], ["token", "p"], ["connect", "p", "--dry-run"]])
def test_stdout_closed_full_or_gone(broker, args):
    broker.config("[profile p]\nhost = h\nuser = u\nauth = env\nauth_env = PW\ntls = preferred\nclient = /usr/bin/mariadb\n")
    broker.env["PW"] = broker.secret(b"fake-canary-stdout").decode()
    assert refused(broker.run(*args, wrap=[*SH, 'exec "$@" >&-', "sh"]),
                   74) == "stdout: Bad file descriptor\n" + NO_OUTPUT
    with open("/dev/full", "wb") as full:
        assert broker.run(*args, stdout=full).errors == "broker: stdout: No space left on device\n" + NO_OUTPUT
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as gone:
        done = broker.run(*args, stdout=gone)
        assert (done.errors, done.code) == ("broker: stdout: Broken pipe\n" + NO_OUTPUT, 74)


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_files_do_not_replace_closed_streams(broker, closed):
    """A file that broker opens must not get the descriptor of a standard stream, because output would be written to
    it."""
    broker.config("[profile p]\nhots = h\n")
    wrap = [*SH, f'exec "$@" {closed}', "sh"]
    assert broker.run("profile", "check", wrap=wrap).code == 78
    assert broker.run("profile", "add", "q", "mysql://u@h/", wrap=wrap).code == 0
    assert broker.run("profile", "list", wrap=wrap).code == (74 if ">&- 2" in closed and "<&- >" in closed else 0)
    assert broker.config_path.read_text() == "[profile p]\nhots = h\n\n[profile q]\nhost = h\nuser = u\n"


def test_stdin_closed(broker):
    assert refused(broker.run("token", "-", wrap=[*SH, 'exec "$@" <&-', "sh"]),
                   74).startswith("stdin: Bad file descriptor\n")


def test_stdin_is_a_folder(broker):
    done = broker.run("token", "-", wrap=[*SH, 'exec "$@" <"$HOME"', "sh"])
    assert refused(done, 74).startswith("stdin: Is a directory\n")


@pytest.mark.parametrize("where", ["folder", "full"])
def test_config_that_cannot_be_written(broker, user, where):
    user.config("[profile p]\nhost = h\n")
    stranger.own(user)
    if where == "folder":
        user.config_path.parent.chmod(0o500)
    before = user.config_path.read_bytes()
    limit = ["prlimit", "--fsize=10"] if where == "full" else []
    done = user.run("profile", "add", "q", "mysql://u@h/", wrap=[*limit, *stranger.WRAP])
    wanted = {"folder": "Permission denied", "full": "File too large"}[where]
    assert refused(done, 74).startswith(
        f"~/.config/broker/config: {wanted}\nhint: ") and user.config_path.read_bytes() == before
    assert os.listdir(user.config_path.parent) == ["config"]


# The owner of the config file

def test_config_of_another_user(broker):
    path = broker.config("[profile p]\nhost = h\n")
    if os.geteuid() != 0:
        pytest.skip("missing: root, to give a file away")
    os.chown(path, stranger.UID, stranger.UID)
    assert refused(broker.run("connect", "p"), 78) == \
        "~/.config/broker/config: owned by another user\nhint: chown 0 ~/.config/broker/config\n"


def test_config_of_root_is_accepted(user):
    path = user.config("[profile p]\nhost = h\nauth = client\n")
    stranger.own(user)
    os.chown(path, 0, 0)
    path.chmod(0o644)
    assert user.run("profile", "list", wrap=stranger.WRAP).text == LIST
    os.chown(path, 12345, 12345)
    assert refused(user.run("connect", "p", wrap=stranger.WRAP), 78) == \
        f"~/.config/broker/config: owned by another user\nhint: chown {stranger.UID} ~/.config/broker/config\n"


def test_config_that_cannot_be_read(user):
    user.config("[profile p]\nhost = h\n").chmod(0)
    stranger.own(user)
    assert refused(user.run("connect", "p", wrap=stranger.WRAP), 74) == \
        "~/.config/broker/config: Permission denied\nhint: chmod u+r ~/.config/broker/config\n"
    user.config_path.chmod(0o600)
    user.config_path.parent.chmod(0)
    assert refused(user.run("connect", "p", wrap=stranger.WRAP),
                   74).startswith("~/.config/broker/config: Permission denied\n")


# No home

@pytest.mark.parametrize("home", [None, "", "relative"])
def test_no_home(broker, user, home):
    """For a user without a passwd entry: no config is read, no profile can be added, everything else works."""
    nothing = {"HOME": home, "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None, "XDG_RUNTIME_DIR": None, "TMPDIR": None,
               "PW": "fake-pw"}
    options = {"wrap": stranger.WRAP, "env": nothing}
    assert user.run("profile", "list", **options).errors == "no profiles; broker profile add NAME\n"
    assert user.run("token", "--host", "h", "--auth", "env", "-o", "auth_env=PW", secret_out=True,
                    **options).text == "fake-pw\n"
    assert refused(user.run("profile", "add", "p", "mysql://u@h/", **options), 78) == \
        "p: no home folder for the config file\nhint: set HOME, XDG_CONFIG_HOME or BROKER_CONFIG\n"
    assert user.run("connect", "--host", "h", "--auth", "none", "--dry-run", "--client", "/usr/bin/mariadb", "--tls",
                    "preferred",
                    **options).code == 0


def test_home_from_passwd(broker):
    done = broker.run("profile", "show", "mysql://h?tls_ca=~/ca", env={"HOME": None, "BROKER_CONFIG": "/dev/null"})
    assert "tls_ca  ~/ca" in done.text


# The runtime folder

def runtime(broker, **options):
    """A run that needs the runtime folder: broker makes a plug-in folder there for a MariaDB client without verified
    TLS."""
    return broker.run("connect", "mysql://u@127.0.0.1:1/?auth=none", "--client", "/usr/bin/mariadb", "--", "--version",
                      **options)


def spoil(folder, how):
    if how == "file":
        folder.write_text("")
    elif how == "link":
        folder.with_name("elsewhere").mkdir(exist_ok=True)
        folder.symlink_to("elsewhere")
    elif how == "open":
        folder.mkdir()
        folder.chmod(0o750)
    elif how == "owned by another user":
        folder.mkdir(mode=0o700)
        os.chown(folder, stranger.UID, stranger.UID)


@pytest.mark.parametrize("how, why",
                         [("file", "not a folder that you own"), ("link", "not a folder that you own"),
                          ("open", "other users have access"),
                                      ("owned by another user", "not a folder that you own")])
def test_runtime_folder(broker, how, why):
    """If the first runtime folder is not safe, the second is used; if that is not safe either, it is an error."""
    if how == "owned by another user" and os.geteuid() != 0:
        pytest.skip("missing: root, to give a folder away")
    other = broker.tmp / f"broker-{os.geteuid()}"
    spoil(broker.runtime / "broker", how)
    assert runtime(broker).code == 0 and [path.name.partition("-")[0] for path in other.iterdir()] == ["plugins"]
    shutil.rmtree(other)
    spoil(other, how)
    done = runtime(broker)
    assert (done.code, done.out) == (78, b"") and done.errors == \
        f"broker: {broker.runtime}/broker: {why}\n  {other}: {why}\n{OWN_FOLDER}"
    done = runtime(broker, env={"XDG_RUNTIME_DIR": None})
    assert (done.code, done.errors) == (78, f"broker: {other}: {why}\n{OWN_FOLDER}")


@pytest.mark.parametrize("env, place", [({}, "run/broker"), ({"XDG_RUNTIME_DIR": None}, "tmp/broker-{uid}"),
                                        ({"XDG_RUNTIME_DIR": ""}, "tmp/broker-{uid}"),
                                        ({"XDG_RUNTIME_DIR": "run"}, "tmp/broker-{uid}")])
def test_which_runtime_folder(broker, env, place):
    assert runtime(broker, env=env).code == 0
    folder = broker.folder / place.format(uid=os.geteuid())
    assert folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_read_only_runtime_folder(user):
    user.runtime.chmod(0o500)
    user.tmp.chmod(0o500)
    done = runtime(user, wrap=stranger.WRAP)
    assert (done.code, done.errors) == (78, f"broker: {user.runtime}/broker: Permission denied\n"
                                        f"  {user.tmp}/broker-{stranger.UID}: Permission denied\n{OWN_FOLDER}")
    assert os.listdir(user.runtime) == os.listdir(user.tmp) == []


# Programs

@pytest.mark.parametrize("args, code, wanted", [
    (["connect", "--client", "/nowhere/mysql"], 127,
     "h: /nowhere/mysql: no such program\nhint: install a MySQL or MariaDB client, or "),
    (["connect", "--client", "nowhere"], 127,
     "h: nowhere: not found on PATH\nhint: install a MySQL or MariaDB client, or "),
    (["connect"], 127, "h: mysql, mariadb: not found on PATH\nhint: install a MySQL or MariaDB client, or "),
    (["connect", "--client", "~/plain"], 126,
     "h: ~/plain: not an executable program\nhint: install a MySQL or MariaDB client, or "),
    (["connect", "--client", "~/bin"], 126,
     "h: ~/bin: not an executable program\nhint: install a MySQL or MariaDB client, or "),
    (["connect", "--client", "other"], 78,
     "h: {home}/bin/other: its --version does not mention MySQL or MariaDB\nhint: set client to a"),
    (["connect", "--client", "broken"], 127, "h: {home}/bin/broken: No such file or directory\nhint: "),
    (["exec", "--", "nowhere"], 127, "h: nowhere: no such program\nhint: check its name, its permissions and PATH\n"),
    (["exec", "--", "./plain"], 126,
     "h: ./plain: not an executable program\nhint: check its name, its permissions and PATH\n"),
    (["exec", "--", "broken"], 127, "h: {home}/bin/broken: No such file or directory\nhint: ")])
def test_programs(broker, args, code, wanted):
    broker.write("plain", "")
    broker.script("other", "echo other 1.0")
    broker.script("broken", "#!/nowhere/sh")
    env = {"PATH": f"{broker.home}/bin"} if args == ["connect"] else {}
    done = broker.run(args[0], "--host", "h", "--auth", "none", *args[1:], env=env)
    assert refused(done, code).startswith(wanted.format(home=broker.home))


def test_helper_is_not_installed(user):
    """An incomplete installation, without broker-keychain."""
    (user.folder / "installed" / "libexec" / "broker" / "broker-keychain").unlink()
    message = refused(user.run("password", "delete", "--host", "h", "--user", "u", wrap=stranger.WRAP), 78)
    assert "broker-keychain: No such file or directory" in message and message.endswith(
        "hint: install all of broker: make install\n")


# Keychains

@pytest.mark.parametrize("bus", ["no", "empty", "gone"])
def test_no_keychain(request, broker, bus):
    broker.config("[profile p]\nhost = h\nuser = u\n")
    if bus == "empty":
        broker.env.update(request.getfixturevalue("empty_bus").env)
    if bus == "gone":
        broker.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere/bus"
    for args in (["token", "p"], ["password", "set", "p"], ["password", "delete", "p"]):
        started = time.monotonic()
        message = refused(broker.run(*args, input=b"fake-pw"), 78)
        assert time.monotonic() - started < 10, args
        assert message.startswith("p: no keychain here") and message.endswith(NO_KEYCHAIN), message
        assert message.count("no keychain") == 1


def test_locked_collection(broker, keychain):
    broker.config("[profile p]\nhost = h\nuser = u\n")
    broker.env.update(keychain.env)
    assert broker.run("password", "set", "p", input=b"fake-pw").code == 0
    keychain.lock()
    for options in ([], ["--no-input"]):
        for args in (["token", "p"], ["password", "set", "p"], ["password", "delete", "p"]):
            message = refused(broker.run(*args, *options, input=b"fake-pw"), 79)
            assert message.startswith("p: the keychain is locked") and "\nhint: unlock it" in message


def test_timeout_of_a_run(broker, fake_server, clients):
    silent = fake_server("silent")
    started = time.monotonic()
    done = broker.run("test", f"mysql://u@127.0.0.1:{silent.port}/?auth=none", "--timeout", "300ms", "--client",
                      clients["mysql9"].path)
    assert done.code == 69 and time.monotonic() - started < 15
    assert done.errors.splitlines()[-1].startswith("hint: ")


# Text that broker did not write

def test_control_characters_in_values(broker):
    """A value in the config that contains one is refused, and no output contains them."""
    broker.config(f"[profile p]\nhost = h\nuser = {ESCAPES}\ntitle = {ESCAPES}\n[profile q]\ntls = {ESCAPES}\n")
    for args in (["profile", "list"], ["profile", "show", "p"], ["profile", "show", "p", "--json"], ["connect", "q"],
                 ["token", "p"],
                 ["connect", "p", "--dry-run", "--client", "/usr/bin/mariadb", "--tls", "preferred"],
                 ["profile", "check"]):
        assert_clean(broker.run(*args))
    assert refused(broker.run("token", "p"), 78).startswith("~/.config/broker/config:3: user: contains a character that ")


@pytest.mark.parametrize("args",
                         [["{}"], ["connect", "{}"], ["connect", "--{}"], ["help", "{}"], ["connect", "-o", "{}=x"],
                          ["profile", "{}"],
                                  ["connect", "--tls", "{}"], ["exec", "--host", "h", "--auth", "none", "--", "./{}"],
                                  ["connect", "--host", "h", "--client", "/{}"], ["completion", "{}"]])
def test_control_characters_in_arguments(broker, args):
    tricks = ESCAPES + "\x1b]0;x\x07\r\n\t\b"
    assert_clean(refused_text(broker.run(*(arg.format(tricks) for arg in args))))


def test_control_characters_in_file_names(broker):
    path = broker.write(f"{ESCAPES}\x1b[31m/config", "[profile p]\nhots = x\n")
    done = broker.run("connect", "p", env={"BROKER_CONFIG": str(path)})
    assert done.errors == "broker: ~/?evil??31m??[31m/config:2: unknown key 'hots'\nhint: did you mean 'host'?\n"


def test_control_characters_from_a_server(broker):
    stub = broker.stub(exit=1, stderr=f"ERROR 1130 (HY000): Host \x1b[2J\x07{ESCAPES} is not allowed\n")
    done = broker.run("test", "mysql://u@127.0.0.1:1/?auth=none", "--client", stub.path)
    assert done.code == 77 and "1130 Host ?[2J??evil??31m? is not allowed" in done.errors
    assert_clean(done)


def refused_text(done):
    assert done.code >= 64 and len(done.errors.splitlines()) == 2, done
    return done


def assert_clean(done):
    for text in (done.text, done.errors):
        assert not any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2066\u200b"
                       for c in text), text
