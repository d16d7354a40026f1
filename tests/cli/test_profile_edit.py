# SPDX-License-Identifier: MIT
"""profile set, remove, rename, edit: each changes only what was asked for; concurrent changes are not lost."""
import os
import stat
import subprocess
import threading

import pytest

CONFIG = """\
# mine
[defaults]
compress = yes

[profile prod]
host     = prod.example.com
; why
user     = app
tls      = required

# the other
[profile stage]
inherits = prod
host     = stage.example.com
"""
CANARY = b"fake-canary-edit-0123456789"


@pytest.fixture
def filled(broker):
    broker.config(CONFIG)
    broker.config_path.chmod(0o640)
    return broker


def outcome(done):
    return done.text, done.errors, done.code


def text(broker):
    return broker.config_path.read_bytes().decode()


@pytest.mark.parametrize("args, before, after", [
    (["prod", "host=h"], "host     = prod.example.com\n", "host     = h\n"),
    (["prod", "tls=required", "database=shop"], "tls      = required\n", "tls      = required\ndatabase = shop\n"),
    (["prod", "server-public-key=no"], "tls      = required\n", "tls      = required\nserver_public_key = no\n"),
    (["prod", "--user", "u", "-o", "title=a ;b"], "user     = app\ntls      = required\n",
     'user     = u\ntls      = required\ntitle    = "a ;b"\n'),
    (["prod", "title=Prod: the shop"], "tls      = required\n", "tls      = required\ntitle    = Prod: the shop\n"),
    (["prod", "title=see https://a:b@wiki.example/"], "tls      = required\n",
     "tls      = required\ntitle    = see https://a:b@wiki.example/\n"),
    (["prod", "auth=command", "auth_command=pass show a:b -pw=x"], "tls      = required\n",
     "tls      = required\nauth     = command\nauth_command = pass show a:b -pw=x\n"),
    (["prod", "tls="], "tls      = required\n", ""),
    (["stage", "user="], "host     = stage.example.com\n", "host     = stage.example.com\nuser     =\n"),
    (["prod", "compress="], "tls      = required\n", "tls      = required\ncompress =\n"),
    (["prod", "via="], "", "")])
def test_set(filled, args, before, after):
    assert outcome(filled.run("profile", "set", *args)) == \
        ("", f"changed [profile {args[0]}] in ~/.config/broker/config\n", 0)
    assert text(filled) == CONFIG.replace(before, after)
    assert stat.S_IMODE(filled.config_path.stat().st_mode) == 0o640
    assert os.listdir(filled.config_path.parent) == ["config"]


@pytest.mark.parametrize("args", [["set", "stage", "user=u", "port=3307"], ["set", "prod", "port=3307"],
                                  ["rename", "stage", "live"], ["add", "new", "mysql://app@h/?ssh_host=b&ssh_user=me&ssh_keyLocation=/k"]])
@pytest.mark.parametrize("last", ["\r\n", ""])
def test_line_ends_of_windows(filled, args, last):
    filled.config(CONFIG.rstrip("\n").replace("\n", "\r\n") + last)
    done = filled.run("profile", *args)
    assert done.code == 0, done
    now = text(filled)
    assert "\n" not in now.replace("\r\n", "") and now != CONFIG.replace("\n", "\r\n")


@pytest.mark.parametrize("args, code, errors", [
    (["prdo", "host=h"], 78, "broker: prdo: no such profile\nhint: did you mean 'prod'?\n"),
    (["prod", "hots=h"], 64, "broker: hots: unknown key 'hots'\nhint: did you mean 'host'?\n"),
    (["prod", "port=0"], 64, "broker: port: port: '0' is not a number from 1 to 65535\nhint: for example: port = 3306\n"),
    (["prod", "socket=/s"], 78, None), (["prod", "inherits=stage"], 78, None),
    (["prod", "tunnel.user=u"], 64, "broker: prod: 'tunnel.user' is a key of the tunnel\n"
                                    "hint: broker profile edit, or via=ssh://USER@HOST\n"),
    (["prod", b"password=" + CANARY], 64, "broker: password: no secrets on the command line: 'password'\n"
                                          "hint: broker password set NAME\n"),
    (["prod", b"title=a\nb"], 64, None), (["prod", "via=nowhere"], 64, None)])
def test_set_is_refused(filled, args, code, errors):
    filled.secret(CANARY)
    done = filled.run("profile", "set", *args)
    assert done.code == code and errors in (None, done.errors), done
    assert text(filled) == CONFIG


def test_set_of_the_system_file(broker, names):
    broker.etc.write("/etc/broker/config", "[profile a]\nhost = h\nuser = u\n")
    assert broker.run("profile", "set", "a", "user=me").code == 0
    assert text(broker) == "[profile a]\nuser = me\n"
    done = broker.run("profile", "rename", "a", "b")
    assert outcome(done) == ("", "broker: a: has keys at /etc/broker/config:1 too\nhint: rename it in each file by hand\n", 78)
    assert outcome(broker.run("profile", "remove", "a")) == \
        ("", "removed [profile a] in ~/.config/broker/config\n[profile a] stays in /etc/broker/config:1\n", 0)
    assert outcome(broker.run("profile", "remove", "a")) == \
        ("", "broker: a: not in your own file, but at /etc/broker/config:1\nhint: edit that file\n", 78)


