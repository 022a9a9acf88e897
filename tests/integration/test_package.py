"""The package as users install it: a source archive, and the wheel that is built from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import evonas
from evonas.genome import library

ROOT = Path(__file__).parents[2]
LOOK = """
import evonas
from evonas.genome import library

print(evonas.__file__)
print(evonas.__version__)
print(*library.names("spaces"))
print(*library.names("configs"))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive, and the wheel that was made of the archive alone."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    if "Could not find a version" in done.stdout + done.stderr:
        pytest.skip("the build backend cannot be installed here: no package index is reachable")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.full
def test_the_wheel_of_the_source_archive_works_outside_the_checkout(
    built: Path, tmp_path: Path
) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    # Without the site of this environment there is no checkout; what evonas needs comes behind it.
    places = [str(tmp_path / "installed"), *(path for path in sys.path if "site-packages" in path)]
    done = subprocess.run(
        [sys.executable, "-S", "-c", LOOK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    file, version, spaces, configs = done.stdout.splitlines()
    assert Path(file).is_relative_to(tmp_path / "installed")
    assert version == evonas.__version__
    # The shipped files are the same as in the checkout.
    assert spaces.split() == list(library.names("spaces"))
    assert configs.split() == list(library.names("configs"))


@pytest.mark.full
def test_the_archive_holds_the_package_and_no_tests_or_results(built: Path) -> None:
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = [name.partition("/")[2] for name in file.getnames()]
    tops = {name.partition("/")[0] for name in names}
    assert {"evonas", "genomes", "configs", "README.md", "LICENSE", "CHANGELOG.md"} <= tops
    assert not tops & {"tests", "benchmarks", "runs", "build", "docs"}
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$", name)]
