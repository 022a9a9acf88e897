"""What identifies the code of a run's plugins: a sha256 for each of their modules.

The modules are those that the config lists, and those beside them that they import: of the same
package, or of the same folder. A library that is installed counts by its version.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Names of folders that hold installed libraries."""


def sources_of(plugins: Sequence[str]) -> dict[str, str]:
    """Module -> sha256 of its file, sorted by name.

    Imports inside functions are found by reading the code. An import by a computed name is found
    only if it was made already.

    Args:
        plugins: modules that this process has imported.
    """
    homes = {home for name in plugins if (home := _home(name)) is not None}
    beside = {home for home in homes if not _is_installed(home)}
    packages = {_top(name) for name in plugins}
    files: dict[str, Path] = {}
    for name, module in list(sys.modules.items()):
        is_listed = name in plugins or _top(name) in packages
        if is_listed or (_home(name) in beside and _may_count(name)):
            file = _file_of(module)
            if file is not None:
                files[name] = file
    _add_imported_later(files, beside)
    return {name: _sha256(file) for name, file in sorted(files.items())}


def _top(name: str) -> str:
    """The name of the package that a module is in, or its own."""
    return name.partition(".")[0]


def _may_count(name: str) -> bool:
    """Whether a module beside a plugin is the user's."""
    # The version of evonas is recorded. The main module is the one that looks at the plugins.
    return _top(name) not in ("evonas", "__main__")


def _home(name: str) -> Path | None:
    """The folder that holds a module, or the package that it is in; None if there is none."""
    module = sys.modules.get(_top(name))
    if module is None:
        return None
    # A namespace package has a path and no file.
    for entry in _path(module):
        return Path(entry).parent
    file = _file_of(module)
    return None if file is None else file.parent


def _path(module: ModuleType) -> list[str]:
    """The folders of a package; empty for any other module."""
    # Code may put any object in the place of a module, with attributes of its own.
    try:
        return [str(entry) for entry in getattr(module, "__path__", ())]
    except Exception:
        return []


def _file_of(module: ModuleType) -> Path | None:
    """The file of a module, source or binary, or the archive that holds it; None without one."""
    # As above: any object may stand there.
    try:
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
    except Exception:
        return None
    if not isinstance(origin, str):
        return None
    path = Path(origin)
    for file in (path, *path.parents):
        if file.is_file():
            return file
    return None


def _is_installed(folder: Path) -> bool:
    """Whether a folder holds libraries: of the environment, or of Python itself."""
    if not _INSTALLED.isdisjoint(folder.parts):
        return True
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return any(folder.is_relative_to(path) for path in standard if path)


def _add_imported_later(files: dict[str, Path], homes: Iterable[Path]) -> None:
    """Add the modules that these modules import within functions, and theirs."""
    places = sorted(homes)
    waiting = list(files)
    while waiting:
        name = waiting.pop()
        for imported in _imports(name, files[name]):
            # What is imported already was looked at where it lies.
            if imported in files or imported in sys.modules or not _may_count(imported):
                continue
            file = _find(imported, places)
            if file is not None:
                files[imported] = file
                waiting.append(imported)


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


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    # It was imported from what Python had compiled before.
    except OSError:
        return "unreadable"
