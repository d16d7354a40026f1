# SPDX-License-Identifier: MIT
"""The checks that only read files: which module may include which, banned functions, printing, secrets, sizes, rows of
tables without a file, spaces at the end of lines, names of package mirrors. Each check takes a Tree and yields
Findings."""
import re
import subprocess
from collections import Counter
from itertools import zip_longest
from pathlib import Path

import troubleshooting
from tree import Finding

# The modules of docs/architecture.md, and what each may include besides itself. Other modules are not allowed.
MODULES = {
    "base": "",
    "ipc": "base",
    "model": "base",
    "store": "base ipc model",
    "aws": "base ipc model store",
    "vault": "base ipc model store",
    "provider": "base ipc model store aws vault protocol",
    "output": "base model",
    "import": "base ipc model",
    "session": "base ipc model store aws vault provider output protocol",
    "protocol": "base model",
    "help": "base model",
    "command": "base model store import output protocol session help",
    "event": "base",
    "mysql": "base ipc event",
    "tunnel": "base ipc event",
    "ssh": "base ipc event tunnel",
    "libssh2": "base ipc event tunnel ssh",
    "openssh": "base ipc event tunnel ssh",
    "keeper": "base ipc event mysql tunnel ssh libssh2 openssh",
    "http": "base ipc",
    "keychain": "base ipc",
}
HELPERS = ("keeper", "http", "keychain")
FUNCTION_LINES, FILE_LINES, FOLDER_FILES = 80, 400, 50

BANNED = {
    "gets strcpy strcat sprintf vsprintf": "does not check the size: use base/buf.h",
    "strtok": "keeps state: use strcspn",
    "atoi atol atoll atof": "reports no error: use strtol",
    "system popen": "runs a shell: use proc_capture",
    "getenv": "use secure_getenv",
    "realloc": "use mem_grow, or struct buf for data that may be secret",
    "alloca": "the size of the stack is limited",
    "gmtime localtime ctime asctime": "returns a shared buffer: use gmtime_r",
    "mktemp tmpnam tempnam tmpfile": "has a race: use file_write, memfd_from_secret",
    "rand srand random drand48": "is not random: use libsodium",
    "signal bsd_signal": "use sigaction",
    "bcopy bzero bcmp": "use memcpy, explicit_bzero",
}
PRINTING = "printf vprintf puts putchar fprintf vfprintf fputs fputc putc fwrite perror dprintf vdprintf stdout stderr"
PRINTS = ("src/base/tty.c",)  # writes only to the terminal
ENDS = ("src/base/err.c",)  # err_out_of_memory() ends the program

# Written so that the pattern does not match this file.
MIRRORS = r"\b(deb|archive|ftp|snapshot|security)\.debian\.org|\bpypi\.org|pythonhosted\.org|registry\.npmjs\.org|" \
          r"(proxy|sum)\.golang\.org|\bcrates\.io|\bmaven\.org|maven\.apache\.org|conda\.anaconda\.org|archive\.ubuntu\.com"


def module_of(path):
    parts = path.parts
    return parts[1] if len(parts) > 2 and parts[0] in ("src", "include") else None


def modules(tree):
    """A file may include headers of its own module, and public headers of the modules that MODULES allows."""
    for path in tree.c():
        module = module_of(path)
        if module not in MODULES:
            yield Finding(path, 1, f"no such module: {module}")
            continue
        for line, quote, name in tree.includes(path):
            other = name.split("/")[0] if "/" in name else None
            if quote == '"':
                if "/" in name or not (tree.root / path.parent / name).exists():
                    yield Finding(path, line, f'"{name}" is not a private header of {module}')
            elif other in MODULES and other != module and other not in MODULES[module].split():
                yield Finding(path, line, f"{module} may not include {name}")
            elif other in MODULES and other != module and not (tree.root / "include" / name).exists():
                yield Finding(path, line, f"{name} is private to {other}")


