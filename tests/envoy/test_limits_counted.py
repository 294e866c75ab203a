"""Which requests a limit counts, and as how many, by traffic."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.limits import SCENE, ask, limits, rate, statuses
from tests.support.scenes import serving
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


@pytest.mark.parametrize(
    ("match", "method", "target", "headers", "counted"),
    [
        ({"methods": ["POST", "PUT"]}, "POST", "/", (), True),
        ({"methods": ["POST", "PUT"]}, "GET", "/", (), False),
        ({"paths": [{"exact": "/a"}]}, "GET", "/a?x=1", (), True),
        ({"paths": [{"exact": "/a"}]}, "GET", "/ab", (), False),
        ({"paths": [{"prefix": "/b"}, {"exact": "/a"}]}, "GET", "/b/c", (), True),
        ({"paths": [{"regex": "/[0-9]+"}]}, "GET", "/12?a", (), True),
        ({"paths": [{"regex": "/[0-9]+"}]}, "GET", "/12/a", (), False),
        ({"headers": [{"name": "x-a"}]}, "GET", "/", (("x-a", ""),), True),
        ({"headers": [{"name": "x-a"}]}, "GET", "/", (), False),
        ({"headers": [{"name": "x-a", "invert": True}]}, "GET", "/", (), True),
        (
            {"headers": [{"name": "x-a", "match": {"prefix": "b"}, "invert": True}]},
            "GET",
            "/",
            (("x-a", "c"),),
            True,
        ),
        (
            {"headers": [{"name": "x-a", "match": {"prefix": "b"}, "invert": True}]},
            "GET",
            "/",
            (),
            False,
        ),
        (
            {"methods": ["GET"], "headers": [{"name": "x-a", "match": {"exact": "b"}}]},
            "GET",
            "/",
            (("x-a", "b"),),
            True,
        ),
    ],
)
async def test_only_what_matches_is_counted(
    backend: Upstream,
    match: dict[str, Any],
    method: str,
    target: str,
    headers: tuple[tuple[str, str], ...],
    counted: bool,
) -> None:
    guard = limits({"rate": rate(1), "match": match})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        got = await statuses(envoy, 2, *headers, target=target, method=method)
    assert got == ({200: 1, 429: 1} if counted else {200: 2})


async def test_requests_cost_what_the_limit_says(backend: Upstream) -> None:
    guard = limits({"rate": rate(10), "cost": {"requests": 4}})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        assert await statuses(envoy, 3) == {200: 2, 429: 1}
        assert (await ask(envoy)).header("retry-after") == str(4 * 360)


@pytest.mark.parametrize(
    ("costs", "passed"),
    [
        (["6", "4", "1"], [200, 200, 429]),
        ([""] * 10 + ["1"], [200] * 10 + [429]),
        (["0"] * 10 + ["0"], [200] * 10 + [429]),
        (["-5", "x", "1e9", "8", "7"], [200, 200, 200, 429, 200]),
        (["99999999999"] * 11, [200] * 10 + [429]),
    ],
)
async def test_a_header_says_the_cost_and_nothing_is_free(
    backend: Upstream, costs: list[str], passed: list[int]
) -> None:
    guard = limits({"rate": rate(10), "cost": {"header": "x-cost"}})
    async with serving(*SCENE, guard, books=backend.port) as envoy:
        got = [(await ask(envoy, "/", ("x-cost", cost))).status for cost in costs]
    assert got == passed
