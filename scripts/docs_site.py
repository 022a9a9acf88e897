"""Builds the site of the docs in build/site: `make docs`.

Pages lie as in the checkout, so that their links mean the same. What a page links to comes along.
The generator warns of links that lead nowhere, and a warning ends the build. Afterwards no page may
load anything from another host, and each link to a file must hold.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import docs_commands
import docs_reference

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"
ROOTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")
"""The pages beside those of docs/, from the root of the checkout."""
_LINK = re.compile(r"\]\(([^)#:\s]+)[^)]*\)")
_LOADS = ("script", "img", "source", "iframe", "audio", "video", "object", "embed")


def gather(root: Path) -> list[Path]:
    """The pages, and every file that one of them links to, as paths within the checkout."""
    docs = sorted((root / "docs").rglob("*.md"))
    waiting = [root / name for name in ROOTS] + docs
    found: dict[Path, None] = {}
    while waiting:
        path = waiting.pop(0).resolve()
        place = path.relative_to(root)
        if place in found or not path.is_file():
            continue
        found[place] = None
        if path.suffix == ".md":
            links = _LINK.findall(path.read_text(encoding="utf-8"))
            waiting += [path.parent / link for link in links if not link.startswith("/")]
    return list(found)


def write_pages(target: Path) -> None:
    """Everything that the generator reads: copies from the checkout, and what the code says."""
    for place in gather(ROOT):
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / place, target / place)
    made = docs_reference.pages()
    made |= {
        "reference/commands.md": docs_commands.commands_page(),
        "configs/README.md": _configs_page(),
    }
    for name, text in made.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")


def _configs_page() -> str:
    """The shipped configs, one below the other."""
    parts = ["# Shipped configs\n\n`evonas run NAME` runs one of them.\n"]
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        text = path.read_text(encoding="utf-8").strip()
        parts.append(f"## {path.stem}\n\n```yaml\n{text}\n```\n")
    return "\n".join(parts)


class _Links(HTMLParser):
    """What a page of HTML loads, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.led: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.classes |= set(named.get("class", "").split())
        if tag in _LOADS:
            self.loaded += [named[name] for name in ("src", "data", "href") if name in named]
        elif tag == "link" and named.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(named.get("href", ""))
        elif tag == "a" and "href" in named:
            self.led.append(named["href"])


def faults(html: Path) -> Iterator[str]:
    """What a built site loads from elsewhere, and its links to files that are not there."""
    for page in sorted(html.rglob("*.html")):
        links = _Links()
        links.feed(page.read_text(encoding="utf-8"))
        place = page.relative_to(html)
        for address in links.loaded:
            if urlsplit(address).netloc:
                yield f"{place} loads {address}"
        if "mermaid" in links.classes:
            yield f"{place} has a diagram of Mermaid, whose script is on another host"
        # The page for what is not found stands at every address, so its links begin at the root.
        if page.name == "404.html":
            continue
        for address in [*links.loaded, *links.led]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = page.parent / unquote(parts.path)
            if not (target.is_file() or (target / "index.html").is_file()):
                yield f"{place} links to {address}, which is not there"


def main() -> int:
    """Build the site; the exit code is 1 if anything is wrong with it."""
    shutil.rmtree(SITE, ignore_errors=True)
    write_pages(SITE / "pages")
    generator = Path(sys.executable).with_name("zensical")
    done = subprocess.run([generator, "build", "--strict", "--clean"], cwd=ROOT)
    if done.returncode:
        return 1
    found = list(faults(SITE / "html"))
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"The site is in {(SITE / 'html').relative_to(ROOT)}; open index.html.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