def cycles(tree):
    """Neither MODULES nor the headers may have cycles."""
    headers = {f"{module_of(p)}/{p.name}": p for p in tree.c(headers_only=True)}
    graph = {module: words.split() for module, words in MODULES.items()}
    for name, path in headers.items():
        graph[name] = [n if q == "<" else f"{module_of(path)}/{n}" for _, q, n in tree.includes(path)]
    done = set()

    def walk(node, trail):
        if node in trail:
            circle = " -> ".join([*trail[trail.index(node):], node])
            yield Finding(headers.get(node, "tests/lint/source.py"), 1, f"cycle: {circle}")
        elif node not in done:
            for following in graph.get(node, ()):
                yield from walk(following, [*trail, node])
            done.add(node)
    for node in sorted(graph):
        yield from walk(node, [])


def banned(tree):
    words = {word: why for names, why in BANNED.items() for word in names.split()}
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(words) + r")\s*\(")
    for path in tree.c():
        for number, line in tree.code(path):
            for match in pattern.finditer(line):
                yield Finding(path, number, f"{match[1]}(): {words[match[1]]}")
            if re.search(r"\bgoto\s+\w*\d\b", line):
                yield Finding(path, number, "a numbered label: use the clean-up macros of base/mem.h")


def printing(tree):
    """Only command/ may print or exit; a helper's main.c and err_out_of_memory() may exit, too."""
    pattern = re.compile(r"(?<![\w.>])(" + PRINTING.replace(" ", "|") + r")\b|"
                         r"\bwrite\s*\(\s*(?:1|2|STDOUT_FILENO|STDERR_FILENO)\b")
    for path in tree.c("src"):
        module, name = module_of(path), str(path)
        if module == "command":
            continue
        main = module in HELPERS and path.name == "main.c"
        for number, line in tree.code(path):
            match = pattern.search(line)
            if match and name not in PRINTS + ENDS and not line.lstrip().startswith("__attribute__"):
                yield Finding(path, number, f"{match[0].strip()}: only command/ may print")
            if re.search(r"(?<!\w)(exit|abort|quick_exit)\s*\(", line) and name not in ENDS and not main:
                yield Finding(path, number, "only command/ may end the program")


def secret_bytes(tree):
    """Files that use secret_bytes() must be in tests/lint/secret_bytes.allow with a reason, and no other files."""
    allow = "tests/lint/secret_bytes.allow"
    entries = {}
    for number, line in enumerate((tree.root / allow).read_text().splitlines(), 1):
        name, _, why = line.partition(" ")
        if name and name[0] != "#":
            entries[name] = number
            if not why.strip():
                yield Finding(allow, number, "has no reason")
    used = set()
    for path in tree.c("src"):
        for number, line in tree.code(path):
            if re.search(r"\bsecret_bytes\s*\(", line):
                used.add(str(path))
                if str(path) not in entries:
                    yield Finding(path, number, f"uses secret_bytes(), but is not in {allow}")
    for name in sorted(set(entries) - used):
        yield Finding(allow, entries[name], f"{name} does not use secret_bytes()")


def functions(tree):
    """(path, first line, last line, name) of each function, from universal-ctags."""
    files = [str(f) for f in tree.c()]
    done = subprocess.run(["ctags", "-x", "--_xformat=%n %{end} %F %N", "--fields=+ne", "--kinds-C=f",
                           "--language-force=C", *files], cwd=tree.root, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        first, last, path, name = line.split(None, 3)
        if last.isdigit():
            yield path, int(first), int(last), name


def sizes(tree):
    for path, first, last, name in functions(tree):
        if last - first + 1 > FUNCTION_LINES:
            yield Finding(path, first, f"{name}() has {last - first + 1} lines (at most {FUNCTION_LINES})")
    for path in tree.c():
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES:
            yield Finding(path, lines, f"{lines} lines (at most {FILE_LINES})")


def folders(tree):
    """A folder below src and include may have at most FOLDER_FILES files, so that it stays easy to survey."""
    count = Counter(path.parent for path in tree.files if path.parts[0] in ("src", "include"))
    for folder, files in sorted(count.items()):
        if files > FOLDER_FILES:
            yield Finding(folder, 1, f"{files} files (at most {FOLDER_FILES})")


def conditionals(tree):
    """No #if inside a function: code for one platform must be in a file of its own."""
    spans = {}
    for path, first, last, _ in functions(tree):
        spans.setdefault(path, []).append((first, last))
    for path in tree.c():
        for number, line in tree.code(path):
            inside = any(first < number < last for first, last in spans.get(str(path), ()))
            if inside and re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line):
                yield Finding(path, number, "#if inside a function: put code for one platform into a file NAME-SYSTEM.c")


