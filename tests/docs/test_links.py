import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, headings, links


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    broken = [str(link) for link in links(document) if not link.file.exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_linked_headings_exist(document: Path) -> None:
    linked = [link for link in links(document) if link.heading and link.file.exists()]
    assert [str(link) for link in linked if link.heading not in headings(link.file)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_problem_codes_are_explained(document: Path) -> None:
    named = set(re.findall(r"PM\d{3}", document.read_text(encoding="utf-8")))
    assert named - headings(ROOT / "docs" / "problems.md") == set()


def test_every_document_is_in_the_index() -> None:
    index = next(path for path in DOCUMENTS if path.parts[-2:] == ("docs", "README.md"))
    pages = {path for path in DOCUMENTS if path.parent == index.parent and path != index}
    assert pages - {link.file for link in links(index)} == set()
