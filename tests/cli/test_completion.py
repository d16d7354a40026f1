# SPDX-License-Identifier: MIT
"""Completion in the real shells, and which files `make install` installs.

The candidates come from `broker __complete`, which is tested here directly. The shells themselves only have to pass
on the words and to insert the answer, so each shell is tested with the cases in which shells differ: words with `=`,
`:` and `@`, a space after the word or none, file names if broker offers nothing."""
import os
import re
import subprocess

import pytest

from lib.broker import REPO, SANITIZED
from lib.built import FORMATS, PROVIDERS, VERBS

FILES = {"bash": "broker.bash", "zsh": "_broker", "fish": "broker.fish"}
CONFIG = "[profile prod]\nhost = h\n[profile stage@eu]\nhost = h\n[tunnel bastion]\ntype = tcp\naddress = 1\n"
LEVELS = ["disabled", "preferred", "required", "verify-ca", "verify-identity"]


def offered(broker, *words):
    """{candidate: its description}, in order."""
    done = broker.run("__complete", input="".join(f"{word}\n" for word in words).encode())
    assert done.code == 0 and done.err == b""
    return dict(line.split("\t") for line in done.text.splitlines())


@pytest.fixture
def filled(broker):
    broker.config(CONFIG)
    return broker


# What is offered

@pytest.mark.parametrize("words, wanted", [
    ([], VERBS), ([""], VERBS), (["con"], ["connect"]), (["CON"], []), (["connect", ""], ["prod", "stage@eu"]),
    (["test", "p"], ["prod"]), (["token", "st"], ["stage@eu"]), (["exec", "prod", ""], []),
    (["connect", "-v", "p"], ["prod"]),
    (["connect", "-u", "app", "p"], ["prod"]), (["connect", "-u", "p"], []), (["connect", "--user=x", "p"], ["prod"]),
    (["credential", ""], ["get", "store", "erase", "capability", "exit", "aws"]),
    (["credential", "aws", "p"], ["prod"]), (["credential", "get", "p"], []),
    (["nothing", ""], []), (["password", ""], ["set", "delete"]), (["password", "set", ""], ["prod", "stage@eu"]),
    (["profile", ""], ["list", "show", "add", "set", "edit", "remove", "rename", "import", "export", "check"]), (["profile", "show", "p"], ["prod"]),
    (["profile", "remove", "p"], ["prod"]), (["profile", "rename", "prod", "p"], []), (["profile", "check", "p"], []),
    (["profile", "set", "p"], ["prod"]), (["profile", "set", "prod", "tls=veri"], ["tls=verify-ca", "tls=verify-identity"]),
    (["profile", "set", "prod", "port=1", "dat"], ["database="]),
    (["profile", "add", ""], []),
    (["profile", "list", ""], []), (["completion", ""], ["bash", "zsh", "fish"]), (["completion", "bash", ""], []),
    (["help", "c"], ["connect", "credential", "completion", "config"]), (["help", "e"], ["exec", "environment", "exit-codes"]),
    (["connect", "--tls", ""], LEVELS), (["connect", "--tls", "verify-"], LEVELS[3:]),
    (["connect", "--tls="], [f"--tls={level}" for level in LEVELS]), (["connect", "--tls=req"], ["--tls=required"]),
    (["connect", "--auth=p"], ["--auth=prompt"]), (["connect", "--auth", "c"], ["command", "client"]),
    (["connect", "--auth", ""], PROVIDERS.split()),
    (["connect", "-o", "tls="], [f"tls={level}" for level in LEVELS]),
    (["connect", "-o", "my-cnf="], ["my-cnf=yes", "my-cnf=no"]),
    (["connect", "-o", "auth=f"], ["auth=file"]), (["connect", "-o", "connect_t"], ["connect_timeout="]),
    (["connect", "-o", "title="], []), (["connect", "-o", "tunnel.k"], ["tunnel.keepalive="]),
    (["connect", "-o", "tunnel.ssh-engine="], [f"tunnel.ssh-engine={w}" for w in ("auto", "libssh2", "openssh")]),
    (["connect", "-o", "tunnel.host="], []),
    (["exec", "prod", "--env", ""], FORMATS.split()), (["exec", "--format=ur"], ["--format=url"]),
    (["connect", "--env", ""], ["prod", "stage@eu"]),
    (["forward", ""], ["prod", "stage@eu"]), (["forward", "prod", "s"], ["stage@eu"]), (["stop", "p"], []),
    (["status", "st"], []), (["password", "set", "--tunnel", ""], ["bastion"]), (["password", "set", "--tunnel", "p"], []),
    (["password", "--tunnel", "delete", "b"], ["bastion"]), (["-v", "connect", "p"], ["prod"]), (["-u", "app", "con"], ["connect"]),
    (["-u", "con"], []), (["exec", "prod", "--", "tool", ""], []), (["exec", "prod", "--", "./to"], []),
    (["forward", "--via", ""], ["bastion"]), (["forward", "--lis"], ["--listen"]),
    (["connect", "--tls", "x", "p"], ["prod"]), (["connect", "prod", "--", ""], []),
    (["connect", "prod", "--", "--", "-"], []),
    (["connect", "--hos"], ["--host"]), (["version", "--v"], ["--verbose"]), (["profile", "show", "--al"], ["--all"])])
