"""All instances known, merged from several sources that may fail one by one.

A source that fails changes nothing: what it said last stays in force until it speaks again, and
how old that is can be asked. The registry does no I/O and is not safe for threads; sources call
it on the event loop.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from pointsman.registry.instance import Instance, ServiceName

OnChange = Callable[[frozenset[ServiceName]], None]
"""Told of services whose instances changed; of none when only the state of a source did."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source cannot tell, of one service or of all.

    Attributes:
        service: the service; None for the whole source.
        message: what went wrong.
        heard_at: when the source last told, in seconds since the epoch; None if it never did.
    """

    service: ServiceName | None
    message: str
    heard_at: float | None


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source is doing.

    Attributes:
        name: its name.
        instances: how many instances it holds, those of failed services included.
        heard_at: when it last told anything, in seconds since the epoch; None if it never did.
        failures: what it cannot tell now.
    """

    name: str
    instances: int
    heard_at: float | None
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class _Source:
    held: dict[ServiceName, dict[str, Instance]] = field(default_factory=dict)
    heard: dict[ServiceName | None, float] = field(default_factory=dict)
    failures: dict[ServiceName | None, str] = field(default_factory=dict)
    complete: bool = False


class Registry:
    """Instances by service.

    Args:
        sources: names of the sources; of two instances with one id the earlier source's counts.
        now: seconds since the epoch.
    """

    def __init__(self, sources: Sequence[str] = (), now: Callable[[], float] = time.time) -> None:
        self._sources = {name: _Source() for name in sources}
        self._now = now
        self._merged: dict[ServiceName, tuple[Instance, ...]] = {}
        self._named: set[ServiceName] = set()
        self._listeners: list[OnChange] = []

    @property
    def is_configured(self) -> bool:
        """Whether there is any source."""
        return bool(self._sources)

    def on_change(self, listener: OnChange) -> None:
        """Calls `listener` after every change."""
        self._listeners.append(listener)

    def instances(self, service: ServiceName) -> tuple[Instance, ...]:
        """Instances of a service in the order of their ids."""
        return self._merged.get(service, ())

    def knows(self, service: ServiceName) -> bool:
        """Whether it is certain what instances a service has, even if there are none.

        It is as soon as any source has named the service, or all have told everything. Until then
        a proxy that still has endpoints from before a restart must not be told there are none.
        """
        sources = self._sources.values()
        return service in self._named or all(source.complete for source in sources)

    def replace(
        self,
        source: str,
        held: Mapping[ServiceName, Iterable[Instance]],
        *,
        complete: bool = True,
    ) -> None:
        """A source told all it knows; `complete` says that there is nothing else to come."""
        state = self._sources[source]
        touched = state.held.keys() | held.keys()
        state.held = {name: {i.id: i for i in instances} for name, instances in held.items()}
        state.heard = {None: self._now()}
        state.failures = {}
        state.complete = state.complete or complete
        self._merge(touched, named=held.keys(), told=True)

    def put(self, source: str, service: ServiceName, instances: Iterable[Instance]) -> None:
        """A source told all instances of one service."""
        state = self._sources[source]
        state.held[service] = {instance.id: instance for instance in instances}
        state.heard[service] = self._now()
        mended = state.failures.pop(service, None) is not None
        self._merge({service}, named={service}, told=mended)

    def fail(self, source: str, message: str, service: ServiceName | None = None) -> None:
        """A source cannot tell, of a service or at all; what it told last stays in force."""
        failures = self._sources[source].failures
        known = failures.get(service)
        failures[service] = message
        if known != message:
            self._tell(frozenset())

    def settle(self, source: str) -> None:
        """Whatever a source has not named by now has no instances there."""
        state = self._sources[source]
        if not state.complete:
            state.complete = True
            self._tell(frozenset())

    def drop(self, source: str, service: ServiceName) -> None:
        """A source is no longer asked for a service."""
        state = self._sources[source]
        state.held.pop(service, None)
        state.heard.pop(service, None)
        state.failures.pop(service, None)
        if not any(service in other.held for other in self._sources.values()):
            self._named.discard(service)
        self._merge({service})

    def states(self) -> tuple[SourceState, ...]:
        """How every source is doing."""
        return tuple(_state(name, source) for name, source in self._sources.items())

    def _merge(
        self,
        services: Iterable[ServiceName],
        *,
        named: Set[ServiceName] = frozenset(),
        told: bool = False,
    ) -> None:
        """Merges services anew; one named for the first time has changed, even to nothing."""
        changed = set(named - self._named)
        self._named |= named
        for service in services:
            merged: dict[str, Instance] = {}
            for source in self._sources.values():
                merged = source.held.get(service, {}) | merged
            instances = tuple(merged[name] for name in sorted(merged))
            if instances != self._merged.get(service, ()):
                changed.add(service)
                self._merged[service] = instances
        if changed or told:
            self._tell(frozenset(changed))

    def _tell(self, changed: frozenset[ServiceName]) -> None:
        for listener in self._listeners:
            listener(changed)


def _state(name: str, source: _Source) -> SourceState:
    failures = tuple(
        Failure(service, message, source.heard.get(service))
        for service, message in sorted(source.failures.items(), key=lambda item: item[0] or ("",))
    )
    count = sum(map(len, source.held.values()))
    return SourceState(name, count, max(source.heard.values(), default=None), failures)
