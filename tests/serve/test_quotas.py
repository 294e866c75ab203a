"""Quotas that two control planes count together, in Redis or in a common database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.state.conftest import postgres_folder
from tests.support.postgres import fresh_database
from tests.support.redis import redis
from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.up import Up, ask, free_port, until

__all__ = ["postgres_folder"]

pytestmark = pytest.mark.envoy

MOST = 24
ADDRESSES = ("127.0.0.1", "127.0.0.2")
POLICY = {
    "apiVersion": "pointsman.dev/v1alpha1",
    "kind": "RateLimitPolicy",
    "metadata": {"name": "plans", "namespace": "shop"},
    "spec": {
        "targetRefs": [{"kind": "VirtualGateway", "name": "front"}],
        "limits": [
            {"name": "month", "strict": True, "quota": {"requests": MOST, "per": "month"}},
        ],
    },
}


@contextmanager
def counting(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Options of planes that count in one place."""
    key = f"--master-key={folder / 'master.key'}"
    if kind == "redis":
        with redis() as socket:
            yield [f"--quota-store=unix://{socket}", key]
    else:
        url = fresh_database(request.getfixturevalue("postgres_folder"))
        yield [f"--state={url}", key]


@pytest.mark.parametrize("kind", ["redis", "postgresql"])
def test_two_control_planes_admit_together_what_there_is(
    kind: str, shop: Shop, folder: Path, request: pytest.FixtureRequest
) -> None:
    shop.write("plans.yaml", POLICY)
    planes = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    with (
        counting(kind, folder, request) as options,
        serving(shop, planes[0], *options),
        # Both proxies are of one gateway, on one machine.
        serving(shop, planes[1], "--bind=127.0.0.2", *options),
        proxying(planes[0]) as one,
        proxying(planes[1]) as two,
    ):
        wait_ready(one, two)
        passed = 0

        def used_up() -> bool:
            nonlocal passed
            passed += sum(status(shop, at) == 200 for at in ADDRESSES for _ in range(3))
            assert passed <= MOST
            return passed == MOST

        until(used_up, 30, "all of it is admitted")
        assert [status(shop, at) for at in ADDRESSES for _ in range(3)] == [429] * 6


def status(shop: Shop, address: str) -> int:
    return ask(f"{address}:{shop.port}", "/web").status


def test_a_store_that_is_away_is_told_and_comes_back(shop: Shop, folder: Path) -> None:
    shop.write("plans.yaml", POLICY)
    store = folder / "redis.sock"
    with (
        serving(shop, f"127.0.0.1:{free_port()}", f"--quota-store=unix://{store}") as plane,
    ):
        until(lambda: "PM906" in codes(plane), 10)
        with redis() as socket:
            store.symlink_to(socket)
            until(lambda: "PM906" not in codes(plane), 10)


def codes(plane: Up) -> set[str]:
    return {problem.code for problem in plane.status().problems}
