# SPDX-License-Identifier: MIT
"""The tree as the linter sees it: its files, their text, C without comments and strings, and a finding.

The files are found by walking the folders, in sorted order and without git, so that the same tree always gives the same
findings, and the self-test can plant its violations in a copy."""
import os
import re
from collections import namedtuple
from pathlib import Path

Finding = namedtuple("Finding", "path line text")
SKIPPED = re.compile(r"^(\.git|build|build-.*|__pycache__|\.pytest_cache|corpus|vectors)$")
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def _blank(text, strings):
    """TEXT with comments (and, if STRINGS, the contents of strings) replaced by spaces; lines keep number and
    length."""
    def replace(match):
        found = match[0]
        if found[0] in "\"'":
            return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1] if strings else found
        return re.sub(r"[^\n]", " ", found)
    return COMMENT.sub(replace, text)


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        self.files = sorted(self._walk(), key=str)
        self._text = {}

    def _walk(self):
        for folder, below, names in os.walk(self.root):
            below[:] = [name for name in below if not SKIPPED.match(name)]
            yield from (Path(folder, name).relative_to(self.root) for name in names)

    def text(self, path):
        if path not in self._text:
            self._text[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self._text[path]

    def c(self, *folders, headers_only=False):
        """C sources and headers below FOLDERS (default: the program's own)."""
        suffixes = (".h",) if headers_only else (".c", ".h")
        return [f for f in self.files if f.suffix in suffixes and _below(f, folders or ("src", "include"))]

    def code(self, path):
        """[(line number, text)] without comments and the contents of strings."""
        return list(enumerate(_blank(self.text(path), True).splitlines(), 1))

    def includes(self, path):
        """(line number, '<' or '"', name) of each #include."""
        for number, line in enumerate(_blank(self.text(path), False).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match[1], match[2]


def _below(path, folders):
    return any(str(path).startswith(folder + "/") for folder in folders)