def test_offered(filled, words, wanted):
    assert list(offered(filled, *words)) == wanted


def test_descriptions(filled):
    assert offered(filled, "conn")["connect"] == "start the mysql client"
    assert offered(filled, "connect", "--tl")["--tls"] == "disabled preferred required verify-ca verify-identity"
    assert offered(filled, "connect", "-o", "compr")["compress="] == "compress the protocol"
    assert offered(filled, "connect", "pro")["prod"] == "profile"


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_those_of_help(filled, verb):
    """All options are offered, each with its text in the help."""
    text = re.sub(r"\s+", " ", filled.run("help", verb).text)
    found = offered(filled, verb, "--")
    assert set(re.findall(r"(?<=[ ,] )(--[a-z-]+)", filled.run("help", verb).text.split("\nhow\n")[1])) <= set(found)
    for option, beside in found.items():
        assert re.search(rf" {option}( \S+)? {re.escape(beside)}", text) and beside, option


def test_config_is_read_each_time(broker):
    assert offered(broker, "connect", "") == {}
    broker.config("[profile new]\n")
    assert list(offered(broker, "connect", "")) == ["new"]


@pytest.mark.parametrize("text, mode", [("[profile p\n", 0o600), ("\0", 0o600), (CONFIG, 0o666)])
def test_broken_config_gives_no_error(broker, text, mode):
    broker.config(text).chmod(mode)
    assert offered(broker, "connect", "") == {} and list(offered(broker, "connect", "--tls", "p")) == ["preferred"]


def test_keychain_is_not_used(filled, silent_bus):
    filled.env.update(silent_bus.env)
    offered(filled, "connect", "")
    assert silent_bus.open == []


def test_programs_after_the_dashes(filled):
    """For exec's command: the executable programs on PATH, each once."""
    filled.script("mine-one", "true")
    filled.script("mine-two", "true").chmod(0o600)
    (filled.home / "bin" / "mine-folder").mkdir()
    filled.env["PATH"] = f"{filled.home}/bin:{filled.home}/bin:/nowhere::/usr/bin:/bin"
    assert offered(filled, "exec", "prod", "--", "mine-") == {"mine-one": "program"}
    assert "true" in offered(filled, "exec", "prod", "--", "tr")
    assert offered(filled, "exec", "--", "mine-") == {"mine-one": "program"}
    assert offered(filled, "connect", "prod", "--", "mine-") == {}


def test_running_forwards(filled, forwards, mariadb_server):
    """`stop` and `status` offer forwards that are running, not profiles."""
    filled.config(CONFIG + f"[profile fra]\nhost = 127.0.0.1\nport = {mariadb_server.port}\n")
    assert offered(filled, "stop", "") == {}
    forwards.detach("fra")
    assert offered(filled, "stop", "") == offered(filled, "status", "f") == {"fra": "forward"}
    assert offered(filled, "stop", "p") == {}


