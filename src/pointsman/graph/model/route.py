"""A route of a virtual router, and the virtual service it belongs to."""

from dataclasses import dataclass

from pointsman.graph.model.cluster import Stickiness, WeightedCluster
from pointsman.graph.model.effects import NO_EFFECTS, Effects
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.match import RequestMatch
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath

DEFAULT_TIMEOUT_MS = 15_000
"""Time of a whole request where no route says otherwise (App Mesh user guide)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request is tried again.

    Attributes:
        max_retries: tries after the first.
        per_retry_ms: time of each try in ms; None leaves it to the request's timeout.
        events: App Mesh's event names, and for the default policy also "reset" and "503".
        statuses: further HTTP statuses on which to try again.
    """

    max_retries: int
    per_retry_ms: int | None
    events: tuple[str, ...]
    statuses: tuple[int, ...] = ()


DEFAULT_RETRY = RetryPolicy(
    2, None, ("reset", "connection-error", "stream-error", "unavailable", "503")
)
"""What App Mesh does where no policy is written (user guide, "Envoy defaults")."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in ms; 0 means none, `idle_ms` None means the proxy's own 300 s."""

    request_ms: int = DEFAULT_TIMEOUT_MS
    idle_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """What a policy says instead of the routes it is for; None where it says nothing.

    Attributes:
        policy: the policy.
        request_ms: as in `Timeouts`.
        idle_ms: as in `Timeouts`.
        retry: when a request is tried again.
        effects: whatever else happens to requests.
    """

    policy: Key
    request_ms: int | None = None
    idle_ms: int | None = None
    retry: RetryPolicy | None = None
    effects: Effects = NO_EFFECTS


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests for a service go to which clusters.

    Attributes:
        key: the virtual router, or the virtual service when a node provides it.
        path: where in that object the route stands.
        name: name of the route; None for the implicit route of a node-provided service.
        match: which requests.
        targets: clusters by weight; with a total of 0 the answer is 503.
        timeouts: how long a request may take.
        retry: when it is tried again.
        effects: whatever else happens to it on its way.
        policies: who had a say in the last three.
        guards: what stands before it.
    """

    key: Key
    path: FieldPath
    name: str | None
    match: RequestMatch
    targets: tuple[WeightedCluster, ...]
    timeouts: Timeouts = Timeouts()
    retry: RetryPolicy = DEFAULT_RETRY
    effects: Effects = NO_EFFECTS
    policies: tuple[Key, ...] = ()
    guards: Guards = NO_GUARDS


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual service as called on one port.

    Attributes:
        key: the virtual service.
        name: its name inside App Mesh: the host its backends see.
        router: the virtual router that provides it, if one does.
        routes: in the order they are tried; a request that matches none is answered 404.
    """

    key: Key
    name: str
    router: Key | None
    routes: tuple[Route, ...]


def lost_service(key: Key) -> Service:
    """Stands for a service that an error keeps from being called: its requests are answered 503."""
    nobody = Route(key, (), None, RequestMatch(), ())
    return Service(key, f"{key.name}.{key.namespace}", None, (nobody,))


def sticky_ways(route: Route) -> tuple[Stickiness, ...]:
    """By what the targets of a route keep requests at one endpoint; the first one counts."""
    found = (item.cluster.balancing.stickiness for item in route.targets if item.weight)
    return tuple(dict.fromkeys(way for way in found if way is not None))
