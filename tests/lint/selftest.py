# SPDX-License-Identifier: MIT
"""Plants one violation of each kind in a small copy of the tree, and checks that its check finds it in the planted
file. Only findings that name a planted file or text count, so a tree with other findings can be tested, too."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import programs
import source
from tree import Finding, Tree

VICTIM, HEADER = "src/model/planted.c", "src/model/planted.h"
C, H = "/* Planted. */\n", "/* Planted. */\n#ifndef P\n#define P\n"

# (check, file, its text, what a finding about that file must contain)
PLANTED = [
    (source.modules, VICTIM, C + "#include <store/store.h>\n", "model may not include"),
    (source.modules, VICTIM, C + '#include "../store/x.h"\n', "not a private header"),
    (source.modules, VICTIM, C + '#include "err.h"\n', "not a private header"),
    (source.modules, "src/session/planted.c", C + "#include <model/utf8.h>\n", "private to model"),
    (source.modules, "src/attic/planted.c", C, "no such module"),
    (source.cycles, HEADER, H + '#include "planted2.h"\n#endif\n', "cycle"),
    (source.banned, VICTIM, C + "static void f(char *a) { strcpy (a, a); }\n", "strcpy"),
    (source.banned, VICTIM, C + 'static char *f(void) { return getenv("HOME"); }\n', "getenv"),
    (source.banned, VICTIM, C + "static void *f(void *p) { return realloc(p, 1); }\n", "realloc"),
    (source.banned, VICTIM, C + "static void f(void) { goto out2; out2:; }\n", "numbered label"),
    (source.printing, VICTIM, C + 'static void f(void) { printf("x"); }\n', "only command/ may print"),
    (source.printing, VICTIM, C + "static FILE *f(void) { return stderr; }\n", "only command/ may print"),
    (source.printing, VICTIM, C + 'static void f(void) { write(2, "x", 1); }\n', "only command/ may print"),
    (source.printing, VICTIM, C + "static void f(void) { exit(1); }\n", "only command/ may end the program"),
    (source.secret_bytes, VICTIM, C + "static char f(void *s) { return *secret_bytes(s); }\n", "is not in"),
    (source.sizes, VICTIM, C + "int f(void)\n{\n" + "    ;\n" * 80 + "    return 0;\n}\n", "f() has 84 lines"),
    (source.sizes, VICTIM, C * 401, "401 lines"),
    (source.conditionals, VICTIM, C + "int f(void)\n{\n#ifdef __linux__\n    ;\n#endif\n}\n", "#if inside"),
    (source.tables, "include/model/kinds.def", 'PROVIDER(planted, ANY, "x")\n', "has no src/provider/planted.c"),
    (source.tables, "include/model/kinds.def", "STORE(planted)\n", "has no src/store/planted.c"),
    (source.tables, "include/model/kinds.def", 'FORMAT(planted, "x")\n', "has no src/output/planted.c"),
    (source.tables, "src/command/verbs.def", "VERB(planted)\n", "has no src/command/planted.c"),
    (source.blanks, VICTIM, C + "\tint x;\n", "a tab"),
    (source.blanks, VICTIM, C + "int x; \n", "end of the line"),
    (source.blanks, VICTIM, C + "int x;", "one newline"),
    (source.mirrors, "tests/planted", "wget https://" + "pypi" + ".org/x\n", "names a package mirror"),
    (source.manual, "docs/troubleshooting.md", "planted\n", "make troubleshooting"),
    (programs.headers, HEADER, H + "struct planted { size_t n; };\n#endif\n", "does not compile alone"),
    (programs.headers, HEADER, "/* Planted. */\nstruct planted { int n; };\n", "does not compile alone"),
    (programs.headers, HEADER, H + "int planted();\n#endif\n", "does not compile alone"),
    (programs.formatting, VICTIM, C + "int  x ;\n", "clang-format -i"),
    (programs.scripts, "tests/planted", "#!/bin/sh\nif true; then\n", "end of file"),
    (programs.scripts, "tests/planted.py", "def f(:\n", "invalid syntax"),
]
LINKED = [
    (programs.linking, ["-Wl,--no-as-needed", "-lm"], "links libm.so.6"),
    (programs.linking, ["-Wl,-rpath,/tmp"], "library path"),
    (programs.hardening, ["-no-pie"], "position-independent"),
    (programs.hardening, ["-Wl,-z,norelro"], "RELRO"),
    (programs.hardening, ["-Wl,-z,lazy"], "BIND_NOW"),
    (programs.hardening, ["-Wl,-z,execstack"], "executable stack"),
    *([(programs.hardening, ["-fcf-protection=full"], "CET")] if os.uname().machine == "x86_64" else []),
]


def finds_what_is_planted(tree):
    with tempfile.TemporaryDirectory(prefix="broker-lint-") as folder:
        copy = Path(folder)
        for name in ("src", "include", "Makefile", ".clang-format"):
            (shutil.copytree if (tree.root / name).is_dir() else shutil.copy)(tree.root / name, copy / name)
        for name in ("lint/probe-flags", "lint/secret_bytes.allow"):
            (copy / "tests/lint").mkdir(parents=True, exist_ok=True)
            shutil.copy(tree.root / "tests" / name, copy / "tests" / name)
        if (tree.root / "build/harden.mk").exists():  # otherwise make probes the compiler again
            (copy / "build").mkdir()
            shutil.copy2(tree.root / "build/harden.mk", copy / "build")
        for check, path, text, wanted in PLANTED:
            if not _found(copy, check, path, text, wanted):
                yield Finding("tests/lint/selftest.py", 1, f"{check.__name__}() does not find {text!r} in {path}")
        yield from _linked(copy)
        yield from _circle(copy)
        yield from _full_folder(copy)


def _found(copy, check, path, text, wanted):
    """Writes TEXT to a file (or appends it), runs CHECK, and removes it again."""
    target = copy / path
    before = target.read_text() if target.exists() else None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text if before is None else before + text)
    twin = copy / "src/model/planted2.h"
    twin.write_text('#include "planted.h"\n')
    tree = Tree(copy)
    if check in (programs.headers, programs.formatting):  # slow checks read only the planted file
        everything = tree.files
        tree.files = [f for f in everything if f.name in (target.name, "err.c")]
    try:
        return any(wanted in found.text and "planted" in f"{found.path}{found.text}" for found in check(tree))
    except programs.Missing:
        return True
    finally:
        twin.unlink()
        target.unlink() if before is None else target.write_text(before)


def _linked(copy):
    program = copy / "linked/bin/broker"
    program.parent.mkdir(parents=True)
    before = os.environ.get("BROKER_BUILD")
    os.environ["BROKER_BUILD"] = str(copy / "linked")
    try:
        for check, flags, wanted in LINKED:
            subprocess.run(["cc", "-fPIE", "-pie", "-Wl,-z,relro,-z,now", *flags, "-x", "c", "-", "-o", program],
                           input="int main(void) { return 0; }", text=True, check=True, stderr=subprocess.DEVNULL)
            if not any(wanted in found.text for found in check(Tree(copy / "linked"))):
                yield Finding("tests/lint/selftest.py", 1, f"{check.__name__}() does not find {' '.join(flags)}")
    finally:
        os.environ.pop("BROKER_BUILD") if before is None else os.environ.update(BROKER_BUILD=before)


def _circle(copy):
    objects = []
    for name, text in (("a", "int b(void); int a(void) { return b(); }"), ("b", "int c(void); int b(void) { return c(); }"),
                       ("c", "int a(void); int c(void) { return a(); }"), ("d", "int a(void); int d(void) { return a(); }")):
        objects.append(copy / f"{name}.o")
        subprocess.run(["cc", "-c", "-x", "c", "-", "-o", objects[-1]], input=text, text=True, check=True)
    if [len(circle) for circle in programs.circles(objects)] != [3]:
        yield Finding("tests/lint/selftest.py", 1, "circles() does not find the cycle of a, b and c")
    if list(programs.circles(objects[1:])):
        yield Finding("tests/lint/selftest.py", 1, "circles() finds a cycle that does not exist")
    if [symbol for _, symbol in programs.unused(objects, set())] != ["d"] or list(programs.unused(objects, {"d"})):
        yield Finding("tests/lint/selftest.py", 1, "unused() does not find d, or finds others")


def _full_folder(copy):
    for n in range(source.FOLDER_FILES + 1):
        (copy / "src/planted").mkdir(exist_ok=True)
        (copy / f"src/planted/{n}.def").write_text("")
    if not any(str(found.path) == "src/planted" for found in source.folders(Tree(copy))):
        yield Finding("tests/lint/selftest.py", 1, "folders() does not find src/planted")
