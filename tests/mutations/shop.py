"""A shop: manifests that are damaged over and over, and what is made of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pointsman.control.compile import Compiled, Compiler, Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.redirected import EGRESS_PORT
from pointsman.envoy.sealed import Sealed
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.store import Store
from pointsman.xds.snapshot import Snapshot
from tests.mutations.apart import apart
from tests.support.problems import problem_line
from tests.support.up import free_port

WIDE = (Path(__file__).parent / "wide.yaml").read_text(encoding="utf-8")

Asked = tuple[tuple[str, int], str]
"""An address, and the host to ask it for."""


class Ports:
    """A free local port for every port, the same for all shops."""

    def __init__(self) -> None:
        self._moved: dict[int, int] = {}

    def local(self, port: int) -> int:
        while port not in self._moved:
            free = free_port()
            if free not in self._moved.values():  # among a hundred, one comes twice now and then
                self._moved[port] = free
        return self._moved[port]

    def of(self, ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
        return tuple((port, self.local(port)) for port in ports)


class Shop:
    """Manifests and everything a control plane has for them.

    Its gateways share 127.0.0.1 with those of all shops, and have ports of their own. Each of its
    sidecars has two addresses of its own: one for callers, one for its application.
    """

    def __init__(self, number: int, ports: Ports, backend: Address) -> None:
        self.number = number
        self.text = WIDE.replace("zz", f"s{number}").replace("1800", str(1800 + number))
        self.is_damaged = False
        self._ports = ports
        self._backend = backend
        self._store = Store()
        self._compiler = Compiler(self._arrange)
        self._places: dict[Key, int] = {}
        node = Key("VirtualNode", f"s{number}", "dns")
        self._given = GivenEndpoints(by_node={(node, 8080): backend})

    def _arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        for proxy in proxies:
            log = proxy.access_log and replace(proxy.access_log, path="/dev/null")  # no litter
            if isinstance(proxy, Gateway):
                moved = self._ports.of(item.port for item in proxy.listeners)
                node_class = NodeClass(proxy.key, "delta", "127.0.0.1", moved)
                yield replace(proxy, access_log=log), (node_class,)
            else:
                yield replace(proxy, access_log=log), self._sidecar(proxy)

    def _sidecar(self, sidecar: Sidecar) -> tuple[NodeClass, NodeClass]:
        """One that applications dial, and one that connections are redirected to."""
        key = sidecar.key
        dialled = NodeClass(
            key,
            "delta",
            self._address(key, 0),
            self._ports.of(item.port for item in sidecar.ingress),
            self._address(key, 1),
            self._ports.of((*(item.port for item in sidecar.egress), EGRESS_PORT)),
            tuple((item.port, self._backend) for item in sidecar.ingress),
        )
        return dialled, NodeClass(key, "static")

    def _address(self, key: Key, way: int) -> str:
        # A place is never given to another node: Envoy may still have the old one's sockets.
        place = 2 * self._places.setdefault(key, len(self._places)) + way
        return f"127.{64 + self.number}.{place // 250}.{1 + place % 250}"

    def read(self, text: str) -> tuple[Compiled, tuple[Problem, ...]]:
        """Compiles a text; gives all that is said about it, too."""
        self.is_damaged = text != self.text
        self._store.replace("shop.yaml", text)
        compiled = self._compiler.compile(self._store.resources(), self._given)
        problems = (*self._store.problems(), *compiled.problems)
        for problem in problems:
            assert problem_line(self._store.locate(problem))
        return compiled, problems

    def asked(self) -> tuple[Asked, ...]:
        """What has to answer: a gateway, a node's sidecar, and a service called by another."""
        home = f"s{self.number}"
        dns, app = Key("VirtualNode", home, "dns"), Key("VirtualNode", home, "app")
        local = self._ports.local
        return (
            (("127.0.0.1", local(18000 + 10 * self.number)), "a"),
            ((self._address(dns, 0), local(8080)), "a"),
            ((self._address(app, 1), local(8080)), f"cart.{home}.svc.cluster.local"),
            ((self._address(app, 1), local(EGRESS_PORT)), f"cart.{home}.svc.cluster.local"),
        )


def gateways(shops: Iterable[Compiled]) -> Snapshot:
    """What the gateways of all shops have; of two resources with one name the first stays."""
    return _merged(
        sealed
        for compiled in shops
        for node_class, snapshot in compiled.snapshots.items()
        if node_class.owner.kind == "VirtualGateway"
        for sealed in _all(snapshot)
    )


def sidecars(shops: Iterable[Compiled]) -> Snapshot:
    """The same of their sidecars, as applications dial them."""
    return _merged(
        apart(sealed, node_class.owner.path)
        for compiled in shops
        for node_class, snapshot in compiled.snapshots.items()
        if node_class.owner.kind == "VirtualNode" and node_class.wire != "static"
        for sealed in _all(snapshot)
    )


def redirected(shops: Iterable[Compiled], known: Mapping[NodeClass, Snapshot]) -> Snapshot:
    """The same of sidecars to whom connections are redirected, without those that are known."""
    return _merged(
        apart(sealed, node_class.owner.path)
        for compiled in shops
        for node_class, snapshot in compiled.snapshots.items()
        if node_class.wire == "static" and known.get(node_class) != snapshot
        for sealed in _all(snapshot)
    )


def _all(snapshot: Snapshot) -> Iterator[Sealed]:
    for items in snapshot.resources.values():
        yield from items.values()


def _merged(items: Iterable[Sealed]) -> Snapshot:
    resources: dict[str, dict[str, Sealed]] = {}
    for sealed in items:
        resources.setdefault(sealed.type_url, {}).setdefault(sealed.name, sealed)
    return Snapshot(resources)
