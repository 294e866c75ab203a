"""The databases of tests/state, and authorization servers upon them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.state.conftest import postgres_folder, url
from tests.support.oauth import Place, place

__all__ = ["postgres_folder", "url"]


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Place]:
    """An authorization server with all that belongs to it."""
    async with place(f"sqlite:///{tmp_path / 'state.db'}") as found:
        yield found
