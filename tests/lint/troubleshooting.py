#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes docs/troubleshooting.md from src/session/server_errors.def: prints it, or with --write writes the file."""
import ast
import re
import sys
from pathlib import Path

TABLE, PAGE = "src/session/server_errors.def", "docs/troubleshooting.md"
EXITS = {"TRY_LATER": 75, "REFUSED": 77, "UNREACHABLE": 69}
STRING = r'"(?:[^"\\]|\\.)*"'
ARGUMENT = rf'(?:{STRING}\s*)+|[^\s,()"]+'
PLAIN = {"reason": "REASON", "text": "the message of the server or the client", "who": "USER@HOST", "database": "NAME", "endpoint": "HOST:PORT",
         "plugin": "NAME", "name": "NAME", "refused": "check user and password", "account": "", "socket": ""}
HEAD = """# Troubleshooting

`broker test NAME` tries each hop and reports which one fails. Its error message begins with the error number of MySQL or MariaDB.
This page has a section for each common error, in the order of the numbers. The exit status is 69 if the server was not reached, 75
if a later attempt may succeed, and 77 if the server refused the login.

`make troubleshooting` generates this page from `src/session/server_errors.def`, from which `test` also takes its messages.
"""


def rows(text):
    """The arguments of each row, as strings; NULL is None."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for row in re.findall(rf"^SERVER_ERROR\(((?:{STRING}|[^\"])*?)\)$", text, re.S | re.M):
        found = [a.strip() for a in re.findall(ARGUMENT, row)]
        yield [None if a == "NULL" else "".join(ast.literal_eval(s) for s in re.findall(STRING, a)) if a[0] == '"' else a for a in found]


def plain(template):
    return re.sub(r"\{(\w+)\}", lambda m: PLAIN[m[1]], template)


def wrapped(text, width=125):
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def page(root):
    parts = [HEAD]
    for number, kind, only, words, hint, means in rows((Path(root) / TABLE).read_text()):
        title = plain(words)
        parts.append(f"## {number} {title}\n\n{wrapped(means)}\n\n- hint: {plain(hint)}\n- exit status {EXITS[kind]}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    repo = Path(__file__).resolve().parents[2]
    if sys.argv[1:] == ["--write"]:
        (repo / PAGE).write_text(page(repo))
    else:
        print(page(repo), end="")
