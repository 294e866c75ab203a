"""Splits are in force when the proxies of all control planes have them."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from pointsman.app.rollout_acks import Acknowledgements, OwnProxies
from pointsman.graph.rollout_target import Hold
from pointsman.resources.key import Key
from pointsman.rollout.split import Split
from pointsman.rollout.store import MemoryStore
from tests.support.upstream import until

CART, OTHER = Key("Rollout", "shop", "cart"), Key("Rollout", "shop", "other")


class Others(MemoryStore):
    """A store in which others have said something."""

    def __init__(self, *said: Mapping[Key, str | None]) -> None:
        super().__init__()
        self.said = list(said)
        self.kept: list[Mapping[Key, str | None]] = []

    async def acknowledged(self, _me: str) -> Sequence[Mapping[Key, str | None]]:
        return self.said

    async def acknowledge(self, _me: str, splits: Mapping[Key, str | None]) -> None:
        self.kept.append(splits)


@pytest.mark.parametrize(
    ("said", "has"),
    [
        ([], True),
        ([{CART: "10"}, {CART: "10"}], True),
        ([{CART: "10"}, {CART: "0"}], False),
        ([{CART: None}], False),
        ([{OTHER: "0"}, {}], True),
    ],
    ids=["nobody", "all", "one is late", "not answered", "of something else"],
)
async def test_all_others_have_a_split(
    said: list[Mapping[Key, str | None]], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.app.rollout_acks.LONGEST_S", 0.0)
    assert (
        await Acknowledgements(lambda: Others(*said), "a").elsewhere(CART, "10", patient=True)
        is has
    )


async def test_others_are_waited_for() -> None:
    store = Others({CART: "0"})
    asking = asyncio.create_task(
        Acknowledgements(lambda: store, "a").elsewhere(CART, "10", patient=True)
    )
    await asyncio.sleep(0)
    store.said = [{CART: "10"}]
    async with asyncio.timeout(5):
        assert await asking


async def test_before_a_look_nobody_is_waited_for() -> None:
    acks = Acknowledgements(lambda: Others({CART: "0"}), "a")
    assert not acks.others
    async with asyncio.timeout(1):
        assert not await acks.elsewhere(CART, "10", patient=False)
    assert acks.others


HOLD = Hold(CART, "", CART, OTHER)


async def test_what_all_proxies_had_once_they_have() -> None:
    asked = []

    async def has_all(hold: Hold) -> bool:
        asked.append(hold)
        return len(asked) > 1

    own = OwnProxies(has_all)
    for split in (Split(10), Split(20)):
        asked.clear()
        await until(lambda split=split: own.have(CART, HOLD, split))  # type: ignore[misc]
        assert own.have(CART, HOLD, split)
        assert len(asked) == 2, "once they had not"
    # There was another one meanwhile, so nobody knows who has gone back already.
    own.forget([CART])
    assert not own.have(CART, HOLD, Split(20))
    await own.close()


async def test_what_cannot_be_asked_is_asked_again() -> None:
    asked = []

    async def has_all(hold: Hold) -> bool:
        asked.append(hold)
        if len(asked) < 3:
            raise RuntimeError("a fault")
        return True

    own = OwnProxies(has_all)
    await until(lambda: own.have(CART, HOLD, Split(10)))
    await own.close()


async def test_the_same_is_not_said_all_the_time() -> None:
    store = Others()
    acks = Acknowledgements(lambda: store, "a")
    await acks.leave()
    assert store.kept == [], "who has said nothing need not take it back"
    for splits in ({CART: "10"}, {CART: "10"}, {CART: "20"}):
        await acks.say(splits)
    await acks.leave()
    assert store.kept == [{CART: "10"}, {CART: "20"}, {}]
