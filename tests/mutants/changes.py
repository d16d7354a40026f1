# SPDX-License-Identifier: MIT
"""The changes of a C source that are tried: one comparison, constant or branch at a time.

A change is named `FUNCTION: LINE`, where LINE is the line of the source with {OLD=>NEW} at the changed place (followed
by #2 for the second one of the same name). Strings, comments, directives (except the number of a #define) and the sizes
of arrays and buffers are not changed."""
import collections
import dataclasses
import re

NUMBER = r"(?<![\w.\-])(\d+)(?![\w.])"
SWAPS = [(r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
         (r" &&(?=\s)", " ||"), (r" \|\|(?=\s)", " &&"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\breturn -1;", "return 0;"),
         (r"\bif \(", "if (false && ("), (r" \+ 1\b", " + 0"), (r" - 1\b", " - 0"), (r"\bbreak;", ";"), (r"\bcontinue;", ";"),
         (NUMBER, lambda m: one_more(m[1]))]


def one_more(number):
    """The next number, as C writes it: 010 is octal."""
    return f"0{int(number, 8) + 1:o}" if number[0] == "0" and number != "0" else str(int(number) + 1)


HIDDEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'|/\*.*?\*/|^#(?!define \w+ \(?\d).*?(?<!\\)$', re.M | re.S)
NAME = re.compile(r"^[A-Za-z_#][^\n;]*?\b(\w+)(?:\(|\[|;| =| \(| \d)", re.M)
SIZE = re.compile(r"\s*(?!return\b)(?:static |const |unsigned |struct )*\w+ \**(?:const )?\w+\[[^=;]*(?<!\])|\s*AUTO_BUF\b[^;]*")


@dataclasses.dataclass
class Change:
    start: int
    end: int
    new: str
    close: int  # where a second closing parenthesis is added; 0: nowhere
    line: int
    name: str = ""

    def apply(self, text):
        changed = text[:self.start] + self.new + text[self.end:]
        at = self.close + len(changed) - len(text)
        return changed[:at] + ")" + changed[at:] if self.close else changed


def closing(text, at):
    """The index of the parenthesis that closes the one before AT."""
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at - 1


def is_size(text, start):
    return bool(SIZE.fullmatch(text, text.rfind("\n", 0, start) + 1, start))


def changes(text):
    """Each Change, in the order of the text."""
    seen = collections.Counter()
    for change in sorted(unnamed(text), key=lambda c: (c.start, c.new)):
        before = [m[1] for m in NAME.finditer(text, 0, change.start + 1)]
        first, last = text.rfind("\n", 0, change.start) + 1, text.find("\n", change.start)
        line = f"{text[first:change.start].lstrip()}{{{text[change.start:change.end]}=>{change.new}}}{text[change.end:last].rstrip()}"
        name = f"{before[-1] if before else 'file'}: {line}"
        seen[name] += 1
        change.name = name if seen[name] == 1 else f"{name} #{seen[name]}"
        yield change


def unnamed(text):
    plain = HIDDEN.sub(lambda m: re.sub(r"[^\n]", "\0", m[0]), text)
    for pattern, new in SWAPS:
        for m in re.finditer(pattern, plain):
            if pattern == NUMBER and is_size(plain, m.start()):
                continue
            to = new(m) if callable(new) else new
            close = closing(plain, m.end()) if to.startswith("if") else 0
            yield Change(m.start(), m.end(), to, close, text.count("\n", 0, m.start()) + 1)