# The scripts

@pytest.mark.parametrize("shell", FILES)
def test_files_are_the_same_as_the_output(broker, shell):
    done = broker.run("completion", shell)
    assert (done.code, done.err) == (0, b"") and done.out == (REPO / "completions" / FILES[shell]).read_bytes()


@pytest.fixture
def shell(bare_broker, broker):
    """shell(program) is that shell's harness, with broker on its PATH and CONFIG in its home."""
    def make(program):
        if not os.access(program, os.X_OK):
            pytest.skip(f"missing: {program}")
        sh = bare_broker(program)
        sh.config(CONFIG)
        sh.env.update({"PATH": f"{broker.program.parent}:{sh.env['PATH']}", "TERM": "dumb", "PS1": "$ ", "PS2": ""})
        return sh
    return make


def ready(t, setup):
    t.expect(b"$ ")
    t.sendline(setup + b"; echo read''y")
    t.expect(b"ready\r\n")
    t.expect(b"$ ")


# What is typed up to TAB, and the line after an X has been typed behind the completion.
TYPED = [
    (b"broker conn\t", b"broker connect X"), (b"broker connect pr\t", b"broker connect prod X"),
    (b"broker test st\t", b"broker test stage@eu X"),
    (b"broker test stage@e\t", b"broker test stage@eu X"),
    (b"broker connect --tls=req\t", b"broker connect --tls=required X"),
    (b"broker connect --tls req\t", b"broker connect --tls required X"),
    (b"broker connect -o tls=req\t", b"broker connect -o tls=required X"),
    (b"broker connect -o compr\t", b"broker connect -o compress=X"),
    (b"broker connect -o compress=y\t", b"broker connect -o compress=yes X"),
    (b"broker connect prod --hos\t", b"broker connect prod --host X"),
    (b"broker connect --user=a:b pr\t", b"broker connect --user=a:b prod X"),
    (b"broker connect --client=some\t", b"broker connect --client=somefile X"),
    (b"broker connect prod -- --x=some\t", b"broker connect prod -- --x=somefile X")]


@pytest.mark.parametrize("library", [b":", b". /usr/share/bash-completion/bash_completion"])
def test_bash(shell, library):
    if b"share" in library and not os.path.exists(library[2:]):
        pytest.skip("missing: bash-completion")
    sh = shell("/bin/bash")
    sh.write("somefile", "")
    t = sh.pty("--norc", "--noprofile", "-i")
    ready(t, library + b"; bind 'set bell-style none'; eval \"$(broker completion bash)\"; broker() { echo \"<$*>\"; }")
    for typed, line in TYPED:
        t.send(typed + b"X\n")
        t.expect(b"\r\n<" + line.removeprefix(b"broker ") + b">\r\n")
        t.expect(b"$ ")


def test_zsh(shell):
    sh = shell("/usr/bin/zsh")
    sh.write("somefile", "")
    t = sh.pty("-f", "-i")
    ready(t, b"unsetopt beep zle_bracketed_paste; autoload -U compinit; compinit -u -D; eval \"$(broker completion zsh)\"; "
             b"broker() { echo \"<$*>\" }")
    for typed, line in TYPED:
        t.send(typed + b"X\n")
        t.expect(b"\n<" + line.removeprefix(b"broker ") + b">\r\n")
        t.expect(b"$ ")


def test_fish(shell):
    sh = shell("/usr/bin/fish")
    sh.write("somefile", "")

    def complete(line):
        done = sh.run("--no-config", "-c", "broker completion fish | source; complete -C $argv[1]", line,
                      env={"TERM": "xterm"})
        assert done.code == 0 and done.err == b""
        return [reply.split("\t")[0] for reply in done.text.splitlines()]
    assert sorted(complete("broker ")) == sorted(VERBS)
    assert complete("broker connect ") == ["prod", "stage@eu"]
    assert complete("broker connect --tls=verify-") == ["--tls=verify-ca", "--tls=verify-identity"]
    assert complete("broker connect -o tls=r") == ["tls=required"] and complete(
        "broker connect prod --hos") == ["--host"]
    assert complete("broker connect --client some") == ["somefile"] and complete(
        "broker connect prod -- some") == ["somefile"]


