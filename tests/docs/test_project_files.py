"""The files around the package: what they say of versions, commands and files is so."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
import yaml

import evonas

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def load(path: Path) -> dict:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_citation_is_of_this_version() -> None:
    citation = load(ROOT / "CITATION.cff")
    assert citation["version"] == evonas.__version__
    assert citation["license"] == "Apache-2.0"
    # What the format asks for.
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_newest_section_of_the_changelog_is_dated_and_of_this_version() -> None:
    newest = re.search(r"^## (\S+)(.*)$", CHANGELOG, re.MULTILINE)
    assert newest is not None
    version, rest = newest.groups()
    assert version == evonas.__version__.partition(".dev")[0]
    dated = re.search(r"\d{4}-\d\d-\d\d", rest)
    assert dated is not None
    assert datetime.date.fromisoformat(dated[0]).year >= 2026
    assert ("in preparation" in rest) is (".dev" in evonas.__version__)


@pytest.mark.parametrize("path", sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml")), ids=lambda p: p.stem)
def test_a_form_for_issues_has_what_it_needs(path: Path) -> None:
    form = load(path)
    if path.stem == "config":
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["attributes"]["label"] for field in form["body"])


def test_the_workflow_runs_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    workflow = load(GITHUB / "workflows" / "test.yml")
    commands = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert commands[0] == "make test"
    assert {one.removeprefix("make ") for one in commands} <= set(targets)
    assert {"python-version": "3.11"} in [
        step.get("with") for step in workflow["jobs"]["test"]["steps"]
    ]


def test_what_the_files_link_to_is_there() -> None:
    for name in ("SECURITY.md", "CONTRIBUTING.md", "README.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:\s]+)[^)]*\)", text):
            assert (ROOT / link).exists(), (name, link)
