"""How dense the code is, in numbers.

    python scripts/reading.py [FOLDER ...]      evonas by default
        --list      names the densest functions
        --rules     names each line that breaks a rule that can be counted (CONTRIBUTING.md, Style)

*Nodes a line* is counted for each function: the nodes of its syntax tree, divided by the lines of
its body. The docstring counts as neither. The median over all functions is reported.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from dataclasses import dataclass
from pathlib import Path

WIDTH = 100
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Reading:
    """What was counted in one file.

    Attributes:
        path: path of the file.
        lines: number of lines.
        densities: nodes a line of each function, with the function's name.
        own_comments: number of comments on a line of their own.
        long_lines: number of lines that are too long.
        comprehensions: number of comprehensions.
        longest: lines and name of the longest function.
        largest: number of public methods and name of the public class that has most of them.
    """

    path: Path
    lines: int
    densities: list[tuple[float, str]]
    own_comments: int
    long_lines: int
    comprehensions: int
    longest: tuple[int, str]
    largest: tuple[int, str]


def broken_rules(path: Path) -> list[str]:
    """Each place where an expression holds too much, as `path:line: what`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            allowed |= {id(one) for one in ast.walk(node.test) if isinstance(one, ast.NamedExpr)}
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                allowed |= {id(one) for one in ast.walk(test) if isinstance(one, ast.NamedExpr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.NamedExpr) and id(node) not in allowed:
            found.append(f"{path}:{node.lineno}: a walrus outside `if` and `while`")
        elif isinstance(node, ast.IfExp):
            inner = [one for one in ast.walk(node) if isinstance(one, ast.IfExp)]
            if len(inner) > 1:
                found.append(f"{path}:{node.lineno}: a conditional expression within another")
        elif isinstance(node, ast.stmt):
            count = sum(isinstance(one, COMPREHENSIONS) for one in expressions(node))
            if count > 1:
                found.append(f"{path}:{node.lineno}: {count} comprehensions in one expression")
    return found


def expressions(statement: ast.stmt) -> list[ast.AST]:
    """The nodes of a statement's own expressions, without those of the statements inside it."""
    found: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(statement))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (ast.stmt, ast.Lambda, ast.ExceptHandler)):
            found.append(node)
            waiting += ast.iter_child_nodes(node)
    return found


def is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def density(function: ast.FunctionDef | ast.AsyncFunctionDef) -> float | None:
    """Nodes a line of the function's body; None if it has only a docstring."""
    body = [statement for statement in function.body if not is_docstring(statement)]
    if not body:
        return None
    nodes = 0
    lines: set[int] = set()
    for statement in body:
        nodes += sum(1 for _ in ast.walk(statement))
        lines |= set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return nodes / len(lines)


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def public_methods(kind: ast.ClassDef) -> int:
    return sum(isinstance(item, FUNCTIONS) and not item.name.startswith("_") for item in kind.body)


def read(path: Path) -> Reading:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    nodes = list(ast.walk(ast.parse(source)))
    functions = [node for node in nodes if isinstance(node, FUNCTIONS)]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    public = [kind for kind in classes if not kind.name.startswith("_")]
    densities = []
    for function in functions:
        found = density(function)
        if found is not None:
            densities.append((found, f"{path}: {function.name}"))
    own_comments = sum(line.lstrip().startswith("#") for line in lines)
    long_lines = sum(len(line) > WIDTH for line in lines)
    comprehensions = sum(isinstance(node, COMPREHENSIONS) for node in nodes)
    lengths = [(length_of(one), one.name) for one in functions]
    sizes = [(public_methods(kind), kind.name) for kind in public]
    return Reading(
        path=path,
        lines=len(lines),
        densities=densities,
        own_comments=own_comments,
        long_lines=long_lines,
        comprehensions=comprehensions,
        longest=max(lengths, default=(0, "")),
        largest=max(sizes, default=(0, "")),
    )


def report(folder: Path, is_listing: bool) -> None:
    readings = [read(path) for path in sorted(folder.rglob("*.py"))]
    lines = sum(one.lines for one in readings)
    densities = sorted(found for one in readings for found in one.densities)
    median = statistics.median(value for value, _ in densities)
    comments = sum(one.own_comments for one in readings)
    long = sum(one.long_lines for one in readings)
    comprehensions = sum(one.comprehensions for one in readings)
    longest = max(one.longest for one in readings)
    largest = max(one.largest for one in readings)
    print(f"{folder}")
    print(f"  files                              {len(readings)}")
    print(f"  files under 40 lines               {sum(one.lines < 40 for one in readings)}")
    print(f"  lines                              {lines}")
    print(f"  syntax nodes a line, median        {median:.1f}")
    print(f"  own-line comments in 1,000 lines   {1000 * comments / lines:.1f}")
    print(f"  lines over {WIDTH} columns             {long} ({100 * long / lines:.1f} %)")
    print(f"  comprehensions in 1,000 lines      {1000 * comprehensions / lines:.1f}")
    print(f"  longest function                   {longest[0]} lines, {longest[1]}")
    print(f"  largest public class               {largest[0]} public methods, {largest[1]}")
    if is_listing:
        for value, name in densities[-40:]:
            print(f"    {value:5.1f}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How dense the code is, in numbers.")
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("evonas")])
    parser.add_argument("--list", action="store_true", help="name the densest functions")
    parser.add_argument("--rules", action="store_true", help="name each broken rule")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        if arguments.rules:
            for path in sorted(folder.rglob("*.py")):
                for rule in broken_rules(path):
                    print(rule)
        else:
            report(folder, arguments.list)


if __name__ == "__main__":
    main()
