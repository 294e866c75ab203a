"""The way from one snapshot to the next, worked out once and shared by every stream.

Comparing ten thousand names costs milliseconds: nothing once per publication, fatal once per
stream. A plan keeps its answers, so that a push to a thousand proxies frames its bytes once.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cached_property

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, ROUTE, VIRTUAL_HOST, Sealed
from pointsman.xds.answer import Answer, split
from pointsman.xds.order import ADDITIONS, REMOVALS
from pointsman.xds.snapshot import Snapshot

EMPTY = Snapshot()
_REMEMBERED = 32


class Step:
    """What one type adds or changes.

    Attributes:
        type_url: the type.
        resources: new and changed resources, with the companions they must travel with.
        names: names of `resources`.
    """

    __slots__ = ("__dict__", "names", "resources", "type_url")

    def __init__(self, type_url: str, resources: Mapping[str, Sealed]) -> None:
        self.type_url = type_url
        self.resources = tuple(resources.values())
        self.names = frozenset(resources)

    @cached_property
    def delta_answers(self) -> tuple[Answer, ...]:
        """The step in the incremental variant."""
        return tuple(split(self.type_url, self.resources))

    @cached_property
    def state_answers(self) -> tuple[Answer, ...]:
        """The step in the state-of-the-world variant, for types sent by name."""
        return tuple(split(self.type_url, self.resources, delta=False))


class Plan:
    """Two phases: additions and changes, then removals.

    Endpoints of every new or changed cluster travel with it, changed or not: without them Envoy
    holds a changed cluster back for fifteen seconds. Virtual hosts of every new route
    configuration travel with it: Envoy drops hosts of a route configuration it does not have.

    Attributes:
        old: where a proxy stands.
        new: where it shall go.
        additions: steps by type, in the order of `ADDITIONS`; types without change are absent.
        removals: names by type, in the order of `REMOVALS`; types without removal are absent.
    """

    def __init__(self, old: Snapshot, new: Snapshot) -> None:
        self.old = old
        self.new = new
        self.additions = dict(self._additions())
        self.removals = dict(self._removals())

    @cached_property
    def merged(self) -> Snapshot:
        """The state between the phases: all that is new, and what is still to be removed."""
        resources = dict(self.new.resources)
        for type_url, names in self.removals.items():
            gone = self.old.of(type_url)
            resources[type_url] = {**{n: gone[n] for n in names}, **self.new.of(type_url)}
        return Snapshot(resources)

    def _additions(self) -> Iterator[tuple[str, Step]]:
        changed: dict[str, dict[str, Sealed]] = {}
        for type_url in ADDITIONS:
            before = self.old.of(type_url)
            after = self.new.of(type_url)
            found = changed[type_url] = {} if before is after else _changed(before, after)
            if type_url == ENDPOINT:
                found |= {n: after[n] for n in changed[CLUSTER] if n in after}
            elif type_url == VIRTUAL_HOST:
                fresh = changed[ROUTE].keys() - self.old.of(ROUTE).keys()
                found |= {n: s for n, s in after.items() if route_of(n) in fresh} if fresh else {}
            if found:
                yield type_url, Step(type_url, found)

    def _removals(self) -> Iterator[tuple[str, frozenset[str]]]:
        for type_url in REMOVALS:
            before, after = self.old.of(type_url), self.new.of(type_url)
            if before is not after and (gone := before.keys() - after.keys()):
                yield type_url, frozenset(gone)


class Plans:
    """Plans between the snapshots of one node class, the most recent ones remembered."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[int, int], Plan] = OrderedDict()
        self._hosts: tuple[Snapshot, Mapping[str, list[str]]] = (EMPTY, {})
        self._whole: OrderedDict[tuple[int, str], tuple[Snapshot, Answer]] = OrderedDict()

    def between(self, old: Snapshot, new: Snapshot) -> Plan:
        """The plan from `old` to `new`; the same object for all streams that ask."""
        key = (id(old), id(new))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(old, new)
            if len(self._plans) > _REMEMBERED:
                self._plans.popitem(last=False)
        return plan

    def hosts(self, snapshot: Snapshot) -> Mapping[str, list[str]]:
        """Names of virtual hosts by the route configuration they belong to."""
        if self._hosts[0] is not snapshot:
            hosts: dict[str, list[str]] = {}
            for name in snapshot.of(VIRTUAL_HOST):
                hosts.setdefault(route_of(name), []).append(name)
            self._hosts = (snapshot, hosts)
        return self._hosts[1]

    def whole(self, snapshot: Snapshot, type_url: str) -> Answer:
        """A state-of-the-world answer with everything of one type."""
        key = (id(snapshot), type_url)
        if key not in self._whole:
            answer = Answer(type_url, tuple(snapshot.of(type_url).values()), delta=False)
            self._whole[key] = (snapshot, answer)
            if len(self._whole) > _REMEMBERED:
                self._whole.popitem(last=False)
        return self._whole[key][1]


def route_of(virtual_host: str) -> str:
    """The route configuration a virtual host belongs to: its name up to the last slash.

    Source: tried on Envoy 1.40, which cuts the same way and silently drops other names.
    """
    return virtual_host.rpartition("/")[0]


def _changed(before: Mapping[str, Sealed], after: Mapping[str, Sealed]) -> dict[str, Sealed]:
    return {
        name: sealed
        for name, sealed in after.items()
        if (known := before.get(name)) is not sealed
        and (known is None or known.version != sealed.version)
    }
