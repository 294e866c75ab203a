"""Two control planes behind one address: either may go at any time."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.serve import Shop, events, proxying, serving, wait_ready
from tests.support.traffic import goes_on, traffic
from tests.support.up import Up, free_port, until
from tests.up import manifests

pytestmark = pytest.mark.envoy

ROLLOUT = manifests.rollout(
    *("web", "web", "next"),
    {"canary": {"steps": [{"weight": 50}]}},
    {"interval": {"unit": "s", "value": 5}},
)


class Balancer:
    """Gives each connection to the next of the servers that takes it."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self.port = 0

    async def run(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            self._ports.append(self._ports.pop(0))
            try:
                there = await asyncio.open_connection("127.0.0.1", self._ports[-1])
            except OSError:
                continue
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
            return
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextmanager
def balanced(*ports: int) -> Iterator[str]:
    """One address for several servers."""
    balancer, ready = Balancer(list(ports)), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(balancer.run(ready, stop))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"127.0.0.1:{balancer.port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def acks(run: Up) -> list[int]:
    """Answers that each connected proxy has accepted since it connected; 0 while it waits."""
    return [proxy.acks for proxy in run.status().proxies]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_control_plane_that_goes_costs_no_request_and_nothing_is_sent_again(
    shop: Shop, number: signal.Signals
) -> None:
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    ports = [int(address.rpartition(":")[2]) for address in addresses]
    with (
        serving(shop, addresses[0], "--grace=1") as first,
        serving(shop, addresses[1], "--grace=1") as second,
        balanced(*ports) as xds,
        proxying(xds) as one,
    ):
        wait_ready(one)  # and so connected to one of them; the other one is next
        with proxying_elsewhere(shop, xds) as two:
            wait_ready(two)
            goes_away(shop, first, second, number)


def goes_away(shop: Shop, first: Up, second: Up, number: signal.Signals) -> None:
    """The first one goes while there is traffic."""
    assert sorted(map(len, (acks(first), acks(second)))) == [1, 1]
    with traffic(shop.port, "/web") as seen:
        goes_on(seen)
        first.send(number)
        assert first.wait() == (0 if number is signal.SIGTERM else -number)
        until(lambda: len(second.status().proxies) == 2, 20)
        until(lambda: [p.state for p in second.status().proxies] == ["synced"] * 2)
        # The one that moved brought its versions: it has been sent nothing.
        assert sorted(acks(second))[0] == 0
        shop.write("cart.yaml", *manifests.shop("cart"))
        until(lambda: shop.answers("/cart"), what="/cart")
        goes_on(seen)
    assert set(seen) == {"200 served"}
    assert len(events(second, "proxy connected")) == 2


@contextmanager
def proxying_elsewhere(shop: Shop, xds: str) -> Iterator[Up]:
    """A second gateway's proxy, so that both control planes have one."""
    port = free_port()
    shop.write("back.yaml", manifests.gateway("back", port))
    with proxying(xds, node="mesh/shop/virtualGateway/back_shop") as run:
        yield run


def test_a_rollout_is_judged_by_proxies_of_the_other_control_plane(
    shop: Shop, folder: Path
) -> None:
    """The one that carries it out has no proxies; those of the other find the candidate dead."""
    shop.write("web.yaml", manifests.route("web"), *manifests.routed("web", web=100, next=0))
    shop.write("nodes.yaml", manifests.node("web"), manifests.node("next"), ROLLOUT)
    keeps = (f"--state={folder}/state.db", f"--master-key={folder}/master.key")
    dead = f"--resolve=next.shop.svc.cluster.local:8080=127.0.0.1:{free_port()}"
    one, two = f"unix:{folder}/one.sock", f"unix:{folder}/two.sock"
    with serving(shop, one, dead, *keeps) as first:
        until(lambda: [item.phase for item in first.rollouts()] == ["Progressing"], 20)
        with serving(shop, two, dead, *keeps) as second, proxying(two) as proxy:
            wait_ready(proxy)
            with traffic(shop.port, "/web") as seen:
                until(lambda: [item.phase for item in first.rollouts()] == ["Failed"], 60)
            assert {"PM008", "PM009"} <= {problem.code for problem in second.status().problems}
        assert not first.status().proxies
    assert {"200 served"} < seen.keys()
