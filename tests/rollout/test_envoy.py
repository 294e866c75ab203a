"""Rollouts for real: real Envoys, demo backends that fail at a known rate, real requests."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.rollout.live import Requests, live, shop
from tests.support.wait import eventually

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

CANARY = {"canary": {"steps": [{"weight": 20}, {"weight": 50}]}}


def write(folder: Path, text: str) -> None:
    (folder / "mesh.yaml").write_text(text)


async def test_a_good_candidate_is_promoted_and_stays_so_after_a_restart(tmp_path: Path) -> None:
    write(tmp_path, text := shop(CANARY, {}))
    requests = Requests()
    async with live(tmp_path, requests) as run, requests.flowing(run.address):
        assert (await run.until("Succeeded")).weight == 100
        texts = [event["text"] for event in await run.events()]
        assert texts[:2] == ["a new revision is rolled out", "the candidate gets 20 %"]
    assert {status for _, _, status in requests.answers} == {200}
    assert (tmp_path / "mesh.yaml").read_text() == text
    async with live(tmp_path, requests) as run:
        since = time.time()
        async with requests.flowing(run.address, 1):
            await asyncio.sleep(1.5)
        assert set(requests.nodes(since)) == {"v2"}
        assert (await run.rollout()).phase == "Succeeded"


async def test_a_bad_candidate_is_rolled_back_and_the_harm_is_told(tmp_path: Path) -> None:
    write(tmp_path, shop({"canary": {"stepWeight": 20}}, {}))
    requests = Requests()
    async with live(tmp_path, requests, failing=30) as run, requests.flowing(run.address):
        found = await run.when(lambda found: found.phase == "Failed" and not found.moving)
        since = time.time()
        await asyncio.sleep(1)
        assert set(requests.nodes(since)) == {"v1"}
        events = await run.events()
    failed = sum(status >= 500 for _, _, status in requests.answers)
    assert found.harmed == failed
    assert events[-1]["text"].endswith(f"{failed} requests failed at the candidate")
    (verdict,) = [event for event in events if event["phase"] == "Failed" and event["detail"]]
    assert verdict["detail"]["verdict"]["outcome"] == "fail"
    looks = [interval for interval in verdict["detail"]["intervals"] if interval["stage"] >= 0]
    assert len(looks) <= 3


@pytest.mark.parametrize(("failing", "phase"), [(0, "Succeeded"), (30, "Failed")])
async def test_what_proxies_report_decides_where_nobody_else_counts(
    tmp_path: Path, failing: float, phase: str
) -> None:
    every = {"interval": {"unit": "s", "value": 5}}
    write(tmp_path, shop({"canary": {"steps": [{"weight": 20}]}}, every))
    requests = Requests()
    async with live(tmp_path, None, failing) as run, requests.flowing(run.address, 1):
        found = await run.when(lambda found: found.phase == phase and not found.moving, 60)
        events = await run.events()
    failed = sum(status >= 500 for _, _, status in requests.answers)
    assert bool(failed) == (phase == "Failed")
    assert found.harmed == failed, events


async def test_a_starved_candidate_is_held(tmp_path: Path) -> None:
    write(tmp_path, shop(CANARY, {}))
    async with live(tmp_path, Requests()) as run:
        found = await run.when(lambda found: "inconclusive" in found.waits)
        assert (found.phase, found.weight, found.failures) == ("Progressing", 20, 0)
        status = await asyncio.to_thread(run.ask, "status")
        (problem,) = [p for p in status.problems if p.code == "PM008"]
        assert "Rollout shop/cart holds the weights" in problem.message


async def test_a_restart_on_the_way_goes_on_from_there(tmp_path: Path) -> None:
    write(tmp_path, shop(CANARY, {}))
    requests = Requests()
    async with live(tmp_path, requests) as run:
        await run.when(lambda found: found.weight == 20)
        await run.tell("pause")
    async with live(tmp_path, requests) as run, requests.flowing(run.address):
        found = await run.rollout()
        assert (found.phase, found.weight, found.paused) == ("Progressing", 20, True)
        await run.tell("resume")
        await run.until("Succeeded")


async def test_headers_pick_the_requests_of_a_test(tmp_path: Path) -> None:
    headers = [{"name": "x-group", "match": {"exact": "b"}}]
    write(tmp_path, shop({"abTest": {"headers": headers, "checks": 100}}, {}))
    requests, others = Requests(headers={"x-group": "b"}), Requests()
    async with live(tmp_path, requests) as run:
        await run.when(lambda found: found.routed)
        async with requests.flowing(run.address, 1), others.flowing(run.address, 1):
            await eventually(lambda: "v2" in requests.nodes())
            since = time.time()
            await asyncio.sleep(1)
        assert set(requests.nodes(since)) == {"v2"}
        assert set(others.nodes()) == {"v1"}


async def test_copies_go_to_the_candidate_and_answers_come_from_the_stable_version(
    tmp_path: Path,
) -> None:
    write(tmp_path, shop({"blueGreen": {"mirror": 50, "checks": 100}}, {}))
    requests = Requests()
    async with live(tmp_path, requests, failing=100) as run:
        await run.when(lambda found: found.mirror == 50)
        async with requests.flowing(run.address, 1):
            await asyncio.sleep(1)
        status = await asyncio.to_thread(run.ask, "status")
    assert {(node, code) for _, node, code in requests.answers} == {("v1", 200)}
    assert sum(proxy.nacks for proxy in status.proxies) == 0
    assert [p for p in status.problems if p.severity != "note"] == []


@pytest.mark.timeout(300)
async def test_a_hundred_switches_under_load_lose_no_request(tmp_path: Path) -> None:
    write(tmp_path, shop({"canary": {"steps": [{"weight": 50, "pause": True}]}}, {}))
    requests = Requests()
    async with live(tmp_path, requests) as run, requests.flowing(run.address):
        await run.until("Progressing")
        for number in range(100):
            await run.tell("set-weight", 100 * (number % 2 == 0))
        await run.tell("abort")
    assert {status for _, _, status in requests.answers} == {200}
    assert set(requests.nodes()) == {"v1", "v2"}
