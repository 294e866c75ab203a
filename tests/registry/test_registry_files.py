"""Registry files that are edited, broken and removed while they are in use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from pointsman.errors import SourceError
from pointsman.registry.files import SOURCE, RegistryFiles
from pointsman.registry.registry import Registry
from tests.registry.instances import CART
from tests.support.wait import eventually


def text(*hosts: str) -> str:
    lines = "".join(f"    c{host}: {{address: 10.0.0.{host}}}\n" for host in hosts)
    return f"namespace: shop.local\nservices:\n  cart:\n{lines or '    {}'}\n"


def hosts(registry: Registry) -> list[str]:
    return [str(item.ipv4).rpartition(".")[2] for item in registry.instances(CART)]


@asynccontextmanager
async def followed(*paths: Path) -> AsyncIterator[tuple[Registry, RegistryFiles]]:
    registry = Registry([SOURCE])
    files = RegistryFiles(registry, [str(path) for path in paths])
    files.load()
    task = asyncio.create_task(files.run())
    try:
        yield registry, files
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_edits_are_followed_and_broken_ones_are_not(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(text("1"))
    async with followed(file) as (registry, files):
        assert hosts(registry) == ["1"]
        file.write_text(text("1", "2"))
        await eventually(lambda: hosts(registry) == ["1", "2"])
        file.write_text(text("1").replace("10.", "ten."))
        await eventually(files.problems)
        assert hosts(registry) == ["1", "2"]
        assert files.problems()[0].at == (4, 10)
        file.write_text(text())
        await eventually(lambda: hosts(registry) == [])
        assert files.problems() == ()
        assert registry.knows(CART)


async def test_a_file_that_is_gone_stays_in_force_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(text("1"))
    async with followed(file) as (registry, _):
        file.unlink()
        await eventually(lambda: registry.states()[0].failures)
        assert hosts(registry) == ["1"]
        assert "registry.yaml cannot be found" in registry.states()[0].failures[0].message
        file.write_text(text("2"))
        await eventually(lambda: hosts(registry) == ["2"])
        assert registry.states()[0].failures == ()


async def test_a_file_that_leaves_a_folder_takes_its_instances_along(tmp_path: Path) -> None:
    for host in ("1", "2"):
        (tmp_path / f"{host}.yaml").write_text(text(host))
    async with followed(tmp_path) as (registry, _):
        assert hosts(registry) == ["1", "2"]
        (tmp_path / "1.yaml").unlink()
        await eventually(lambda: hosts(registry) == ["2"])
        assert registry.states()[0].failures == ()


async def test_of_a_file_that_never_was_good_nothing_is_known(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text("services: @")
    async with followed(file) as (registry, files):
        assert not registry.knows(CART)
        assert files.problems()[0].at == (1, 11)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        RegistryFiles(Registry([SOURCE]), [str(tmp_path / "nowhere.yaml")]).load()
