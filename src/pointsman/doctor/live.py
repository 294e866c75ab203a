"""What a running instance knows beside its manifests: how requests fared, and how proxies are.

All of it was seen by somebody else and is handed over as values; checks that need it find nothing
where there is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pointsman.envoy.stats import Scope
from pointsman.observe.status import ProxyStatus
from pointsman.resources.key import Key
from pointsman.telemetry.expiries import Expiry
from pointsman.telemetry.requests import Request
from pointsman.telemetry.traffic import Traffic, add_up
from pointsman.telemetry.window import Subject
from pointsman.xds.refused import Refused


@dataclass(frozen=True, slots=True)
class RolloutSeen:
    """A rollout.

    Attributes:
        key: the rollout.
        since: when its phase began, in seconds since 1970.
        waits: why it does not go on, though nobody paused it; "" while it does.
        undone: whether it was rolled back.
        settled: whether the proxies have what it came to.
        candidate: requests of the candidate in the newest interval, and how many of them failed.
        stable: the same of the stable version.
    """

    key: Key
    since: float = 0.0
    waits: str = ""
    undone: bool = False
    settled: bool = True
    candidate: tuple[int, int] = (0, 0)
    stable: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Live:
    """What was seen in a while.

    Attributes:
        over: how long that is, in seconds.
        requests: what is kept of requests: those that failed, were refused or slow, and of the
            others a sample.
        traffic: what proxies counted.
        before: the same of the time before that, as far back as anybody knows.
        proxies: those that are connected.
        gateways: virtual gateways that proxies are expected of.
        steady: whether the same manifests were in force all the while.
        now: when it was looked, in seconds since 1970.
        given: since when each node has the version it has now, by node id, likewise.
        certificates: from when and until when those are good that the mesh's own authority
            issued, by whose proxies have them.
        authority_end: until when that authority is good; None for one that renews itself, or
            that nobody needs.
        files: likewise of certificates in files of the proxies' machines, by whose proxies and
            file.
        refused: proxies that were turned away.
        revisions: when manifests changed, and which sources.
        rollouts: how rollouts are.
        clocks: by how many seconds the clocks of proxies are behind, by node id.
    """

    over: float = 600.0
    requests: tuple[Request, ...] = ()
    traffic: Mapping[Subject, Traffic] = field(default_factory=dict)
    before: Mapping[Subject, Traffic] = field(default_factory=dict)
    proxies: tuple[ProxyStatus, ...] = ()
    gateways: frozenset[Key] = frozenset()
    steady: bool = False
    now: float = 0.0
    given: Mapping[str, float] = field(default_factory=dict)
    certificates: Mapping[Key, tuple[float, float]] = field(default_factory=dict)
    authority_end: float | None = None
    files: Mapping[Key, Mapping[str, Expiry]] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    revisions: tuple[tuple[float, tuple[str, ...]], ...] = ()
    rollouts: tuple[RolloutSeen, ...] = ()
    clocks: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> Mapping[Key, Traffic]:
        """What was sent to each virtual node, whoever sent it."""
        return _by(self.traffic, Scope.NODE, "node")

    @cached_property
    def nodes_before(self) -> Mapping[Key, Traffic]:
        """The same of the time before."""
        return _by(self.before, Scope.NODE, "node")

    @cached_property
    def taken(self) -> Mapping[Key, Traffic]:
        """What each gateway took from clients, and each sidecar for its application."""
        return _by(self.traffic, Scope.PROXY, "proxy")


def _by(traffic: Mapping[Subject, Traffic], scope: Scope, field_: str) -> dict[Key, Traffic]:
    rows: dict[Key, list[tuple[int, ...]]] = {}
    for key, numbers in _rows(traffic, scope, field_):
        rows.setdefault(key, []).append(numbers)
    return {key: add_up(found) for key, found in rows.items()}


def _rows(
    traffic: Mapping[Subject, Traffic], scope: Scope, field_: str
) -> Iterator[tuple[Key, tuple[int, ...]]]:
    for subject, counted in traffic.items():
        key: Key | None = getattr(subject, field_)
        if subject.scope is scope and key is not None:
            yield key, counted.numbers
