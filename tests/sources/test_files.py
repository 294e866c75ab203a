import asyncio
import io
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from pointsman.errors import SourceError
from pointsman.sources import files
from pointsman.sources.files import Scanner, read, watch

DEADLINE = 10.0


def test_folders_are_read_below_and_hidden_things_are_not(tmp_path: Path) -> None:
    wanted = ["a.yaml", "b.yml", "c.json", "sub/d.yaml.template", "sub/deep/e.json.template"]
    for name in [*wanted, "no.txt", "x.template", ".hidden.yaml", ".git/f.yaml", "sub/.h/g.yaml"]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    found = read([str(tmp_path)])
    assert list(found) == [str(tmp_path / name) for name in wanted]
    assert found[str(tmp_path / "a.yaml")] == "a.yaml"


def test_a_file_is_read_whatever_its_name_and_only_once(tmp_path: Path) -> None:
    file = tmp_path / ".config"
    file.write_bytes(b"\xef\xbb\xbfa: caf\xc3\xa9 \xff")
    assert read([str(file), str(file), str(tmp_path)]) == {str(file): "a: café \udcff"}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1")))
    assert read(["-"]) == {"-": "a: 1"}


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere does not exist"):
        read([str(tmp_path / "nowhere")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch(mode=0o000)
    with pytest.raises(SourceError, match=r"a\.yaml cannot be read"):
        read([str(tmp_path)])


class Watched:
    """Applies changes as they are told, so that a test waits for a state and not for an event."""

    def __init__(self, changes: AsyncIterator[Mapping[str, str | None]], known: dict[str, str]):
        self._changes = changes
        self.texts: dict[str, str] = known
        self.rounds: list[Mapping[str, str | None]] = []

    async def until(self, expected: Mapping[str, str]) -> None:
        async with asyncio.timeout(DEADLINE):
            while self.texts != expected:
                change = await anext(self._changes)
                self.rounds.append(change)
                for file, text in change.items():
                    if text is None:
                        del self.texts[file]
                    else:
                        self.texts[file] = text


@asynccontextmanager
async def watched(*paths: Path) -> AsyncIterator[Watched]:
    names = [str(path) for path in paths]
    known = dict(read(names))
    async with aclosing(watch(names, known)) as changes:
        yield Watched(changes, known)


async def test_files_change_come_and_go(tmp_path: Path) -> None:
    a, b = tmp_path / "a.yaml", tmp_path / "sub" / "b.yaml"
    a.write_text("1", encoding="utf-8")
    async with watched(tmp_path) as state:
        a.write_text("2", encoding="utf-8")
        await state.until({str(a): "2"})
        b.parent.mkdir()
        b.write_text("new", encoding="utf-8")
        (tmp_path / "ignored.txt").write_text("x", encoding="utf-8")
        await state.until({str(a): "2", str(b): "new"})
        a.unlink()
        await state.until({str(b): "new"})
        assert all(len(change) == 1 for change in state.rounds)


async def test_an_editor_that_renames_over_the_file(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "other.yaml"
    file.write_text("1", encoding="utf-8")
    other.write_text("x", encoding="utf-8")
    async with watched(file) as state:
        for text in ("2", "3"):
            swap = tmp_path / ".a.yaml.swp"
            swap.write_text(text, encoding="utf-8")
            swap.replace(file)
            other.write_text(text, encoding="utf-8")
            await state.until({str(file): text})


async def test_links_that_kubernetes_swaps(tmp_path: Path) -> None:
    for version in ("..1", "..2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "a.yaml").write_text(version, encoding="utf-8")
    (tmp_path / "..data").symlink_to("..1")
    file = tmp_path / "a.yaml"
    file.symlink_to("..data/a.yaml")
    async with watched(tmp_path) as state:
        assert state.texts == {str(file): "..1"}
        (tmp_path / "..data_tmp").symlink_to("..2")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        await state.until({str(file): "..2"})


@pytest.mark.parametrize("absence", ["removed", "moved"])
async def test_a_folder_that_is_replaced_is_watched_again(tmp_path: Path, absence: str) -> None:
    folder = tmp_path / "mesh"
    folder.mkdir()
    file = folder / "a.yaml"
    file.write_text("1", encoding="utf-8")
    async with watched(folder) as state:
        file.write_text("2", encoding="utf-8")
        await state.until({str(file): "2"})
        if absence == "removed":
            shutil.rmtree(folder)
            await state.until({})
        else:
            folder.rename(tmp_path / "old")
        folder.mkdir()
        for text in ("3", "4"):
            file.write_text(text, encoding="utf-8")
            await state.until({str(file): text})


async def test_without_a_watch_changes_are_found_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used_up(*_folders: Path, **_options: object) -> None:
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(files, "awatch", used_up)
    file = tmp_path / "a.yaml"
    file.write_text("1", encoding="utf-8")
    async with watched(file) as state:
        file.write_text("22", encoding="utf-8")
        await state.until({str(file): "22"})


async def test_a_change_between_reading_and_watching_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("1", encoding="utf-8")
    known = dict(read([str(file)]))
    file.write_text("2", encoding="utf-8")
    async with aclosing(watch([str(file)], known)) as changes:
        await Watched(changes, known).until({str(file): "2"})


async def test_closing_while_waiting_ends_the_watch(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("1", encoding="utf-8")
    changes = watch([str(tmp_path)], read([str(tmp_path)]))
    waiting = asyncio.ensure_future(anext(changes))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(asyncio.all_tasks()) == 1


def test_a_file_that_was_just_truncated_is_read_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mesh.yaml"
    file.write_text("")

    def the_editor_goes_on(_seconds: float) -> None:
        file.write_text("b: 2\n")
        os.utime(file, (0, 0))

    monkeypatch.setattr("pointsman.sources.files.time.sleep", the_editor_goes_on)
    scanner = Scanner([str(tmp_path)], {str(file): "a: 1\n"})
    assert scanner.changes() == {str(file): "b: 2\n"}
