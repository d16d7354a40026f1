# SPDX-License-Identifier: MIT
"""The checks that run other programs: headers that do not compile alone, clang-format, the syntax of scripts, the
libraries and the hardening of the built programs, cycles between objects, unused symbols. Each check takes a Tree and
yields Findings. It raises Missing if it needs a program that is not installed, which is a failure only in CI."""
import ast
import os
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source import module_of
from tree import Finding

LINKS = {"broker": {"libc", "libsodium", "libjansson", "ld-linux"}}

# Variables that a make which runs the linter would pass on to the linter's own make, for another build.
OF_A_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN", "STATIC")


class Missing(Exception):
    pass


def need(program):
    if not shutil.which(program):
        raise Missing(f"{program} is not installed")


def flags_by_module(tree):
    """({module: command}, stderr): how the Makefile compiles a file of each module, from `make -n`."""
    first = {}
    for path in tree.c("src"):
        if path.suffix == ".c":
            first.setdefault(module_of(path), path)
    goals = {f"build/obj/{p.relative_to('src').with_suffix('.o')}": module for module, p in first.items()}
    new = [word for p in first.values() for word in ("-W", str(p))]
    env = {k: v for k, v in os.environ.items() if k not in OF_A_MAKE}
    said = subprocess.run(["make", "-n", "V=1", "WERROR=1", *new, *goals], cwd=tree.root, env=env, capture_output=True, text=True)
    flags = {}
    for line in said.stdout.splitlines():
        words = shlex.split(line)
        if "-c" in words and "-o" in words:
            keep = [w for w in words[:words.index("-c")] if w not in ("-MMD", "-MP")]
            flags[goals[words[words.index("-o") + 1]]] = keep
    return flags, said.stderr