@pytest.mark.parametrize("program", ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish"])
def test_password_in_a_url_is_in_no_argument(shell, broker, program):
    """The line that is completed may contain a password, so the shell passes it to broker through a pipe."""
    secret = "fake-canary-completion"
    sh = shell(program)
    log = sh.home / "arguments"
    sh.script("broker", f"echo \"$*\" >>{log}; exec {broker.program} \"$@\"")
    sh.env["PATH"] = f"{sh.home}/bin:{sh.env['PATH']}"
    line = f"broker connect mysql://u:{secret}@h --tls req"
    if "fish" in program:
        done = sh.run("--no-config", "-c", "broker completion fish | source; complete -C $argv[1]", line, env={"TERM": "xterm"})
        assert done.text.split() == ["required"]
    else:
        kind = program.rpartition("/")[2]
        t = sh.pty(*(["--norc", "--noprofile", "-i"] if kind == "bash" else ["-f", "-i"]))
        ready(t, f"{'autoload -U compinit; compinit -u -D; ' if kind == 'zsh' else ''}eval \"$(broker completion {kind})\"".encode())
        t.send(line.encode() + b"\t")
        t.expect(b"uired")
        t.send(b"\x15exit\n")
        t.wait()
    seen = log.read_text()
    assert "__complete" in seen and secret not in seen and "mysql://" not in seen


# make install

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    san = ["SAN=1"] if SANITIZED else []
    done = subprocess.run(["make", "-C", REPO, "install", f"DESTDIR={folder}", "PREFIX=/opt/broker", *san],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_installed_files(installed):
    found = {str(path.relative_to(installed)): path.stat().st_mode & 0o777 for path in installed.rglob("*")
             if path.is_file()}
    prefix = "opt/broker/"
    assert found.items() >= {
        prefix + "bin/broker": 0o755, prefix + "libexec/broker/broker-keychain": 0o755,
        prefix + "share/bash-completion/completions/broker": 0o644, prefix + "share/zsh/site-functions/_broker": 0o644,
        prefix + "share/fish/vendor_completions.d/broker.fish": 0o644}.items()
    assert all(name.startswith(prefix) for name in found)


def test_installed_program_finds_its_helper(installed, tmp_path, bare_broker, keychain):
    link = tmp_path / "link"
    link.symlink_to(installed / "opt/broker/bin/broker")
    for program in (installed / "opt/broker/bin/broker", link):
        b = bare_broker(program)
        b.env.update(keychain.env)
        assert b.run("password", "set", "--host", "h", "--user", "u", input=b"fake-pw").code == 0
        assert b.run("token", "--host", "h", "--user", "u", secret_out=True).text == "fake-pw\n"
        assert b.run("password", "delete", "--host", "h", "--user", "u").code == 0


def test_shells_find_the_installed_files(installed, shell):
    share = installed / "opt/broker/share"
    zsh = shell("/usr/bin/zsh")
    t = zsh.pty("-f", "-i")
    ready(t, f"unsetopt beep; fpath=({share}/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D; broker() {{ echo \"<$*>\" }}".encode())
    t.send(b"broker connect pr\tX\n")
    t.expect(b"\n<connect prod X>\r\n")
    fish = shell("/usr/bin/fish")
    done = fish.run("-c", "complete -C 'broker connect p'", env={"XDG_DATA_DIRS": str(share), "TERM": "xterm"})
    assert done.text.startswith("prod\t")
    if os.path.exists("/usr/share/bash-completion/bash_completion"):
        bash = shell("/bin/bash")
        bash.env["XDG_DATA_DIRS"] = str(share)
        t = bash.pty("--norc", "--noprofile", "-i")
        ready(t, b". /usr/share/bash-completion/bash_completion; bind 'set bell-style none'")
        t.send(b"broker version pr\x15broker connect pr\t--help=X\n")
        t.expect(b"--help takes no value")
        assert b"connect prod --help=X" in t.shown
