"""The fast lane: registered instances to the endpoints of clusters, beside the compiler.

Translation says which clusters a node class uses; their endpoints are added here. When instances
change, only the assignments of the clusters concerned are built again, once for all proxies of a
zone, and everything else in the snapshots stays the very same object, so that nothing else is
compared, let alone sent.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsman.envoy.bundle import Bundle
from pointsman.envoy.endpoints import assignment
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import ENDPOINT, Sealed
from pointsman.graph.model.cluster import Cluster
from pointsman.registry.instance import Instance, ServiceName
from pointsman.registry.registry import Failure, Registry, SourceState
from pointsman.registry.select import select, service_of
from pointsman.resources.codes import registry as codes
from pointsman.resources.problem import Problem
from pointsman.xds.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class _Built:
    """An assignment and what it was built from."""

    cluster: Cluster
    instances: tuple[Instance, ...]
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class _Use:
    """A cluster of a node class."""

    node_class: NodeClass
    name: str
    cluster: Cluster


class Endpoints:
    """Adds endpoints to snapshots. It is told of changes on the event loop's thread.

    Args:
        registry: the instances; an empty one by default, so that no cluster has any endpoints.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or Registry()
        self._uses: dict[ServiceName, list[_Use]] = {}
        self._built: dict[tuple[str, str], _Built] = {}
        self._snapshots: dict[NodeClass, Snapshot] = {}
        self._unknown: set[ServiceName] = set()

    @property
    def services(self) -> Collection[ServiceName]:
        """Services whose instances any proxy needs."""
        return self._uses.keys()

    def compose(self, bundles: Mapping[NodeClass, Bundle]) -> Mapping[NodeClass, Snapshot]:
        """Snapshots of everything there is to serve, after something was compiled anew.

        A service about which nothing is known yet gets no assignment instead of an empty one:
        proxies that kept endpoints from before a restart go on with them, and to those that begin
        the ADS server says that there are none.
        """
        self._uses = {}
        self._snapshots = {}
        used: set[tuple[str, str]] = set()
        for node_class, bundle in bundles.items():
            used |= self._compose(node_class, bundle)
        self._built = {place: self._built[place] for place in used}
        self._unknown = {name for name in self._uses if not self._registry.knows(name)}
        return dict(self._snapshots)

    def add(self, node_class: NodeClass, bundle: Bundle) -> Mapping[NodeClass, Snapshot]:
        """All snapshots as they are now, with that of one more node class."""
        self._compose(node_class, bundle)
        self._unknown |= {name for name in self._uses if not self._registry.knows(name)}
        return dict(self._snapshots)

    def _compose(self, node_class: NodeClass, bundle: Bundle) -> set[tuple[str, str]]:
        """Makes the snapshot of a class; gives the places of the assignments it has."""
        used: set[tuple[str, str]] = set()
        found: dict[str, Sealed] = {}
        for name, cluster in sorted(bundle.supplied.items()):
            use = _Use(node_class, name, cluster)
            service = service_of(cluster)
            assert service is not None
            self._uses.setdefault(service, []).append(use)
            if self._registry.knows(service):
                used.add(_place(use))
                found[name] = self._build(use, service)
        self._snapshots[node_class] = _with(bundle.resources, found)
        return used

    def update(self, changed: Iterable[ServiceName]) -> Mapping[NodeClass, Snapshot]:
        """Snapshots that differ now that instances of these services changed.

        Services of which something has become known are among them, told or not.
        """
        known = {name for name in self._unknown if self._registry.knows(name)}
        self._unknown -= known
        fresh: dict[NodeClass, dict[str, Sealed]] = {}
        for service in known.union(changed):
            for use in self._uses.get(service, ()):
                sealed = self._build(use, service)
                before = self._snapshots[use.node_class].of(ENDPOINT).get(use.name)
                if before is None or before.version != sealed.version:
                    fresh.setdefault(use.node_class, {})[use.name] = sealed
        for node_class, found in fresh.items():
            old = self._snapshots[node_class]
            everything = {**old.of(ENDPOINT), **found}
            self._snapshots[node_class] = _with(old.resources, everything)
        return {node_class: self._snapshots[node_class] for node_class in fresh}

    def problems(self) -> tuple[Problem, ...]:
        """Sources that fail, and nodes for which no instance is registered."""
        if not self._registry.is_configured:
            return ()  # PM413 says so
        return (*self._failures(), *dict.fromkeys(self._missing()))

    def _failures(self) -> Iterator[Problem]:
        for state in self._registry.states():
            for failure in state.failures:
                if failure.service is None or failure.service in self._uses:
                    yield _failed(state, failure)

    def _missing(self) -> Iterator[Problem]:
        for service, uses in self._uses.items():
            if service in self._unknown:
                continue
            for cluster in {use.name: use.cluster for use in uses}.values():
                found = select(cluster, self._registry.instances(service))
                if not found.endpoints:
                    path = ("spec", "serviceDiscovery", "awsCloudMap")
                    yield Problem(codes.NO_INSTANCE, found.reason, key=cluster.node, path=path)

    def _build(self, use: _Use, service: ServiceName) -> Sealed:
        """The assignment of a cluster: the same object for the same cluster, zone and instances."""
        instances = self._registry.instances(service)
        place = name, zone = _place(use)
        built = self._built.get(place)
        if built and built.instances is instances and built.cluster == use.cluster:
            return built.sealed
        endpoints = select(use.cluster, instances).endpoints
        message = assignment(name, endpoints, zone, zone_aware=use.cluster.zone_aware)
        sealed = seal(message, (use.cluster.node,))
        self._built[place] = _Built(use.cluster, instances, sealed)
        return sealed


def _place(use: _Use) -> tuple[str, str]:
    return use.name, use.node_class.zone if use.cluster.zone_aware else ""


def _with(
    resources: Mapping[str, Mapping[str, Sealed]], endpoints: Mapping[str, Sealed]
) -> Snapshot:
    """Resources with other endpoints, in sorted order; all other types are the same objects."""
    if not endpoints:
        return Snapshot(resources)
    merged = {**resources, ENDPOINT: dict(sorted(endpoints.items()))}
    return Snapshot(dict(sorted(merged.items())))


def _failed(state: SourceState, failure: Failure) -> Problem:
    of = f" for {failure.service}" if failure.service else ""
    message = f"registry {state.name}{of}: {failure.message}"
    if failure.heard_at is None:
        return Problem(codes.SOURCE_FAILED, f"{message}; it has not told anything yet")
    heard = datetime.fromtimestamp(failure.heard_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Problem(codes.SOURCE_FAILED, f"{message}; what it said at {heard} UTC stays in force")