def test_remove(filled):
    done = filled.run("profile", "remove", "prod")
    assert outcome(done) == ("", "broker: prod: [profile stage] inherits from it, ~/.config/broker/config:13\n"
                              "hint: broker profile set stage inherits=\n", 78)
    assert text(filled) == CONFIG
    assert outcome(filled.run("profile", "remove", "stage")) == ("", "removed [profile stage] in ~/.config/broker/config\n", 0)
    assert text(filled) == CONFIG[:CONFIG.index("[profile stage]")]
    assert filled.run("profile", "remove", "prod", "-q").errors == ""
    assert text(filled) == "# mine\n[defaults]\ncompress = yes\n\n# the other\n"
    assert filled.run("profile", "remove", "prod").code == 78


def test_rename(filled):
    assert outcome(filled.run("profile", "rename", "prod", "live")) == \
        ("", "renamed [profile prod] to [profile live] in ~/.config/broker/config\n", 0)
    assert text(filled) == CONFIG.replace("[profile prod]", "[profile live]").replace("= prod\n", "= live\n")
    assert filled.run("profile", "check").code == 0
    for new, code in (("stage", 78), ("a b", 64), ("live", 78), ("", 64)):
        assert filled.run("profile", "rename", "live", new).code == code
    assert outcome(filled.run("profile", "rename", "x", "y"))[2] == 78


def test_profile_that_an_included_file_inherits_from(filled):
    filled.write(".config/broker/team", "[profile mine]\ninherits = prod\n")
    filled.config(CONFIG.replace("[defaults]\n", "[defaults]\ninclude = team\n").replace("inherits = prod\n", ""))
    before = text(filled)
    for args in (["rename", "prod", "live"], ["remove", "prod"]):
        done = filled.run("profile", *args)
        assert done.code == 78 and "[profile mine] inherits from it, ~/.config/broker/team:2" in done.errors
        assert text(filled) == before


def test_through_a_link(filled):
    real = filled.write("dotfiles/broker", CONFIG)
    filled.config_path.unlink()
    filled.config_path.symlink_to(real)
    assert filled.run("profile", "set", "prod", "host=h").code == 0
    assert filled.config_path.is_symlink() and "= h\n" in real.read_text()
    assert os.listdir(real.parent) == ["broker"]