def headers(tree):
    """Each header must compile alone, and when it is included twice."""
    flags, trouble = flags_by_module(tree)
    if "base" not in flags:
        yield Finding("Makefile", 1, f"make -n does not print how a file is compiled: {trouble.strip()}")
        return

    def compile_alone(path):
        text = f'#include "{path}"\n#include "{path}"\ntypedef int lint;\n'
        words = flags.get(module_of(path), flags["base"])
        done = subprocess.run([*words, "-iquote", ".", "-fsyntax-only", "-x", "c", "-"], cwd=tree.root, input=text,
                              text=True, capture_output=True)
        return done.stderr if done.returncode else ""
    paths = tree.c(headers_only=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, said in zip(paths, pool.map(compile_alone, paths)):
            if said:
                where = re.search(r"^([\w./-]+):(\d+):.*?(?:error|fatal error): (.*)$", said, re.M)
                yield Finding(path, where[2] if where else 1, f"does not compile alone: {where[3] if where else said}")


def formatting(tree):
    need("clang-format")
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    if " 14." not in version:
        raise Missing(f"clang-format 14 is needed, which this repository is formatted with: {version.strip()}")
    files = [str(f) for f in tree.c("src", "include", "tests/unit", "tests/fuzz", "tests/torture", "tests/bench")]
    half = [files[i::2] for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda part: subprocess.run(["clang-format", "--dry-run", *part], cwd=tree.root, text=True,
                                                    capture_output=True).stderr, filter(None, half))
    first = {}
    for path, line in re.findall(r"^([\w./-]+):(\d+):\d+: (?:warning|error):", "".join(said), re.M):
        first.setdefault(path, []).append(int(line))
    for path, lines in sorted(first.items()):
        yield Finding(path, min(lines), f"not formatted by .clang-format in {len(lines)} places: clang-format -i {path}")


def scripts(tree):
    """Shell and Python scripts must have no syntax errors."""
    for path in tree.files:
        text = tree.text(path)
        shebang = text.partition("\n")[0] if text.startswith("#!") else ""
        shell = re.search(r"\b(bash|zsh|fish|sh)\b", shebang)
        if path.suffix == ".py" or "python" in shebang:
            try:
                ast.parse(text)
            except SyntaxError as error:
                yield Finding(path, error.lineno, error.msg)
        elif shell and shutil.which(shell[1]):
            done = subprocess.run([shell[1], "-n", tree.root / path], capture_output=True, text=True)
            if done.returncode:
                line = re.search(r"(?:line |: )(\d+)", done.stderr)
                yield Finding(path, line[1] if line else 1, done.stderr.strip().rpartition(": ")[2])


def built_programs(tree):
    build = Path(os.environ.get("BROKER_BUILD") or tree.root / "build")
    found = [p for folder in ("bin", "libexec/broker") for p in sorted((build / folder).glob("*")) if p.is_file()]
    if not any(p.name == "broker" for p in found):
        raise Missing(f"{build.name}/bin/broker is missing: run make")
    return found


def readelf(program):
    return subprocess.run(["readelf", "-dlhnW", program], capture_output=True, text=True, check=True).stdout


def linking(tree):
    """`broker` may link only LINKS: other libraries cost start-up time, or bring parsers into its address space."""
    for program in built_programs(tree):
        text = readelf(program)
        needed = re.findall(r"\(NEEDED\).*\[(.*?)\]", text)
        if any(lib.startswith(("libasan", "libubsan", "libclang_rt")) for lib in needed):
            continue  # built with the sanitizers
        for lib in needed:
            name = re.match(r"ld-linux|[a-z]+", lib)[0]
            if program.name in LINKS and name not in LINKS[program.name]:
                yield Finding(program, 0, f"links {lib}")
        if re.search(r"\((RPATH|RUNPATH)\)", text):
            yield Finding(program, 0, "has a library path (RPATH or RUNPATH)")


def hardening(tree):
    for program in built_programs(tree):
        text = readelf(program)
        stack = re.search(r"GNU_STACK.*?(\bR?W?E?)\s+0x\w+\s*$", text, re.M)
        wanted = {"position-independent": re.search(r"Type:\s+DYN", text) and re.search(r"FLAGS_1.*\bPIE\b", text),
                  "RELRO": "GNU_RELRO" in text, "BIND_NOW": re.search(r"BIND_NOW|FLAGS_1.*\bNOW\b", text),
                  "without an executable stack": stack and "E" not in stack[1],
                  "without writable code": not re.search(r"LOAD.*\bRWE\b", text),
                  "marked for CET": re.search(r"x86 feature:.*IBT.*SHSTK", text) or "X86-64" not in text or "libasan" in text}
        for what, there in wanted.items():
            if not there:
                yield Finding(program, 0, f"is not {what}")


PROGRAM_OBJECTS = ("BROKER_OBJ", "KEYCHAIN_OBJ", "HTTP_OBJ", "KEEPER_OBJ")


def objects_of(tree, variable):
    """The object files of a program, as the Makefile lists them."""
    build = os.environ.get("BROKER_BUILD") or "build"
    env = {k: v for k, v in os.environ.items() if k not in OF_A_MAKE}
    said = subprocess.run(["make", "-s", f"B={build}", f"--eval=list: ; @echo $({variable})", "list"], cwd=tree.root, env=env,
                          capture_output=True, text=True)
    return [tree.root / name for name in (said.stdout.splitlines() or [""])[-1].split()]


def uses(objects):
    """{object: {another object whose symbol it uses: one such symbol}}, from the output of nm."""
    said = subprocess.run(["nm", "-AP", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    defined, wanted = {}, []
    for line in said.splitlines():
        name, symbol, kind = line.split()[:3]
        if kind == "U":
            wanted.append((name.rstrip(":"), symbol))
        elif kind.isupper():
            defined[symbol] = name.rstrip(":")
    graph = {}
    for name, symbol in wanted:
        if defined.get(symbol, name) != name:
            graph.setdefault(name, {})[defined[symbol]] = symbol
    return graph


def circles(objects):
    """The cycles in what objects use, at least one of each strongly connected component: [(object, symbol of the next),
    ...]."""
    graph = uses(objects)
    done = set()

    def walk(node, trail):
        if node in trail:
            yield [(a, graph[a][b]) for a, b in zip(trail[trail.index(node):], [*trail[trail.index(node) + 1:], node])]
        elif node not in done:
            for following in sorted(graph.get(node, ())):
                yield from walk(following, [*trail, node])
            done.add(node)
    for node in sorted(graph):
        yield from walk(node, [])


def object_cycles(tree):
    """No two files of a program may need each other, directly or through others."""
    built_programs(tree)
    for variable in PROGRAM_OBJECTS:
        objects = objects_of(tree, variable)
        missing = [path for path in objects if not path.exists()]
        if missing or not objects:
            raise Missing(f"{missing[0] if missing else variable} is missing: run make")
        for circle in circles(objects):
            steps = " -> ".join(f"{'/'.join(Path(name).parts[-2:])} ({symbol})" for name, symbol in circle)
            yield Finding("Makefile", 1, f"{variable} has a cycle: {steps} -> {'/'.join(Path(circle[0][0]).parts[-2:])}")


def unused(objects, used):
    """(object, symbol) for each symbol that no other object needs and that is not one of `used`."""
    said = subprocess.run(["nm", "-AP", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    lines = [line.split()[:3] for line in said.splitlines()]
    wanted = {symbol for _, symbol, kind in lines if kind == "U"} | {"main"} | used
    for name, symbol, kind in lines:
        if kind in "TDBR" and symbol not in wanted and not symbol.startswith("__"):  # reserved for the compiler
            yield name.rstrip(":"), symbol


def unused_symbols(tree):
    """A symbol that is not static must be used by another file of a program, or by a test or fuzz target."""
    built_programs(tree)
    objects = sorted({path for variable in PROGRAM_OBJECTS for path in objects_of(tree, variable)})
    used = set()
    for folder in ("unit", "drivers", "fuzz"):
        for path in (tree.root / "tests" / folder).glob("*.[ch]"):
            used.update(re.findall(r"\w+", path.read_text()))
    for name, symbol in unused(objects, used):
        yield Finding(name, 0, f"{symbol} is only used in its own file: make it static")


CHECKS = (headers, formatting, scripts, linking, hardening, object_cycles, unused_symbols)
