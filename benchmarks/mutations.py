"""The small faults that can be put into a file: one change of one place.

A change is one of an operator, a number, a slice, the order of two arguments, a condition, a result
or a statement. Annotations, decorators, error messages and texts are left alone. `mutants.py` looks
whether a test fails for each.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURES = {"charts", "climb", "curves", "front_picture", "labels", "layout", "legend", "svg"}
"""Modules whose numbers are mostly coordinates, which are looked at and not tested."""

COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
}
NAMES = {"min": "max", "any": "all", "argmin": "argmax", "ceil": "floor"}
NAMES |= {new: old for old, new in NAMES.items()}


@dataclass(frozen=True)
class Mutation:
    """One change of one place.

    Attributes:
        path: file, relative to the checkout.
        unit: function or class that it lies in, with dots; empty for the module itself.
        start, stop: bytes of the file that are replaced.
        new: what replaces them.
        words: the changed line before and after.
    """

    path: str
    unit: str
    start: int
    stop: int
    new: str
    words: str

    @property
    def key(self) -> str:
        """The name in results and explanations, which outlives changes of other lines."""
        return f"{self.path} {self.unit}: {self.words}"

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.stop :]

    def is_another_program(self, source: bytes) -> bool:
        """Whether the changed file is a program, and means something else."""
        try:
            changed = ast.parse(self.applied(source))
        except SyntaxError:
            return False
        return ast.dump(changed) != ast.dump(ast.parse(source))


class Finder(ast.NodeVisitor):
    """Finds the mutations of a file."""

    def __init__(self, path: str, source: bytes) -> None:
        self._path = path
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._units: list[str] = []
        self._returns = ""
        self.found: list[Mutation] = []

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """The bytes of a node."""
        start = self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        stop = self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, stop

    def _text(self, node: ast.AST) -> str:
        start, stop = self._span(node)
        return self._source[start:stop].decode()

    def _add(self, start: int, stop: int, new: str) -> None:
        words = self._words(start, stop, new)
        unit = ".".join(self._units)
        self.found.append(Mutation(self._path, unit, start, stop, new, words))

    def _words(self, start: int, stop: int, new: str) -> str:
        """The lines of the place, before and after."""
        first = self._source.rfind(b"\n", 0, start) + 1
        last = self._source.find(b"\n", stop)
        old = self._source[first:last].decode()
        changed = self._source[first:start].decode() + new + self._source[stop:last].decode()
        return f"`{' '.join(old.split())}` -> `{' '.join(changed.split())}`"

    def _replace(self, node: ast.AST, new: str) -> None:
        self._add(*self._span(node), new)

    def _between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        """Replace the first `old` between two nodes."""
        start, stop = self._span(left)[1], self._span(right)[0]
        place = self._source.find(old.encode(), start, stop)
        if place >= 0:
            self._add(place, place + len(old), new)

    def _visit_all(self, nodes: Sequence[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._units.append(node.name)
        outer = self._returns
        self._returns = "" if node.returns is None else ast.unparse(node.returns)
        self._visit_all([*node.args.defaults, *node.args.kw_defaults, *node.body])
        self._returns = outer
        self._units.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._units.append(node.name)
        self._visit_all(node.body)
        self._units.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all([node.value])

    def visit_Raise(self, node: ast.AST) -> None:
        """A message is not mutated."""

    visit_Assert = visit_JoinedStr = visit_Import = visit_ImportFrom = visit_Raise

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for left, right, kind in zip(sides, sides[1:], node.ops, strict=False):
            old, others = COMPARISONS[type(kind)]
            for new in others:
                self._between(left, right, old, new)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        kind = type(node.op)
        if kind in OPERATORS and not (_is_text(node.left) or _is_text(node.right)):
            self._between(node.left, node.right, *OPERATORS[kind])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        kind = type(node.op)
        if kind in OPERATORS and not _is_text(node.value):
            self._between(node.target, node.value, *OPERATORS[kind])
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        self._between(node.values[0], node.values[1], old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        start, stop = self._span(node)[0], self._span(node.operand)[0]
        word = self._source[start:stop].decode()
        if isinstance(node.op, ast.Not):
            self._add(start, stop, word.replace("not ", "", 1))
        elif isinstance(node.op, ast.USub):
            self._add(start, stop, word.replace("-", "+", 1))
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        # `zip(..., strict=True)` states what cannot happen.
        if node.arg != "strict":
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace(node, str(not value))
        elif Path(self._path).stem in PICTURES:
            return
        elif isinstance(value, int):
            self._replace(node, str(value + 1))
        elif isinstance(value, float):
            self._replace(node, repr(2 * value or 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node.func)
        # Of a type check and of a class's own parent, another order fails at once.
        if name in ("isinstance", "__init__"):
            return
        if name in NAMES:
            stop = self._span(node.func)[1]
            self._add(stop - len(name), stop, NAMES[name])
        if len(node.args) > 1 and all(isinstance(one, ast.Name) for one in node.args[:2]):
            first, second = node.args[:2]
            swapped = f"{self._text(second)}, {self._text(first)}"
            self._add(self._span(first)[0], self._span(second)[1], swapped)
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        if node.lower is not None:
            self._replace(node.lower, f"({self._text(node.lower)}) + 1")
        if node.upper is not None:
            self._replace(node.upper, f"({self._text(node.upper)}) - 1")
            if node.lower is None and node.step is None:
                self._replace(node, f"-({self._text(node.upper)}) :")
        elif node.step is None:
            self._replace(node, f"{self._text(node)} -1")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Another value of the same kind: None for a list would be found by any test."""
        if node.value is None:
            return
        text = self._text(node.value)
        kind = self._returns
        others = {"bool": f"not ({text})", "str": '""', "int": f"({text}) + 1"}
        others |= {"float": f"2 * ({text})"}
        new = others.get(kind, "")
        if kind.endswith("| None"):
            new = "None"
        elif kind.startswith(("list[", "dict[", "tuple[")):
            new = f"({text})[:0]" if kind.startswith(("list", "tuple")) else "{}"
        if new and text != new:
            self._replace(node.value, new)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if self._text(node.test) == "TYPE_CHECKING":
            return
        self._replace(node.test, f"not ({self._text(node.test)})")
        self.generic_visit(node)

    visit_IfExp = visit_If  # type: ignore[assignment]

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._replace(test, "True")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self._replace(node, "pass")
        self.generic_visit(node)


