"""Counts of the source tree: sizes, arrows between packages, circles, names used twice.

    python tools/house.py              of this checkout
    python tools/house.py DIRECTORY    of another

Figures for a reader who compares two states of the tree; :mod:`unit.tools.test_house` holds those
that must be nothing. Code lines carry code: no blanks, comments or docstrings.
"""

import ast
import builtins
import io
import re
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

MANY = 12  # modules side by side that a reader still takes in at a glance
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One file of a package."""

    name: str  # dotted
    path: Path
    text: str
    tree: ast.Module


class Arrows(NamedTuple):
    """Which module imports which, by dotted names: when it runs, and for type checkers alone."""

    run: Mapping[str, frozenset[str]]
    typed: Mapping[str, frozenset[str]]


def modules(source: Path, package: str) -> dict[str, Module]:
    """Every module of `package` in the directory `source`, by its dotted name."""
    found = {}
    for path in sorted((source / package).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text()
        found[name] = Module(name, path, text, ast.parse(text))
    return found


def arrows(tree: Mapping[str, Module]) -> Arrows:
    """The imports between the modules of `tree`, those inside functions too."""
    run: dict[str, set[str]] = defaultdict(set)
    typed: dict[str, set[str]] = defaultdict(set)
    for module in tree.values():
        for_types = {id(one) for one in _for_types(module.tree)}
        for node in ast.walk(module.tree):
            into = typed if id(node) in for_types else run
            into[module.name].update(set(_imported(node, tree)) - {module.name})
    return Arrows(*({name: frozenset(to) for name, to in one.items()} for one in (run, typed)))


def modules_of(nodes: Iterable[ast.AST], tree: Mapping[str, Module]) -> list[str]:
    """The modules of `tree` that these statements import."""
    return [name for node in nodes for name in _imported(node, tree)]


def _for_types(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (inner for one in node.body for inner in ast.walk(one))


def _imported(node: ast.AST, tree: Mapping[str, Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names if one.name in tree)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for one in node.names:
            inner = f"{node.module}.{one.name}"
            if inner in tree:
                yield inner
            elif node.module in tree:
                yield node.module


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The sets of nodes that reach each other, each sorted (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            where = stack.index(node)
            if len(stack) - where > 1:
                found.append(sorted(stack[where:]))
            del stack[where:]

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found)


def upward(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Arrows between packages right below the root that run against the greater number."""
    between: Counter[tuple[str, str]] = Counter()
    for name, others in graph.items():
        for other in others:
            here, there = (one.split(".")[1] for one in (name + ".", other + "."))
            if here and there and here != there:
                between[here, there] += 1
    return [
        f"{here} -> {there}"
        for (here, there), count in sorted(between.items())
        if 0 < count < between[there, here]
    ]


def classes(tree: Mapping[str, Module]) -> dict[str, list[str]]:
    """The modules that define each public class."""
    found = defaultdict(list)
    for module in tree.values():
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module.name)
    return found


def crowded(tree: Mapping[str, Module]) -> dict[str, int]:
    """Folders with more than MANY modules side by side."""
    beside = Counter(
        str(one.path.parent) for one in tree.values() if one.path.name != "__init__.py"
    )
    return {folder: count for folder, count in beside.most_common() if count > MANY}


def strange(tree: Mapping[str, Module]) -> list[str]:
    """Names of classes that docstrings say are raised, or refer to, and that no module knows."""
    known = set(dir(builtins))
    for module in tree.values():
        for node in ast.walk(module.tree):
            known.update(_named(node))
    found = []
    for module in tree.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Module | ast.ClassDef | _Function):
                said = ast.get_docstring(node) or ""
                found += [f"{module.name}: {name}" for name in _told(said) if name not in known]
    return found


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | _Function):
        yield node.name
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).rpartition(".")[2]


def _told(docstring: str) -> Iterator[str]:
    raised = docstring.partition("Raises:")[2].partition("\n\n")[0]
    for names in re.findall(r"^ {4}([A-Z]\w+(?:, [A-Z]\w+)*)(?::|$)", raised, re.MULTILINE):
        yield from names.split(", ")
    yield from re.findall(r":(?:class|exc|func|meth):`~?(?:[\w.]+\.)?(\w+)`", docstring)


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that carry code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | _Function) and ast.get_docstring(node):
            said = node.body[0]
            lines -= set(range(said.lineno, (said.end_lineno or said.lineno) + 1))
    return lines


def sizes(tree: Mapping[str, Module]) -> tuple[list[int], list[int]]:
    """Code lines of each file, and of each function."""
    files, functions = [], []
    for module in tree.values():
        lines = code_lines(module.text)
        files.append(len(lines))
        functions.extend(
            len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
            for node in ast.walk(module.tree)
            if isinstance(node, _Function)
        )
    return files, functions


def _said(numbers: Sequence[int]) -> str:
    return f"median {median(numbers):g}, p90 {quantiles(numbers, n=10)[-1]:.0f}"


def _tell(root: Path) -> Iterator[str]:
    for source, package in ((root / "src", "firstlight"), (root / "dpm/src", "firstlight_dpm")):
        tree = modules(source, package)
        graph = arrows(tree)
        files, functions = sizes(tree)
        yield f"{package}: {len(files)} files, {sum(files)} code lines"
        yield f"  code lines a file: {_said(files)}; a function: {_said(functions)}"
        up = upward(graph.run)
        yield f"  arrows up: {len(up)} {' '.join(up)}"
        real = circles(graph.run)
        both = {name: graph.run.get(name, frozenset()) | to for name, to in graph.typed.items()}
        mixed = [one for one in circles(dict(graph.run) | both) if one not in real]
        yield f"  circles: {len(real)} of imports that run, {len(mixed)} more with type-only ones"
        yield from (f"    {' '.join(one)}" for one in real)
        twice = {name: where for name, where in classes(tree).items() if len(where) > 1}
        yield f"  public classes of one name: {len(twice)}"
        yield from (f"    {name}: {' '.join(where)}" for name, where in sorted(twice.items()))
        yield f"  folders with more than {MANY} modules: {len(crowded(tree))}"
        yield from (
            f"    {Path(folder).relative_to(root)}: {count}"
            for folder, count in crowded(tree).items()
        )


if __name__ == "__main__":
    ROOT = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    print("\n".join(_tell(ROOT)))
