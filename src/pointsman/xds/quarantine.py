"""Keeps rejected resources from the proxies until their content changes.

What a proxy of a node class rejected is replaced by the last version some proxy of the class
accepted, or left out when there is none, for the whole class: thousands of proxies need not
reject the same resource one after the other, and one that starts now gets what works.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.envoy.sealed import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    ROUTE,
    SECRET,
    VIRTUAL_HOST,
    Sealed,
)
from pointsman.xds.rejection import Rejection
from pointsman.xds.snapshot import Snapshot

_REFERRING = (LISTENER, ROUTE, VIRTUAL_HOST)
_REFERRED = (CLUSTER, ENDPOINT, SECRET, ROUTE)


@dataclass(slots=True)
class Ward:
    """Quarantine of one node class.

    Attributes:
        good: last accepted resource by type and name.
        held: rejected versions by type and name. Several, and also of what is not published now:
            until the proxies have answered for everything, any of them may come back.
        referred: what resources a proxy still has may refer to, by type and name: all that was
            served since the proxies last had answered for everything.
        published: what was to be served last.
    """

    good: dict[tuple[str, str], Sealed] = field(default_factory=dict)
    held: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    referred: dict[str, dict[str, Sealed]] = field(default_factory=dict)
    published: Snapshot = field(default_factory=Snapshot)

    def accept(self, resources: Iterable[Sealed]) -> None:
        """Note what a proxy accepted."""
        for sealed in resources:
            self.good[sealed.type_url, sealed.name] = sealed

    def reject(self, sealed: Sealed) -> bool:
        """Hold a resource back.

        Returns:
            False when nothing changes for the class: another proxy of it has accepted this very
            version, or it is held already.
        """
        place = sealed.type_url, sealed.name
        good = self.good.get(place)
        if good is not None and good.version == sealed.version:
            return False
        versions = self.held.setdefault(place, set())
        known = sealed.version in versions
        versions.add(sealed.version)
        return not known

    def serve(self, published: Snapshot) -> Snapshot:
        """`published` with held resources replaced; itself when nothing is held."""
        self.published = published
        for type_url, name in [p for p in self.good if p[1] not in published.of(p[0])]:
            del self.good[type_url, name]
        held = [place for place in self.held if self._is_held(place)]
        served = self._replaced(published, held) if held else published
        for type_url in _REFERRED:
            self.referred.setdefault(type_url, {}).update(served.of(type_url))
        return served

    def settle(self, served: Snapshot) -> None:
        """All proxies have answered for `served`: they refer to nothing else."""
        self.referred = {type_url: dict(served.of(type_url)) for type_url in _REFERRED}
        self.held = {place: held for place, held in self.held.items() if self._is_held(place)}

    def _is_held(self, place: tuple[str, str]) -> bool:
        type_url, name = place
        sealed = self.published.of(type_url).get(name)
        return sealed is not None and sealed.version in self.held[place]

    def _replaced(self, published: Snapshot, held: list[tuple[str, str]]) -> Snapshot:
        resources: dict[str, Mapping[str, Sealed]] = dict(published.resources)
        if any(place[0] in _REFERRING and place in self.good for place in held):
            # The held version may refer to what the new snapshot no longer has.
            for type_url in _REFERRED:
                kept = self.referred.get(type_url, {}).items()
                good = {n: s for n, s in kept if s.version not in self.held.get((type_url, n), ())}
                resources[type_url] = good | dict(published.of(type_url))
        for place in held:
            type_url, name = place
            replaced = dict(resources[type_url])
            if place in self.good:
                replaced[name] = self.good[place]
            else:
                del replaced[name]
            resources[type_url] = replaced
        return Snapshot(resources)


class Quarantine:
    """The wards of all node classes.

    Args:
        on_rejection: told of every rejection, with the node class; called on the event loop, so
            it must be quick.
    """

    def __init__(self, on_rejection: Callable[[Hashable, Rejection], None]) -> None:
        self._on_rejection = on_rejection
        self._wards: dict[Hashable, Ward] = {}

    def accept(self, node_class: Hashable, resources: Iterable[Sealed]) -> None:
        """Note what a proxy accepted: the version to fall back to."""
        self._ward(node_class).accept(resources)

    def reject(
        self, node_class: Hashable, resources: Iterable[Sealed], message: str
    ) -> tuple[Rejection, ...]:
        """Hold rejected resources back and report them.

        Returns:
            The rejections that change what the class is served.
        """
        ward = self._ward(node_class)
        fresh = []
        for sealed in resources:
            rejection = Rejection(
                sealed.type_url, sealed.name, sealed.version, message, sealed.keys
            )
            if ward.reject(sealed):
                fresh.append(rejection)
            self._on_rejection(node_class, rejection)
        return tuple(fresh)

    def serve(self, node_class: Hashable, published: Snapshot) -> Snapshot:
        """What to send to the class instead of `published`."""
        return self._ward(node_class).serve(published)

    def settle(self, node_class: Hashable, served: Snapshot) -> None:
        """All proxies of the class have answered for `served`."""
        self._ward(node_class).settle(served)

    def forget(self, node_class: Hashable) -> None:
        """Drop all that is known of a class."""
        self._wards.pop(node_class, None)

    def _ward(self, node_class: Hashable) -> Ward:
        return self._wards.setdefault(node_class, Ward())
