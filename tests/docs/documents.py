"""The project's Markdown documents, as far as tests look at them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = sorted(ROOT.glob("docs/guides/*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *GUIDES])

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_ANCHOR = re.compile(r'<a id="([^"]+)">')
_PUNCTUATION = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Link:
    """A relative link: the file it leads to and the heading in it, or ""."""

    file: Path
    heading: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}#{self.heading}".rstrip("#")


def links(document: Path) -> set[Link]:
    """The links of a document that stay within the project."""
    prose = _FENCE.sub("", document.read_text(encoding="utf-8"))
    targets = [target for target in _LINK.findall(prose) if "://" not in target]
    return {_resolve(document, target) for target in targets}


def _resolve(document: Path, target: str) -> Link:
    path, _, heading = target.partition("#")
    return Link((document.parent / path).resolve() if path else document, heading)


def headings(document: Path) -> set[str]:
    """The anchors of a document: those of its headings, as GitHub makes them, and its own."""
    prose = _FENCE.sub("", document.read_text(encoding="utf-8"))
    titles = (_PUNCTUATION.sub("", title.lower()) for title in _HEADING.findall(prose))
    return {title.replace(" ", "-") for title in titles} | set(_ANCHOR.findall(prose))


@dataclass(frozen=True)
class Typed:
    """Something to type, and the lines that are answered; `…` stands for what differs."""

    command: str
    answer: tuple[str, ...]


def console(document: Path) -> Iterator[Typed]:
    """What is typed in a document's console blocks, in order."""
    for block in blocks(document, "console"):
        for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *answer = piece.splitlines()
            yield Typed(command, tuple(answer))


def blocks(document: Path, language: str) -> list[str]:
    """The contents of a document's blocks of a language."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code(document: Path) -> Iterator[str]:
    """Lines of code blocks, without their prompt, and pieces of code in the prose."""
    text = document.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        yield from (line.strip().removeprefix("$ ") for line in block.splitlines()[1:-1])
    yield from _CODE.findall(_FENCE.sub("", text))
