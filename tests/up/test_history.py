"""Going back to what manifests said, while files are edited."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up import Up, ask, command, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("up-history")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    (folder / "mesh.yaml").write_text(m.text(m.mesh(), m.gateway("front", 8088), m.node("one")))
    (folder / "books.yaml").write_text(m.text(m.route("books"), m.service("books", "one")))
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with running(folder, "--echo", "--listen", "8088=0") as up:
        yield up


def test_a_bad_edit_is_taken_back_until_files_are_mended(up: Up, folder: Path) -> None:
    front = up.address("front")
    until(lambda: ask(front, "/books").node == "one")
    assert "1         " in up.command("history")
    books, more = folder / "books.yaml", folder / "more.yaml"
    more.write_text(m.text(*m.shop("more")))
    until(lambda: ask(front, "/more").node == "more")
    books.write_text(m.text(m.route("books"), m.service("books", "more")))
    until(lambda: ask(front, "/books").node == "more")

    assert up.command("rollback") == "revision 2 is in force again; edits of files wait\n"
    until(lambda: ask(front, "/books").node == "one")
    assert ask(front, "/more").node == "more"
    assert "PM111" in up.command("status")
    more.unlink()
    until(lambda: "more.yaml" in _held(up))
    assert ask(front, "/more").node == "more"

    books.write_text(m.text(m.route("books", prefix="/mended"), m.service("books", "one")))
    until(lambda: "books.yaml" in _held(up))
    assert up.command("rollback", "--release") == "what files say is in force again\n"
    until(lambda: ask(front, "/mended").node == "one")
    until(lambda: ask(front, "/more").status == 404)
    assert "PM111" not in up.command("status")

    listed = up.command("history").splitlines()
    assert [row.split("  ")[0] for row in listed[1:]] == ["5", "4 (as 2)", "3", "2", "1"]
    told = up.command("history", "2", "--to", "3")
    assert f"--- {books}\n+++ {books}\n" in told
    assert "\n-" in told and "name: more" in told


def _held(up: Up) -> str:
    return next((item.message for item in up.status().problems if item.code == "PM111"), "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rollback", "99"), "there is no revision 99"),
        (("rollback", "--release"), "no revision is held"),
        (("history", "99"), "there is no revision 99"),
        (("history", "--to", "1"), "--to needs a revision to start from"),
        (("rollback", "1", "--release"), "--release takes no revision"),
    ],
)
def test_what_cannot_be_done_is_told(up: Up, arguments: tuple[str, ...], told: str) -> None:
    done = command(*arguments, runtime=up.home / "run")
    assert done.returncode == 2
    assert told in done.stderr
