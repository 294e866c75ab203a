"""What goes wrong in the background is told and begun anew; it never ends what serves."""

from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from pointsman.aio.endless import endless
from pointsman.app.discovery import REST, Discovery, DiscoveryOptions
from pointsman.envoy.node_class import NodeClass
from pointsman.registry.instance import Instance, ServiceName
from tests.serve.test_plane import CLOUD_SHOP, Watched, plane
from tests.support.serve import GATEWAY
from tests.support.wait import eventually
from tests.xds.test_xds_server import subscribe

CART = ServiceName("shop.local", "cart")


async def test_a_task_that_fails_is_told_of_and_begun_anew(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("a fault")

    await endless(run, "something", 0.0)
    assert len(runs) == 3
    said = capsys.readouterr().out
    assert said.count("RuntimeError: a fault") == 2
    assert "something" in said


async def test_registry_files_are_followed_after_a_fault(folder: Path) -> None:
    file = folder / "registry.yaml"

    def write(address: str) -> None:
        fresh = folder / ".new"
        services = f"{{cart: {{a: {{address: {address}}}}}}}"
        fresh.write_text(f"{{namespace: shop.local, services: {services}}}", "utf-8")
        fresh.rename(file)

    write("10.0.0.1")
    discovery = Discovery(DiscoveryOptions((str(file),)))
    faults = [RuntimeError("a fault")]

    def listen(changed: frozenset[ServiceName]) -> None:
        if changed and faults:
            raise faults.pop()

    async with discovery:
        discovery.registry.on_change(listen)
        write("10.0.0.2")
        await eventually(lambda: not faults)
        write("10.0.0.3")
        await eventually(lambda: _addresses(discovery) == ["10.0.0.3"])


def _addresses(discovery: Discovery) -> list[str | None]:
    return [item.ipv4 for item in discovery.registry.instances(CART)]


async def test_one_proxy_that_cannot_be_served_keeps_no_other_from_its_endpoints(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    discovery = Discovery(DiscoveryOptions((REST,)))
    async with (
        plane(Watched([0.0]), folder, files=CLOUD_SHOP, discovery=discovery) as made,
        aio.insecure_channel(f"unix:{folder}/xds.sock") as channel,
    ):
        zones: list[Any] = [{"zone": "a"}, {"zone": "b"}]
        calls = [await subscribe(channel, id=GATEWAY, locality=zone) for zone in zones]
        for call in calls:
            await call.read()
        served: list[str] = []
        serve = made._serve

        def failing(node_class: NodeClass) -> None:
            if node_class.zone == "a":
                raise RuntimeError("a fault")
            serve(node_class)
            served.append(node_class.zone)

        monkeypatch.setattr(made, "_serve", failing)
        service = ServiceName("shop.local", "web")
        instance = Instance(service, "i-1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
        with pytest.raises(RuntimeError):
            discovery.registry.put(REST, service, [instance])
        assert served == ["b"]
        for call in calls:
            call.cancel()
