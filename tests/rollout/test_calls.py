"""Webhooks, a Prometheus and alerts, against a server of the test."""

import json

import pytest

from pointsman.app.rollout_calls import ask_hooks, query_values, tell
from pointsman.resources.key import Key
from pointsman.rollout.plan import Alert, Hook, Manner, Plan, Query, Stage, Webhook
from pointsman.rollout.state import Event, Level, Phase, State
from tests.support.upstream import Seen, upstream

CART = Key("Rollout", "shop", "cart")


def plan(*hooks: Webhook, alerts: tuple[Alert, ...] = ()) -> Plan:
    return Plan(Manner.POINTSMAN, (Stage(10),), webhooks=hooks, alerts=alerts)


def hook(port: int, kind: Hook = Hook.ROLLOUT, path: str = "/", retries: int = 0) -> Webhook:
    return Webhook(kind, "gate", f"http://127.0.0.1:{port}{path}", 5.0, retries)


@pytest.mark.parametrize(
    ("status", "approves"), [(200, True), (202, True), (204, False), (403, False), (500, False)]
)
async def test_a_status_up_to_202_approves(status: int, approves: bool) -> None:
    async with upstream(status) as server:
        asked = plan(hook(server.port))
        assert await ask_hooks(asked, Hook.ROLLOUT, CART, State(), "1") is approves
        assert server.seen[0].method == "POST"


@pytest.mark.parametrize("kind", [Hook.ROLLOUT, Hook.ROLLBACK])
async def test_all_have_to_approve_but_one_can_roll_back(kind: Hook) -> None:
    async def reply(seen: Seen) -> int:
        return 200 if seen.target == "/yes" else 403

    async with upstream(reply) as server:
        both = plan(hook(server.port, kind, "/no"), hook(server.port, kind, "/yes"))
        answer = await ask_hooks(both, kind, CART, State(), "1")
    assert answer is (kind is Hook.ROLLBACK)


async def test_nobody_there_does_not_approve() -> None:
    async with upstream() as server:
        gone = plan(hook(server.port, retries=1))
    assert not await ask_hooks(gone, Hook.ROLLOUT, CART, State(), "1")


@pytest.mark.parametrize(
    ("kind", "result", "value"),
    [
        ("vector", [{"metric": {}, "value": [1, "0.25"]}], 0.25),
        ("scalar", [1, "3"], 3.0),
        ("vector", [], None),
        ("vector", [{"value": [1, "1"]}, {"value": [1, "2"]}], None),
        ("vector", [{"metric": {}, "value": [1, "NaN"]}], None),
        ("matrix", [{"values": [[1, "1"]]}], None),
    ],
)
async def test_a_query_has_one_value_or_none(
    kind: str, result: list[object], value: float | None
) -> None:
    async with upstream() as server:
        server.body = json.dumps({"data": {"resultType": kind, "result": result}}).encode()
        query = Query("errors", f"http://127.0.0.1:{server.port}/", "up > 0", None, 1.0)
        assert await query_values([query]) == {"errors": value}
        assert server.seen[0].target == "/api/v1/query?query=up+%3E+0"


@pytest.mark.parametrize(("level", "told"), [("info", 1), ("warn", 2), ("error", 3)])
async def test_alerts_are_told_from_their_level_on(level: Level, told: int) -> None:
    async with upstream() as server:
        url = f"http://127.0.0.1:{server.port}/"
        levels: tuple[Level, ...] = ("info", "warn", "error")
        alerts = tuple(Alert(url, "slack", item) for item in levels)
        await tell(plan(alerts=alerts), CART, Event(1.0, level, Phase.FAILED, 0, "rolled back"))
        assert len(server.seen) == told


async def test_the_end_is_told_to_those_who_want_it() -> None:
    async with upstream() as server:
        hooks = (hook(server.port, Hook.POST_ROLLOUT), hook(server.port, Hook.EVENT))
        end = Event(1.0, "info", Phase.SUCCEEDED, 100, "done", tells=Hook.POST_ROLLOUT)
        await tell(plan(*hooks), CART, end)
        await tell(plan(*hooks), CART, Event(2.0, "info", Phase.PROGRESSING, 10, "a step"))
        assert len(server.seen) == 3
