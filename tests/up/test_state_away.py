"""What a running instance says and does when its database fails it, and when a secret is closed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.state.conftest import postgres_folder
from tests.support.postgres import fresh_database
from tests.support.up import Up, ask, running, until
from tests.up import manifests as m
from tests.up.test_access import DECLARED, POLICY

__all__ = ["postgres_folder"]

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-state")]


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    folder = tmp_path / "mesh"
    folder.mkdir()
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("books"), POLICY, DECLARED)
    (folder / "mesh.yaml").write_text(m.text(*mesh))
    return folder


class Plug:
    """A database that can be pulled: clients know its socket by a link."""

    def __init__(self, folder: Path, link: Path) -> None:
        self._folder, self._link = folder, link
        self._url = fresh_database(folder)
        self.put_in()
        self.url = self._url.replace(str(folder), str(link))

    def put_in(self) -> None:
        self._link.symlink_to(self._folder)

    def pull(self) -> None:
        self._link.unlink()
        with psycopg.connect(self._url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def plug(postgres_folder: Path, tmp_path: Path) -> Iterator[Plug]:
    yield Plug(postgres_folder, tmp_path / "pg")


def status_of(up: Up, key: str) -> int:
    return ask(up.address("front"), "/books", {"x-api-key": key}).status


def codes(up: Up) -> set[str]:
    return {problem.code for problem in up.status().problems}


def options(state: str, master_key: Path) -> tuple[Any, ...]:
    kept = ("--state", state, "--master-key", str(master_key))
    return ("--echo", "--listen", "8088=0", *kept)


def test_while_the_database_is_away_callers_stay_as_they_were(
    mesh: Path, plug: Plug, tmp_path: Path
) -> None:
    with running(mesh, *options(plug.url, tmp_path / "master.key")) as up:
        key = up.command("key", "issue", "shop/declared", "--quiet").strip()
        until(lambda: status_of(up, key) == 200, 2.0)
        assert "PM904" not in codes(up)
        plug.pull()
        until(lambda: "PM904" in codes(up), 10.0)
        assert status_of(up, key) == 200
        assert status_of(up, "pm_another") == 401
        plug.put_in()
        until(lambda: "PM904" not in codes(up), 10.0)
        up.command("consumer", "revoke", "shop/declared")
        until(lambda: status_of(up, key) == 401, 2.0)
        assert key not in up.text


def test_a_key_of_another_master_key_is_told_and_the_others_are_good(
    mesh: Path, tmp_path: Path
) -> None:
    state, master = str(tmp_path / "s.db"), tmp_path / "master.key"
    with running(mesh, *options(state, master)) as up:
        closed = up.command("key", "issue", "shop/declared", "--quiet").strip()
        until(lambda: status_of(up, closed) == 200, 2.0)
    master.unlink()
    with running(mesh, *options(state, master)) as up:
        assert codes(up) == {"PM905"}
        opened = up.command("key", "issue", "shop/declared", "--quiet").strip()
        until(lambda: status_of(up, opened) == 200, 2.0)
        assert status_of(up, closed) == 401
