"""The site of the docs: every page is in its menu, and its reference is what the code says."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evonas.cli.app import MODULES
from evonas.model.op_texts import op_texts
from evonas.runtime.config.families import members
from evonas.runtime.config.run_config import FAMILIES, RunConfig
from evonas.settings import Settings

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of scripts/, which is no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def menu() -> list[str]:
    """The pages of the menu, from top to bottom."""

    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        parts = entry.values() if isinstance(entry, dict) else entry
        return [page for part in parts for page in pages(part)]

    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    return pages(project["nav"])


def test_every_page_is_in_the_menu_once(script):
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    reference = script("docs_reference")
    made = {f"reference/{name}.md" for name in ("commands", "config", "ops")}
    made.add("configs/README.md")
    made |= {f"reference/{module}.md" for module in reference.public_modules()}
    beside = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"}

    assert sorted(menu()) == sorted(written | made | beside)


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    section = page.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return {first.strip("`"): rest for first, *rest in cells[2:]}


def keys(section: type[Settings]) -> list[str]:
    return [item.name for item in dataclasses.fields(section) if item.init]


def test_the_config_reference_has_every_key_of_every_member(script):
    page = script("docs_reference").config_page()

    assert list(rows(page, "## The whole config { #run }")) == keys(RunConfig)
    compared = 0
    for family in FAMILIES:
        for name, member in members(family, FAMILIES).items():
            [heading] = [
                line
                for line in page.splitlines()
                if line.startswith(f"### `{name}` ")
                and line.endswith(f"#{family_word(family)}-{name} }}")
            ]
            if keys(member):
                told = rows(page, heading)
                assert list(told) == keys(member), heading
                compared += 1
    assert compared > 30


def family_word(family: type[Settings]) -> str:
    return family.__name__.removesuffix("Settings").removesuffix("Config").lower()


def test_the_config_reference_says_what_is_allowed_and_what_follows_otherwise(script):
    page = script("docs_reference").config_page()

    allowed, default, meaning = rows(page, "### `tournament` { #selection-tournament }")["size"]
    assert allowed == "a whole number of at least 1"
    assert default == "`3`"
    assert meaning
    whole = rows(page, "## The whole config { #run }")
    assert whole["budget"][:2] == ["[Budget](#budget)", "required"]
    assert whole["strategy"][:2] == ["by name: [Strategy](#strategy)", "`evolution`"]
    assert whole["deterministic"][:2] == ["true or false", "`true`"]


def test_the_config_reference_says_what_an_algorithm_does_and_its_paper(script):
    page = script("docs_reference").config_page()
    told = page.split("### `aging` { #strategy-aging }\n")[1].split("\n|")[0]
    assert told.strip().startswith("Aging evolution: the oldest individual leaves the population")
    assert "Paper: Real et al., 2019" in told
    assert "The section `strategy." not in page


def test_every_key_of_the_config_has_a_meaning(script):
    page = script("docs_reference").config_page()
    silent = [
        line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")
    ]
    assert silent == []


def test_the_page_of_ops_has_every_op_with_its_parameters(script):
    page = script("docs_reference").ops_page()
    for op in op_texts():
        heading = f"### `{op.name}` {{ #{op.group}-{op.name} }}"
        assert heading in page
        if op.parameters:
            assert list(rows(page, heading)) == [one.name for one in op.parameters]


def test_the_page_of_commands_has_every_command_with_its_options(script):
    page = script("docs_commands").commands_page()
    for module in MODULES:
        assert f"## `evonas {module.NAME}` {{ #{module.NAME} }}" in page
    told = rows(page, "## `evonas run` { #run }")
    assert told["CONFIG"][1] == "required"
    assert told["--runs DIR"][1] == "`runs`"
    assert "such as `--set budget.trials=20`" in told["--set KEY=VALUE"][0]


def test_what_a_page_loads_from_elsewhere_and_a_dead_link_are_found(script, tmp_path):
    (tmp_path / "there.html").write_text('<a href="https://example.org">x</a>', encoding="utf-8")
    page = tmp_path / "page.html"
    page.write_text(
        '<script src="//example.org/x.js"></script><a href="there.html#a">a</a>'
        '<a href="gone.html">b</a><div class="mermaid"></div>',
        encoding="utf-8",
    )
    assert list(script("docs_site").faults(tmp_path)) == [
        "page.html loads //example.org/x.js",
        "page.html has a diagram of Mermaid, whose script is on another host",
        "page.html links to gone.html, which is not there",
    ]


@pytest.mark.full
@pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None,
    reason="the generator of the site is not installed; `make docs` installs it",
)
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere():
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "docs_site.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    html = ROOT / "build" / "site" / "html"
    assert 'id="evonas.evolve"' in (html / "reference" / "evonas.html").read_text(encoding="utf-8")
