"""The mesh side of `up --mesh`: a proxy beside the application of every virtual node.

Here is decided which nodes have one, on which addresses, and where their applications are. What
the manifests mean, and running what is decided, is up to others.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pointsman.app.backends import Backends, is_local
from pointsman.app.loopback import Loopback
from pointsman.app.options import UpOptions
from pointsman.app.own import OwnApplication
from pointsman.app.ports import free_port
from pointsman.app.programs import Program
from pointsman.control.compile import Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.redirected import EGRESS_PORT
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.links.discovery import discovery_name
from pointsman.graph.model.cluster import Address, is_ip
from pointsman.graph.model.sidecar import Sidecar
from pointsman.resources.codes import envoy as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import NodeListener, VirtualNodeSpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a virtual node is on this machine.

    Attributes:
        ingress: address others reach it at.
        egress: address its application reaches others at.
        applications: port of a listener -> where the application listens for it.
    """

    ingress: str
    egress: str
    applications: Mapping[int, Address]


class Sidecars:
    """Arranges the proxies of virtual nodes.

    Use `close` at the end.

    Args:
        options: what was asked.
        backends: opens demo backends.
    """

    def __init__(self, options: UpOptions, backends: Backends) -> None:
        self._options = options
        self._backends = backends
        self._loopback = Loopback()
        self._places: dict[Key, Place] = {}
        self._local: dict[tuple[Key, int], int] = {}
        self._known: frozenset[str] = frozenset()
        self._idle: dict[Key, None] = {}

    def close(self) -> None:
        """Gives the addresses back."""
        self._loopback.close()

    async def given(self, resources: ResourceSet) -> GivenEndpoints:
        """Where virtual nodes are reached: at their proxies; opens the demo backends they need.

        A node that is somewhere else, by `--resolve` or by its IP address, is reached there.

        Raises:
            PointsmanError: addresses are not to be had, or a demo backend cannot be opened.
        """
        self._loopback.open()
        nodes = sorted(resources.of("VirtualNode").items())
        self._known = frozenset(name for key, _ in nodes for name in (key.name, key.path))
        self._places = {
            key: await self._place(key, node.spec)
            for key, node in nodes
            if not self._is_elsewhere(key, node.spec)
        }
        by_node = {
            (key, port): Address(place.ingress, self._loopback.port(place.ingress, port))
            for key, place in self._places.items()
            for port in place.applications
        }
        return GivenEndpoints(self._options.resolves, by_node, bare=False)

    def _is_elsewhere(self, key: Key, spec: VirtualNodeSpec) -> bool:
        if self._options.own(key) is not None:
            return False
        name = discovery_name(spec)
        named = [
            (name, item.port_mapping.port) in self._options.resolves for item in spec.listeners
        ]
        return any(named) or (is_ip(name) and not name.startswith("127."))

    async def _place(self, key: Key, spec: VirtualNodeSpec) -> Place:
        ingress, egress = self._loopback.ingress(key), self._loopback.egress(key)
        found: dict[int, Address] = {}
        for listener in spec.listeners:
            address = await self._application(key, spec, listener, egress)
            if address is not None:
                found.setdefault(listener.port_mapping.port, address)
        return Place(ingress, egress, found)

    async def _application(
        self, key: Key, spec: VirtualNodeSpec, listener: NodeListener, egress: str
    ) -> Address | None:
        port = listener.port_mapping.port
        own = self._options.own(key)
        if own is not None:
            address = own.address(port)
            if address is None and own.command:
                address = Address(LOOPBACK, self._given_port(key, port))
            return address
        name = discovery_name(spec)
        if is_local(name):
            return Address(LOOPBACK if name == "localhost" else name, port)
        if not self._options.echo:
            return None
        proxy = Address(egress, self._loopback.port(egress, EGRESS_PORT))
        return await self._backends.open(key, listener, str(proxy))

    def _given_port(self, key: Key, port: int) -> int:
        """The free port an application is asked to listen on; it stays the same."""
        place = (key, port)
        if place not in self._local:
            while (local := free_port(LOOPBACK)) in self._local.values():
                pass
            self._local[place] = local
        return self._local[place]

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        """Every sidecar that has something to do, with its node class."""
        self._idle = {}
        for sidecar in proxies:
            place = self._places.get(sidecar.key)
            if not isinstance(sidecar, Sidecar) or place is None:
                continue
            if sidecar.ingress and not place.applications:
                self._idle[sidecar.key] = None
            served = tuple(item for item in sidecar.ingress if item.port in place.applications)
            if served or sidecar.egress or sidecar.open:
                yield replace(sidecar, ingress=served), (self._class(sidecar, place),)

    def _class(self, sidecar: Sidecar, place: Place) -> NodeClass:
        called = [item.port for item in sidecar.egress]
        return NodeClass(
            sidecar.key,
            bind=place.ingress,
            ports=self._moved(place.ingress, place.applications),
            egress=place.egress,
            egress_ports=self._moved(place.egress, [*called, EGRESS_PORT]),
            applications=tuple(place.applications.items()),
        )

    def _moved(self, address: str, ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
        local = ((port, self._loopback.port(address, port)) for port in ports)
        return tuple((port, bound) for port, bound in local if port != bound)

    def programs(self) -> Mapping[Key, Program]:
        """Commands to run, by virtual node."""
        found = {}
        for key, place in self._places.items():
            own = self._options.own(key)
            if own is not None and own.command:
                environment = self._environment(key, own, place)
                listens = tuple(place.applications.values())
                found[key] = Program(own.command, environment, listens, own.folder)
        return found

    def _environment(
        self, key: Key, own: OwnApplication, place: Place
    ) -> tuple[tuple[str, str], ...]:
        proxy = f"http://{place.egress}:{self._loopback.port(place.egress, EGRESS_PORT)}"
        ports = {f"PORT_{port}": str(at.port) for port, at in place.applications.items()}
        first = next(iter(ports.values()), None)
        said = {
            "POINTSMAN_NODE": key.path,
            "POINTSMAN_EGRESS": place.egress,
            "HTTP_PROXY": proxy,
            "http_proxy": proxy,
            # What an application says to itself is no call to a service.
            "NO_PROXY": "localhost,127.0.0.1,::1",
            "no_proxy": "localhost,127.0.0.1,::1",
            **({"PORT": first} if first is not None else {}),
            **ports,
        }
        return tuple((said | dict(own.environment)).items())

    def problems(self) -> Iterator[Problem]:
        """Nodes without an application, and applications without a node."""
        for key in self._idle:
            yield Problem(
                codes.NO_APPLICATION,
                f"nothing is known to run as {key.path}, so nothing is to be had there",
                f"say what does: --app {key.name}=COMMAND or --app {key.name}=ADDR:PORT; "
                "or take a demo backend: --echo",
                key=key,
            )
        for own in self._options.applications:
            if own.node not in self._known:
                names = ", ".join(sorted(name for name in self._known if "/" not in name)[:8])
                yield Problem(
                    codes.UNKNOWN_APPLICATION,
                    f"{own.written}: there is no virtual node {own.node}",
                    f"there are: {names or 'none'}",
                )
