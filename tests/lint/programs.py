# SPDX-License-Identifier: MIT
"""What the linter finds by running other programs: headers that do not compile alone, clang-format, the syntax of
scripts, and what the built programs link and how they are hardened. Each check takes a Tree and yields Findings;
Missing says that its program is not here, which only CI takes for a failure."""
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

# Variables by which a make above this one, of another build, would tell ours what to do.
OF_A_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN", "STATIC")


class Missing(Exception):
    pass


def need(program):
    if not shutil.which(program):
        raise Missing(f"no {program}")


def flags_by_module(tree):
    """How the Makefile compiles a file of each module, as it says itself."""
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
    """Each header compiles by itself, and twice."""
    flags, trouble = flags_by_module(tree)
    if "base" not in flags:
        yield Finding("Makefile", 1, f"make -n does not say how a file is compiled: {trouble.strip()}")
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
        raise Missing(f"no clang-format 14, by which the house is laid out: {version.strip()}")
    files = [str(f) for f in tree.c("src", "include", "tests/unit", "tests/fuzz", "tests/torture", "tests/bench")]
    half = [files[i::2] for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda part: subprocess.run(["clang-format", "--dry-run", *part], cwd=tree.root, text=True,
                                                    capture_output=True).stderr, filter(None, half))
    first = {}
    for path, line in re.findall(r"^([\w./-]+):(\d+):\d+: (?:warning|error):", "".join(said), re.M):
        first.setdefault(path, []).append(int(line))
    for path, lines in sorted(first.items()):
        yield Finding(path, min(lines), f"not laid out by .clang-format in {len(lines)} places: clang-format -i {path}")


def scripts(tree):
    """Shell and Python parse."""
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
        raise Missing(f"no {build.name}/bin/broker: make")
    return found


def readelf(program):
    return subprocess.run(["readelf", "-dlhnW", program], capture_output=True, text=True, check=True).stdout


def linking(tree):
    """`broker` links what it must, and nothing that costs start-up time or brings an address space full of parsers."""
    for program in built_programs(tree):
        text = readelf(program)
        needed = re.findall(r"\(NEEDED\).*\[(.*?)\]", text)
        if any(lib.startswith(("libasan", "libubsan", "libclang_rt")) for lib in needed):
            continue  # under the sanitizers
        for lib in needed:
            name = re.match(r"ld-linux|[a-z]+", lib)[0]
            if program.name in LINKS and name not in LINKS[program.name]:
                yield Finding(program, 0, f"links {lib}")
        if re.search(r"\((RPATH|RUNPATH)\)", text):
            yield Finding(program, 0, "has a library path of its own")


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
    """{object: {object whose symbol it uses: one such symbol}}, by what nm says."""
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
    """A circle of objects for each strongly connected part of what they use: [(object, symbol it uses of the next), ...]."""
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
    """No two files of a program need each other, in however many steps."""
    built_programs(tree)
    for variable in PROGRAM_OBJECTS:
        objects = objects_of(tree, variable)
        missing = [path for path in objects if not path.exists()]
        if missing or not objects:
            raise Missing(f"no {missing[0] if missing else variable}: make")
        for circle in circles(objects):
            steps = " -> ".join(f"{'/'.join(Path(name).parts[-2:])} ({symbol})" for name, symbol in circle)
            yield Finding("Makefile", 1, f"{variable} has a circle: {steps} -> {'/'.join(Path(circle[0][0]).parts[-2:])}")


def unused(objects, used):
    """(object, symbol) for each symbol that no other object needs and that is not one of `used`."""
    said = subprocess.run(["nm", "-AP", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    lines = [line.split()[:3] for line in said.splitlines()]
    wanted = {symbol for _, symbol, kind in lines if kind == "U"} | {"main"} | used
    for name, symbol, kind in lines:
        if kind in "TDBR" and symbol not in wanted and not symbol.startswith("__"):  # those are the compiler's
            yield name.rstrip(":"), symbol


def unused_symbols(tree):
    """What a file shows to others is used by another file of a program, or by a test or fuzz target."""
    built_programs(tree)
    objects = sorted({path for variable in PROGRAM_OBJECTS for path in objects_of(tree, variable)})
    used = set()
    for folder in ("unit", "drivers", "fuzz"):
        for path in (tree.root / "tests" / folder).glob("*.[ch]"):
            used.update(re.findall(r"\w+", path.read_text()))
    for name, symbol in unused(objects, used):
        yield Finding(name, 0, f"{symbol} is used in its own file only: static")


CHECKS = (headers, formatting, scripts, linking, hardening, object_cycles, unused_symbols)
