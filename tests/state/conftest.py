"""Both kinds of databases, for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import fresh_database, postgres, program


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A server of PostgreSQL, by the folder of its socket."""
    if program("postgres") is None or program("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return fresh_database(request.getfixturevalue("postgres_folder"))
