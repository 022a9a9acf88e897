"""What identifies the code of a run's plugins: a sha256 for each of their files.

They are what a process imports with the plugins, and what their functions may import later.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.user_code import Source, as_text, digest_of, home_of, is_users


def sources_of(imports: Imports) -> dict[str, Source]:
    """The files of modules by name, sorted; also files that were read during the import.

    Imports inside functions are found by reading the code. An import by a computed name is found
    only if it was made already.

    Args:
        imports: what this process has imported with the plugins.
    """
    found = imports.all()
    sources = _imported_later(found)
    sources.update(found)
    return dict(sorted(sources.items()))


def _imported_later(found: Mapping[str, Source]) -> dict[str, Source]:
    """The modules that these modules import within functions, and theirs."""
    files = {name: Path(source.file) for name, source in found.items()}
    homes = [home_of(name, file) for name, file in files.items() if file.suffix == ".py"]
    own = [Path(entry) for entry in sys.path if is_users(entry)]
    places = list(dict.fromkeys([*own, *sorted(homes)]))
    later: dict[str, Source] = {}
    waiting = list(files)
    while waiting:
        name = waiting.pop()
        for imported in _imports(name, files[name]):
            # What is imported already was looked at where it lies.
            if imported in files or imported in sys.modules:
                continue
            file = _find(imported, places)
            if file is not None and is_users(str(file)):
                files[imported] = file
                _, later[imported] = as_text(imported, Source(digest_of(file), str(file)))
                waiting.append(imported)
    return later


def _imports(name: str, file: Path) -> Iterator[str]:
    """The modules that may be imported somewhere in a module, with the packages that they are in.

    `from package import name` may import the module `package.name`.
    """
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    package = name.split(".")
    if file.stem != "__init__":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            # One dot is the module's own package, each further one the package around it.
            kept = len(package) - (node.level - 1)
            base = package[:kept] if node.level else []
            around = [*base, *filter(None, [node.module])]
            for alias in node.names:
                yield from _with_packages(".".join([*around, alias.name]))


def _with_packages(name: str) -> Iterator[str]:
    """`a`, `a.b` and `a.b.c` for `a.b.c`."""
    words = name.split(".")
    for end in range(1, len(words) + 1):
        yield ".".join(words[:end])


def _find(name: str, places: Sequence[Path]) -> Path | None:
    """The file of a module in one of these folders."""
    for place in places:
        path = place.joinpath(*name.split("."))
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                return file
    return None
