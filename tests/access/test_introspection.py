"""Opaque tokens: what is asked, what is kept, and what happens when nobody answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.access.introspection import AWAY, INACTIVE, NEGATIVE_S, STALE_S, Introspector
from pointsman.graph.model.methods import OpaqueMethod
from tests.support.upstream import Seen, Upstream, upstream


@dataclass(slots=True)
class Clock:
    """Time that passes when a test says so."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Scene:
    """An introspector in front of an endpoint."""

    clock: Clock
    introspector: Introspector
    method: OpaqueMethod
    endpoint: Upstream

    def says(self, **claims: Any) -> None:
        self.endpoint.body = json.dumps(claims).encode()

    async def active(self, token: str = "t", **changes: Any) -> bool | None:
        method = replace(self.method, **changes)
        return (await self.introspector.ask(method, token)).active


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    (tmp_path / "secret").write_text("s:e c\n")
    async with upstream() as endpoint:
        method = OpaqueMethod(
            name="shop/access/0",
            headers=("authorization",),
            keep=False,
            url=f"http://127.0.0.1:{endpoint.port}/introspect",
            client_id="gate way",
            client_secret=str(tmp_path / "secret"),
            issuer="issuer",
            ca_file=None,
            timeout_ms=5_000,
            cache_ms=10_000,
            stale=False,
        )
        clock = Clock()
        introspector = Introspector(clock, clock, most=3)
        yield Scene(clock, introspector, method, endpoint)
        await introspector.close()


async def test_the_endpoint_is_asked_as_the_rfc_says(scene: Scene) -> None:
    scene.says(active=True, sub="ann")
    assert await scene.active("to&ken")
    (seen,) = scene.endpoint.seen
    assert (seen.method, seen.target) == ("POST", "/introspect")
    assert seen.headers["authorization"] == "Basic Z2F0ZSUyMHdheTpzJTNBZSUyMGM="
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_an_answer_is_good_for_its_time_and_never_beyond_the_tokens_end(
    scene: Scene,
) -> None:
    scene.says(active=True, exp=scene.clock.seconds + 25)
    assert await scene.active()
    scene.says(active=False)
    scene.clock.seconds += 9.9
    assert await scene.active()
    scene.clock.seconds += 0.2
    assert not await scene.active()
    scene.says(active=True, exp=scene.clock.seconds + 3)
    scene.clock.seconds += NEGATIVE_S - 0.1
    assert not await scene.active()
    scene.clock.seconds += 0.2
    assert await scene.active()
    scene.says(active=False)
    scene.clock.seconds += 1.0
    assert not await scene.active()
    assert len(scene.endpoint.seen) == 4


@pytest.mark.parametrize(
    "claims",
    [
        {"active": "true"},
        {"active": 1},
        {},
        {"active": True, "exp": 1},
        {"active": True, "nbf": 1_900_000_000},
        {"active": True, "aud": "films"},
        {"active": True, "aud": ["films", "games"]},
        {"active": True},
    ],
)
async def test_what_is_not_clearly_good_is_not(scene: Scene, claims: dict[str, Any]) -> None:
    scene.says(**claims)
    assert await scene.active(audiences=("books",)) is False


async def test_one_of_the_audiences_is_enough(scene: Scene) -> None:
    scene.says(active=True, aud=["films", "books"])
    assert await scene.active(audiences=("books", "x"))


async def test_an_endpoint_that_fails_lets_nobody_in(scene: Scene) -> None:
    method = scene.method
    for body in (b"no json", b"[1]", b"x" * 100_000):
        scene.endpoint.body = body
        assert await scene.introspector.ask(method, "t") is AWAY

    async def broken(_: Seen) -> int:
        return 500

    scene.says(active=True)
    scene.endpoint.reply = broken
    assert await scene.introspector.ask(method, "t") is AWAY
    missing = replace(method, client_secret="/nowhere/secret")
    assert await scene.introspector.ask(missing, "t") is AWAY


async def test_an_endpoint_that_does_not_answer_is_away(scene: Scene) -> None:
    silent = asyncio.Event()

    async def never(_: Seen) -> int:
        await silent.wait()
        return 200

    scene.endpoint.reply = never
    assert await scene.active(timeout_ms=20) is None


async def test_answers_may_count_for_a_while_when_the_policy_says_so(scene: Scene) -> None:
    strict, lax = scene.method, replace(scene.method, stale=True, name="lax")
    scene.says(active=True)
    for method in (strict, lax):
        assert (await scene.introspector.ask(method, "t")).active
    scene.endpoint.body = b"out of order"
    scene.clock.seconds += 60
    assert await scene.introspector.ask(strict, "t") is AWAY
    assert (await scene.introspector.ask(lax, "t")).active
    assert await scene.introspector.ask(lax, "another") is AWAY
    scene.clock.seconds += STALE_S
    assert await scene.introspector.ask(lax, "t") is AWAY


async def test_a_refusal_never_counts_for_longer(scene: Scene) -> None:
    scene.says(active=False)
    assert await scene.active(stale=True) is False
    scene.endpoint.body = b"out of order"
    scene.clock.seconds += NEGATIVE_S + 1
    assert await scene.active(stale=True) is None


async def test_many_requests_with_one_token_ask_once(scene: Scene) -> None:
    scene.says(active=True)
    found = await asyncio.gather(*(scene.active() for _ in range(20)))
    assert found == [True] * 20
    assert len(scene.endpoint.seen) == 1


async def test_no_more_answers_are_kept_than_there_is_room_for(scene: Scene) -> None:
    scene.says(active=True)
    for token in ("a", "b", "c", "a", "d", "a", "b"):
        assert await scene.active(token)
    # `b` made room for `d`, while `a` was used in between.
    assert len(scene.endpoint.seen) == 5


async def test_a_method_that_changed_is_asked_anew(scene: Scene) -> None:
    scene.says(active=True)
    assert await scene.active()
    scene.says(active=False)
    assert await scene.introspector.ask(replace(scene.method, audiences=("x",)), "t") == INACTIVE
