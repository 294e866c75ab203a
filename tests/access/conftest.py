"""The databases of tests/state, for tests of what is kept in them."""

from tests.state.conftest import postgres_folder, url

__all__ = ["postgres_folder", "url"]
