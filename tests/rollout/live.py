"""A real `up` in this process, with real Envoys, load, and counts taken where answers arrive."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from pointsman.api.client import Client
from pointsman.api.instances import find_instance
from pointsman.app.access import StateOptions
from pointsman.app.instance import Instance
from pointsman.app.options import Move, UpOptions
from pointsman.echo.behaviour import EchoBehaviour
from pointsman.rollout.measures import Sample, Subject
from pointsman.rollout.view import RolloutView
from pointsman.settings import Settings
from tests.up import manifests

GATEWAY_PORT = 8088


class AnyView:
    """Takes all news and tells nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args: None


@dataclass
class Requests:
    """Sends requests one after the other, and is the measure of the test.

    Attributes:
        answers: (moment, virtual node, status) of each; "" for answers of the proxy itself.
        headers: sent along.
    """

    answers: list[tuple[float, str, int]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    late_s: float = 0.0

    def measure(self, subject: Subject, since: float, until: float) -> Sample | None:
        mine = [
            status
            for at, node, status in self.answers
            if since < at <= until and node == subject.version.name
        ]
        return Sample(len(mine), sum(status >= 500 for status in mine))

    @asynccontextmanager
    async def flowing(self, address: str, clients: int = 4) -> AsyncIterator[None]:
        async def flow() -> None:
            async with httpx2.AsyncClient(timeout=10) as client:
                while True:
                    answer = await client.get(f"http://{address}/cart", headers=self.headers)
                    node = answer.headers.get("x-pointsman-virtual-node", "")
                    self.answers.append((time.time(), node, answer.status_code))
                    await asyncio.sleep(0)

        tasks = [asyncio.create_task(flow()) for _ in range(clients)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def nodes(self, since: float = 0.0) -> Counter[str]:
        return Counter(node for at, node, _ in self.answers if at > since)


@dataclass
class Live:
    """A running instance."""

    runtime: Path
    address: str

    def ask(self, what: str, *args: Any) -> Any:
        with Client(find_instance(self.runtime), timeout_s=30) as client:
            return getattr(client, what)(*args)

    async def rollout(self) -> RolloutView:
        (found,) = await asyncio.to_thread(self.ask, "rollouts")
        assert isinstance(found, RolloutView)
        return found

    async def tell(self, command: str, weight: int | None = None) -> None:
        path = ("Rollout", manifests.NAMESPACE, "cart")
        await asyncio.to_thread(self.ask, "tell_rollout", path, command, weight)

    async def events(self) -> list[dict[str, Any]]:
        path = ("Rollout", manifests.NAMESPACE, "cart")
        found = await asyncio.to_thread(self.ask, "rollout_events", path, 100)
        return list(reversed(found))

    async def when(
        self, condition: Callable[[RolloutView], bool], seconds: float = 40.0
    ) -> RolloutView:
        limit = time.monotonic() + seconds
        while True:
            found = await self.rollout()
            if condition(found):
                return found
            assert time.monotonic() < limit, found
            await asyncio.sleep(0.1)

    async def until(self, phase: str) -> RolloutView:
        return await self.when(lambda found: found.phase == phase)


def shop(strategy: dict[str, Any], analysis: dict[str, Any], **more: Any) -> str:
    """A cart in two versions, and a rollout of the second one."""
    service, router, *_ = manifests.routed("cart", v1=100, v2=0)
    http = router["spec"]["routes"][0]["httpRoute"]
    http["retryPolicy"] = {
        "maxRetries": 0,
        "perRetryTimeout": {"unit": "s", "value": 5},
        "httpRetryEvents": ["gateway-error"],
    }
    rollout = manifests.rollout("cart", "v1", "v2", strategy, analysis, **more)
    return manifests.text(
        manifests.mesh(),
        manifests.gateway("front", GATEWAY_PORT),
        manifests.route("cart"),
        service,
        router,
        manifests.node("v1"),
        manifests.node("v2"),
        rollout,
    )


@asynccontextmanager
async def live(
    folder: Path, requests: Requests | None, failing: float = 0.0
) -> AsyncIterator[Live]:
    """Runs `mesh.yaml` of a folder, with its state there, and with v2 failing so many percent.

    Without `requests` it goes by what its proxies report.
    """
    runtime = folder / "run"
    options = UpOptions(
        (str(folder / "mesh.yaml"),),
        echo=True,
        behaviours={"v2": EchoBehaviour(status=500, fail_percent=failing)} if failing else {},
        state=StateOptions(f"sqlite:///{folder}/state.db", folder / "master.key"),
        moves=(Move(None, GATEWAY_PORT, 0),),
        concurrency=1,
        drain_s=0.1,
    )
    instance = Instance(
        options,
        Settings(None, no_color=True, runtime_folder=runtime, state_folder=folder),
        AnyView(),
        requests,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(instance.run(stop))
    try:
        while not instance.serves:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.05)
        made = Live(runtime, "")
        status = await asyncio.to_thread(made.ask, "status")
        made.address = status.proxies[0].addresses[0]
        yield made
    finally:
        stop.set()
        await task
