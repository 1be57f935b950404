"""Pages of the site (`make site`) that lie outside of `docs/`, and links that lead there.

Documents link to each other as they lie in the repository, so that they can be read there. The
site has the same documents at other places: what is in `docs/` is at its top, beside the others.
A link to a file that is no page becomes its text; one that leads nowhere is left for mkdocs to
complain about.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {
    "README.md": "index.md",
    **{
        name: name
        for name in (
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "benchmarks/README.md",
            "guests/cpp/README.md",
            "guests/python/README.md",
            "guests/rust/attestation/README.md",
        )
    },
}
"""Documents outside of `docs/`: where they lie, and which page they are."""
WIT = "wit.md"
# The file of the package's own documentation comes first.
WIT_FILES = ("world", "types", "attestation", "attester", "verifier")
_LINK = re.compile(r"\[(?P<text>[^\[\]]*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds the documents that the navigation does not name, so that all can be reached."""
    docs = Path(config.docs_dir)
    named = set(_named(config.nav or []))
    documents = (path.relative_to(docs).as_posix() for path in sorted(docs.rglob("*.md")))
    if more := [document for document in documents if document not in named]:
        config.nav = [*(config.nav or []), {"More": more}]
    return config


def _named(nav: Sequence[object]) -> Iterator[str]:
    """Returns the documents in a navigation: texts, or sections and titles with what they have."""
    for item in nav:
        for part in item.values() if isinstance(item, dict) else (item,):
            if isinstance(part, list):
                yield from _named(part)
            else:
                yield str(part)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie elsewhere."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    files.append(File.generated(config, WIT, content=_wit()))
    return files


def _wit() -> str:
    parts = ["# The world\n\nThe single source of what guests and hosts agree on: `wit/`.\n"]
    for name in WIT_FILES:
        text = (ROOT / "wit" / f"{name}.wit").read_text(encoding="utf-8")
        parts.append(f"## {name}.wit\n\n```text\n{text}```\n")
    return "\n".join(parts)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links within the repository into links within the site."""
    del config
    site = {_source(file.src_uri): file.src_uri for file in files}
    own = page.file.src_uri
    folder = posixpath.dirname(_source(own))

    def placed(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match["target"]))
        if target in site:
            to = posixpath.relpath(site[target], posixpath.dirname(own) or ".")
            return f"[{match['text']}]({to}{match['anchor'] or ''})"
        return match["text"] if (ROOT / target).exists() else match[0]

    return "".join(
        part if part.startswith("```") else _LINK.sub(placed, part) for part in _split(markdown)
    )


def _split(markdown: str) -> list[str]:
    """Splits a text into fenced blocks and what is between them."""
    parts, end = [], 0
    for block in _FENCED.finditer(markdown):
        parts += [markdown[end : block.start()], block[0]]
        end = block.end()
    return [*parts, markdown[end:]]


def _source(page: str) -> str:
    """Returns where a page lies in the repository."""
    outside = {to: source for source, to in OUTSIDE.items()} | {WIT: "wit"}
    return outside.get(page, f"docs/{page}")
