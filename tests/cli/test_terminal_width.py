# SPDX-License-Identifier: MIT
"""Terminals with few columns, and text with wide and combining characters: the line that is shown during a wait stays
in one row, as a line that wraps could not be erased; the columns of tables are aligned; no text from outside adds a
row."""
import re
import unicodedata

import pytest

ERASE = "\r\x1b[K"
WIDE = "\u65e5\u672c\u8a9e"  # three characters in six columns
COMBINED = "e\u0301\u1ea1\u0323"  # two letters with marks


def columns(text):
    """How many columns a terminal uses for TEXT."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shown_while_waiting(broker, name, width):
    """What the terminal showed until the program NAME ended, which is when a wait has been shown."""
    broker.script(name, "until [ -e go ]; do sleep 0.02; done; echo fake-canary")
    broker.config(f"[profile p]\nhost = db\nuser = u\nauth = command\nauth_command = {name}\n")
    terminal = broker.pty("token", "p", stdout="pipe", size=(24, width))
    terminal.expect(r"\(\ds")
    broker.write("go", "")
    assert terminal.wait() == 0
    return terminal.shown.decode()


@pytest.mark.parametrize("width", [12, 40, 110])
@pytest.mark.parametrize("name", ["give-" + 80 * "x", "give-" + 20 * WIDE, "give-" + 40 * "e\u0301" + 8 * WIDE], ids=["long", "wide", "combined"])
def test_wait_stays_in_one_row(broker, name, width):
    nothing, *rows, last = shown_while_waiting(broker, name, width).split(ERASE)
    assert nothing == last == "" and rows
    for row in rows:
        assert columns(row) in (width - 1, width - 2), row  # a wide character may not fit into the last column
        if width > 20:
            assert re.fullmatch(r"waiting for .*\.\.\. \(\ds of 1(19|20)s\)", row)


def test_short_wait_is_not_cut(broker):
    text = f"waiting for {broker.home}/bin/give (1s of 120s)"
    shown = shown_while_waiting(broker, "give", len(text) + 1)
    assert re.fullmatch(re.escape(ERASE + text[:-12]) + r"\(\ds of 1(19|20)s\)" + re.escape(ERASE), shown), shown


@pytest.mark.parametrize("env", [{}, {"LANG": "C"}, {"LANG": None}], ids=["C.UTF-8", "C", "none"])
def test_tables_align_wide_characters(broker, env):
    broker.config(f'[profile a]\nhost = h\nuser = "{WIDE}"\ntitle = x\ndatabase = {COMBINED}\n')
    shown = broker.run("profile", "show", "a", env=env).text.splitlines()
    places = {columns(line[:re.search("  (?=ORIGIN|~|from)", line).end()]) for line in shown}
    assert len(shown) == 7 and places == {len("database  keychain  ")}, shown


def test_files_of_details_are_aligned(broker):
    named = broker.home / f"{WIDE}.sock"
    broker.config("[profile local]\n")
    lines = broker.run("connect", "local", env={"MYSQL_UNIX_PORT": str(named)}).errors.splitlines()[1:-1]
    assert str(named) in lines[0] and len({columns(re.match(r"  \S+ +", line)[0]) for line in lines}) == 1, lines


def test_tab_in_a_git_entry(broker, keyring):
    """A label is NAME, or NAME, TAB and DETAIL."""
    given = b"protocol=https\nhost=h\tx\nusername=u\npassword=fake\n\n"
    assert broker.run("credential", "--store", "keyring", "store", input=given, wrap=keyring.wrap).code == 0
    listed(broker, keyring, "git", "git:https://h%09x;user=u")


def test_line_end_in_a_docker_entry(broker, keyring):
    given = b'{"ServerURL":"https://r.example\\nforward  prod  up 2d0h  127.0.0.1:3306\\tx","Username":"u","Secret":"fake"}'
    assert broker.run("credential", "--store", "keyring", "docker", "store", input=given, wrap=keyring.wrap).code == 0
    listed(broker, keyring, "docker", "docker:https%3A%2F%2Fr.example%0Aforward%20%20prod%20%20up%202d0h%20%20127.0.0.1%3A3306%09x;user=u")


def listed(broker, keyring, kind, name):
    """Asserts that `status` lists only this session."""
    shown = broker.run("status", wrap=keyring.wrap).text
    assert re.fullmatch(rf"KIND +NAME +LIFE +DETAIL\n{kind} +{re.escape(name)}  valid for \w+  -\n", shown), shown
