"""Databases of both kinds, for every test that asks for one."""

from tests.state.conftest import postgres_folder, url

__all__ = ["postgres_folder", "url"]