def _is_text(node: ast.AST) -> bool:
    """Whether a node is a text, so that `+` has no other operator beside it."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, ast.JoinedStr)


def _called(node: ast.AST) -> str:
    """The name of what is called, without the object that it belongs to."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def mutations(path: Path, root: Path) -> list[Mutation]:
    """All places and changes of a file. Some may be no programs: see `is_another_program`."""
    source = path.read_bytes()
    finder = Finder(path.relative_to(root).as_posix(), source)
    finder.visit(ast.parse(source))
    return finder.found


def sample(count: int, seed: int, root: Path, folders: Iterable[str]) -> list[Mutation]:
    """Mutations in a random order, from different functions as long as there are any.

    Each function or class is as likely. Otherwise those with many numbers would take most.

    Args:
        root: the checkout.
        folders: folders of the checkout that are mutated.
    """
    units: dict[tuple[str, str], list[Mutation]] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            for one in mutations(path, root):
                units.setdefault((one.path, one.unit), []).append(one)
    chance = random.Random(seed)
    order = list(units)
    chance.shuffle(order)
    drawn: dict[str, Mutation] = {}
    while order and len(drawn) < count:
        for unit in order:
            one = units[unit].pop(chance.randrange(len(units[unit])))
            # Two equal lines of a function have one name, and count once.
            if len(drawn) < count and one.is_another_program((root / one.path).read_bytes()):
                drawn.setdefault(one.key, one)
        order = [unit for unit in order if units[unit]]
    return list(drawn.values())
