# SPDX-License-Identifier: MIT
"""Repairs a file of ~/.aws line by line until Python's configparser accepts it. botocore reads files with configparser,
so that botocore can then be asked what the rest of the file means. Each repaired line leaves a key `zzN`, which marks
the sections that had an error."""
import configparser
import re

MARK = re.compile(r"^zz\d+$")


class Repair:
    def __init__(self, text):
        self.lines = [line.strip("\n") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        self.count = 0
        self.spoiled = set()
        self.encoding()
        for _ in range(1000):
            if not self.parse():
                break
        else:
            raise AssertionError(text)
        self.text = "\n".join(self.lines)
        # {header: {key: value}}; a section that had an error also has a key that matches MARK
        self.sections = {name: {**self.parser[name], **({"zz0": ""} if name in self.spoiled else {})} for name in self.parser.sections()}

    def mark(self):
        self.count += 1
        return f"zz{self.count}"

    def put(self, number, line):
        """Replaces that line, and keeps its indentation."""
        old = self.lines[number - 1]
        self.lines[number - 1] = old[:len(old) - len(old.lstrip())] + line

    def name_without_end(self, number):
        """Replaces an invalid header by a section that no profile uses, with one key that indented lines continue."""
        self.put(number, f"{self.mark()} = 1")
        key = self.lines[number - 1]
        self.lines.insert(number - 1, key.replace("zz", "[zz").replace(" = 1", "]"))

    def encoding(self):
        bad = re.compile("[\udc80-\udcff]")
        lines, self.lines = self.lines, []
        for line in lines:
            clean = bad.sub("", line)
            self.lines.append(clean)
            if clean != line and clean.strip()[:1] not in ("#", ";"):
                self.lines.append(line[:len(line) - len(line.lstrip())] + self.mark() + "=")

    def parse(self):
        """Whether there was an error, which has been repaired; the caller parses again."""
        self.parser = parser = configparser.RawConfigParser()
        try:
            parser.read_string("\n".join(self.lines))
        except configparser.MissingSectionHeaderError as error:
            if self.lines[error.lineno - 1].strip()[0] != "[":
                return False
            self.name_without_end(error.lineno)
            return True
        except configparser.ParsingError as error:
            for number, _ in reversed(error.errors):
                if self.lines[number - 1].strip()[0] == "[":
                    self.name_without_end(number)
                else:
                    self.put(number, f"{self.mark()} = 1")
            return True
        except configparser.DuplicateSectionError as error:
            self.spoiled.add(error.section)
            self.put(error.lineno, f"[{self.mark()}]")
            return True
        except configparser.DuplicateOptionError as error:
            self.put(error.lineno, f"{self.mark()} = 1")
            return True
        return self.nested(parser)

    def nested(self, parser):
        for section in parser.sections():
            for key in parser.options(section):
                for piece in parser.get(section, key).splitlines() if parser.get(section, key).startswith("\n") else []:
                    if piece.strip() and "=" not in piece:
                        self.spoiled.add(section)
                        same = [n for n, line in enumerate(self.lines, 1) if line.strip() == piece.strip()]
                        self.put((same or [n for n, line in enumerate(self.lines, 1) if piece.strip() in line])[0], "x=1")
                        return True
        return False


def is_wrong(section):
    return any(MARK.match(key) for key in section)