def tables(tree):
    """Each row of a table must have its file, and the file must define what belongs to the row."""
    rows = (("include/model/kinds.def", "PROVIDER", "src/provider/{}.c", "struct provider provider_{}"),
            ("include/model/kinds.def", "TUNNEL", "src/tunnel/{}.c src/keeper/{}.c", "tunnel_{}"),
            ("include/model/kinds.def", "FORMAT", "src/output/{}.c", "struct format format_{}"),
            ("include/model/kinds.def", "PROTOCOL", "src/command/credential_{}.c", "int credential_{}("),
            ("include/model/kinds.def", "STORE", "src/store/{}.c", "struct store store_{}"),
            ("src/vault/methods.def", "METHOD", "src/vault/method_{}.c", "struct vault_method vault_method_{}"),
            ("src/command/verbs.def", "VERB", "src/command/{}.c", "struct verb verb_{}"))
    for table, macro, where, what in rows:
        if not (tree.root / table).exists():
            continue
        for number, line in tree.code(Path(table)):
            match = re.match(macro + r"\((\w+)", line)
            if not match:
                continue
            places = [tree.root / place.format(match[1].strip("_")) for place in where.split()]
            path = next((place for place in places if place.exists()), places[0])
            if not path.exists():  # a file for one system is NAME-SYSTEM.c
                path = next(iter(path.parent.glob(path.stem + "-*.c")), path)
            if not path.exists():
                yield Finding(table, number, f"{match[1]} has no {path.relative_to(tree.root)}")
            elif what.format(match[1]) not in path.read_text():
                yield Finding(table, number, f"{path.relative_to(tree.root)} has no `{what.format(match[1])}`")


def blanks(tree):
    """The rules of .editorconfig: no space at the end of a line, LF, one final newline, and no tab in C or Python."""
    for path in tree.files:
        text = tree.text(path)
        if "\0" in text or path.suffix in (".md", ".png"):
            continue
        tabs = path.suffix in (".c", ".h", ".def", ".py")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip(" \t\r"):
                yield Finding(path, number, "space, tab or CR at the end of the line")
            if tabs and "\t" in line:
                yield Finding(path, number, "a tab")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield Finding(path, text.count("\n") + 1, "does not end with one newline")


def mirrors(tree):
    """No file may name a package registry or mirror: the machine's configuration selects it."""
    for path in tree.files:
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            match = re.search(MIRRORS, line)
            if match:
                yield Finding(path, number, f"names a package mirror: {match[0]}")


def manual(tree):
    """The page docs/troubleshooting.md must be up to date with the table of `broker test`'s messages."""
    written = (tree.root / troubleshooting.PAGE).read_text().splitlines()
    for number, (line, wanted) in enumerate(zip_longest(written, troubleshooting.page(tree.root).splitlines()), 1):
        if line != wanted:
            yield Finding(troubleshooting.PAGE, number, f"{line!r} differs from {troubleshooting.TABLE}: run make troubleshooting")
            return


CHECKS = (modules, cycles, banned, printing, secret_bytes, sizes, folders, conditionals, tables, blanks, mirrors, manual)