def all_at_once(broker, lines):
    """Runs all commands, a hundred at a time, and returns exit status and stderr of each."""
    gate, ends = threading.Semaphore(100), []

    def one(args):
        with gate:
            proc = broker.start(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            errors = proc.communicate(timeout=300)[1].decode()
            ends.append((proc.returncode, errors))
    threads = [threading.Thread(target=one, args=(args,)) for args in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


@pytest.mark.timeout(400)
def test_two_hundred_concurrent_changes(broker):
    broker.config("".join(f"[profile p{i}]\nhost = h\n\n" for i in range(100)))
    lines = [["profile", "set", f"p{i}", f"user=u{i}"] for i in range(100)]
    lines += [["profile", "set", f"p{i}", f"database=d{i}"] for i in range(60)]
    lines += [["profile", "add", f"q{i}", f"mysql://u@h{i}/"] for i in range(30)]
    lines += [["profile", "rename", f"p{i}", f"r{i}"] for i in range(90, 100)]
    ends = all_at_once(broker, lines)
    # a `set` that comes after the rename finds no such profile; all others must succeed
    bad = [errors for code, errors in ends if code and "no such profile" not in errors]
    assert len(ends) == 200 and not bad and sum(code == 78 for code, _ in ends) <= 10, bad
    is_now = text(broker)
    lost = [i for i in range(90) if f"[profile p{i}]\nhost = h\n" not in is_now or f"user = u{i}\n" not in is_now]
    assert not lost, (lost, [end for end in ends if end[0]])
    assert all(f"database = d{i}\n" in is_now for i in range(60))
    assert all(f"[profile q{i}]\nhost = h{i}\nuser = u\n" in is_now for i in range(30))
    assert all(f"[profile r{i}]\nhost = h\n" in is_now for i in range(90, 100))
    assert broker.run("profile", "check").code == 0 and os.listdir(broker.config_path.parent) == ["config"]


def test_stale_lock_file(filled):
    filled.write(".config/broker/config.lock", "")
    assert filled.run("profile", "set", "prod", "host=h").code == 0
    assert os.listdir(filled.config_path.parent) == ["config"]


def test_lock_file_is_not_created_through_a_link(filled):
    (filled.config_path.parent / "config.lock").symlink_to(filled.home / "elsewhere")
    assert filled.run("profile", "set", "prod", "host=h").code == 74
    assert not (filled.home / "elsewhere").exists() and text(filled) == CONFIG


def test_folder_that_others_can_write_to(filled):
    filled.config_path.parent.chmod(0o777)
    done = filled.run("profile", "set", "prod", "host=h")
    assert done.code == 78 and text(filled) == CONFIG


def test_full_disk(filled):
    """If the new file cannot be written, the old one is kept."""
    done = subprocess.run(["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" profile set prod host=h", filled.program],
                          env=filled.environment({}), capture_output=True, check=False)
    assert done.returncode == 74 and text(filled) == CONFIG
    assert os.listdir(filled.config_path.parent) == ["config"]


# edit

def editor(broker, script):
    return {"VISUAL": str(broker.script("ed-it", script))}


def test_edit(filled):
    env = editor(filled, f'[ "$(stat -c %a "$1")" = 600 ] && case $1 in {filled.config_path}.*) sed -i s/prod.example/new.example/ "$1";; esac')
    assert outcome(filled.run("profile", "edit", env=env)) == ("", "changed ~/.config/broker/config\n", 0)
    assert text(filled) == CONFIG.replace("prod.example", "new.example")
    assert stat.S_IMODE(filled.config_path.stat().st_mode) == 0o640
    assert os.listdir(filled.config_path.parent) == ["config"]


def test_editor_is_started_without_a_shell(filled):
    filled.script("ed-it", 'printf "%s|" "$@" | sed "s#[^|]*/##" > "$HOME/said"')
    done = filled.run("profile", "edit", env={"VISUAL": "", "EDITOR": "ed-it '-a b' $HOME;x"})
    assert outcome(done) == ("", "nothing changed in ~/.config/broker/config\n", 0)
    assert (filled.home / "said").read_text().startswith("-a b|$HOME;x|config.edit.")


def test_edit_creates_the_file(broker):
    done = broker.run("profile", "edit", env=editor(broker, 'printf "[profile a]\\nhost = h\\n" > "$1"'))
    assert done.code == 0 and text(broker) == "[profile a]\nhost = h\n"
    assert stat.S_IMODE(broker.config_path.stat().st_mode) == 0o600


@pytest.mark.parametrize("script, code, errors", [
    ("exit 3", 74, "broker: profile: the editor ended: exit status 3\nhint: nothing was changed\n"),
    ("kill -9 $$", 74, "broker: profile: the editor ended: killed by SIGKILL\nhint: nothing was changed\n"),
    ('rm "$1"', 74, "broker: profile: the editor deleted the file\n"
     "hint: check that the path exists and is yours, and that the disk is not full\n")])
def test_editor_that_fails(filled, script, code, errors):
    assert outcome(filled.run("profile", "edit", env=editor(filled, script))) == ("", errors, code)
    assert text(filled) == CONFIG and os.listdir(filled.config_path.parent) == ["config"]


def test_no_editor(filled):
    done = filled.run("profile", "edit", env={"VISUAL": "no-such-editor"})
    assert done.code == 127 and "no-such-editor" in done.errors
    assert filled.run("profile", "edit", "--no-input").code == 79
    assert text(filled) == CONFIG and os.listdir(filled.config_path.parent) == ["config"]


def test_file_with_errors_is_kept_but_not_saved(filled):
    done = filled.run("profile", "edit", env=editor(filled, 'printf "hots = h\\n" >> "$1"'))
    assert done.code == 78 and text(filled) == CONFIG
    assert done.errors.startswith("broker: ~/.config/broker/config:15: unknown key 'hots'\nhint: did you mean 'host'?\n")
    kept, = (p for p in filled.config_path.parent.iterdir() if p.name != "config")
    assert done.errors.endswith(f"broker: profile: not saved: it has errors\nhint: your changes are in {kept}\n")
    assert kept.read_text() == CONFIG + "hots = h\n" and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_file_with_errors_is_edited_again(filled):
    env = editor(filled, 'if grep -q hots "$1"; then sed -i s/hots/port/ "$1"; else printf "hots = 3307\\n" >> "$1"; fi')
    t = filled.pty("profile", "edit", env=env, stderr="pipe")
    t.expect(b"edit it again? [y/N] ")
    t.sendline(b"y")
    assert t.wait() == 0 and text(filled) == CONFIG + "port = 3307\n"


def test_file_that_was_changed_in_the_meantime(filled):
    env = editor(filled, f'"{filled.program}" -q profile set prod host=other; printf "port = 3307\\n" >> "$1"')
    done = filled.run("profile", "edit", env=env)
    assert done.code == 75 and "not saved: the file was changed in the meantime" in done.errors
    assert "host     = other\n" in text(filled) and "3307" not in text(filled)
    kept, = (p for p in filled.config_path.parent.iterdir() if p.name != "config")
    assert kept.read_text() == CONFIG + "port = 3307\n"


def test_ctrl_c_goes_to_the_editor(filled):
    env = editor(filled, "trap 'echo caught > /dev/tty; exit 0' INT; echo ready > /dev/tty; while :; do sleep 0.1; done")
    t = filled.pty("profile", "edit", env=env, stderr="pipe")
    t.expect(b"ready")
    t.interrupt()
    t.expect(b"caught")
    assert t.wait() == 0 and text(filled) == CONFIG and os.listdir(filled.config_path.parent) == ["config"]
