from __future__ import annotations

from pathlib import Path

import pytest

from evonas.errors import UserError
from evonas.genome import library
from evonas.genome.library import find, names

ROOT = Path(__file__).parents[2]


def test_shipped_files_by_name() -> None:
    assert "convnet" in names("spaces")
    assert "\nspace: convnet\n" in find("spaces", "convnet").read_text(encoding="utf-8")
    assert find("seeds", "lenet5").name == "lenet5.yaml"


def test_the_package_comes_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "evonas"
    for folder in (package / "_genomes/spaces", tmp_path / "genomes/spaces"):
        folder.mkdir(parents=True)
        (folder / "a.yaml").touch()
    (tmp_path / "genomes/spaces/b.yaml").touch()
    monkeypatch.setattr(library, "_PACKAGE", package)
    assert names("spaces") == ("a", "b")
    assert find("spaces", "a") == package / "_genomes/spaces/a.yaml"
    assert find("spaces", "b") == tmp_path / "genomes/spaces/b.yaml"
    with pytest.raises(UserError, match="None is shipped"):
        find("configs", "digits")


def test_paths_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/mine.yaml").touch()
    config = tmp_path / "config.yaml"
    config.touch()
    assert find("spaces", "sub/mine.yaml", config) == tmp_path / "sub/mine.yaml"
    assert find("spaces", "mine.yaml", tmp_path / "sub") == tmp_path / "sub/mine.yaml"
    assert find("spaces", str(tmp_path / "sub/mine.yaml"), config) == tmp_path / "sub/mine.yaml"
    monkeypatch.chdir(tmp_path / "sub")
    assert find("spaces", "mine.yaml") == Path("mine.yaml")


def test_a_folder_is_told_to_be_one_unless_its_name_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mine", "iris"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert find("configs", "iris").name == "iris.yaml"
    with pytest.raises(UserError, match="mine is a folder, and a config is a file of YAML"):
        find("configs", "mine")


def test_unknown_names_and_paths() -> None:
    with pytest.raises(UserError, match=r"'convnett'. Did you mean 'convnet'\? Shipped: .*convnet"):
        find("spaces", "convnett")
    with pytest.raises(UserError, match="No seed genome at nowhere/x"):
        find("seeds", "nowhere/x")
    with pytest.raises(UserError, match="genomes is a folder, and a search space is a file"):
        find("spaces", "genomes/", ROOT)
    with pytest.raises(UserError, match="No search space at"):
        find("spaces", "genomes/none.yaml", ROOT)
