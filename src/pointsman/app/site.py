"""What a control plane asks of the place it runs in."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pointsman.control.compile import Compiled, Proxy
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.errors import PointsmanError
from pointsman.graph.links.context import GivenEndpoints
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.xds.nodes import Newcomer


@dataclass(frozen=True, slots=True)
class Audience:
    """Proxies that get one snapshot, wherever their listeners are bound.

    Attributes:
        owner: the virtual gateway or virtual node they belong to.
        node_id: the id they give.
        wire: how they get their configuration.
        zone: their availability zone, as far as it matters.
        counts: whether their Envoy can count by consumer.
    """

    owner: Key
    node_id: str
    wire: Wire = "delta"
    zone: str = ""
    counts: bool = True


def audience(proxy: Proxy, node_class: NodeClass) -> Audience:
    """The proxies of a node class."""
    wire, zone, counts = node_class.wire, node_class.zone, node_class.counts
    return Audience(proxy.key, proxy.node_id, wire, zone, counts)


@dataclass(frozen=True, slots=True)
class Published:
    """A configuration that is live.

    Attributes:
        compiled: what is served.
        problems: everything that is wrong with what was written, located.
        sources: changed sources that led to it.
        seconds: from the change being seen to the last proxy's acknowledgement; None while a
            proxy has not answered.
        rejected: resources proxies would not take.
    """

    compiled: Compiled
    problems: tuple[Problem, ...]
    sources: tuple[str, ...]
    seconds: float | None
    rejected: int


class HasProblems(Protocol):
    """Whatever may know that something is wrong."""

    def problems(self) -> Iterable[Problem]:
        """What is wrong; it need not be located."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """News of a change that proxies are still taking in."""

    sources: frozenset[str]
    started: float
    task: asyncio.Task[None]


class News(Protocol):
    """Is told what becomes of changes."""

    def changed(self, published: Published) -> None:
        """A change is live, or was held back."""

    def failed(self, error: PointsmanError) -> None:
        """A change could not be made live, or not wholly; what served before still does."""


class Site:
    """A place without peculiarities: every proxy as it connects, listening where manifests say.

    Attributes:
        expected: how many proxies of each class have to answer before a change counts as live.
    """

    expected = 0

    async def given(self, resources: ResourceSet) -> GivenEndpoints:  # noqa: ARG002
        """Addresses that come before discovery.

        Raises:
            PointsmanError: they cannot be told; the change that asked is not made.
        """
        return GivenEndpoints()

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        """See `control.compile.Arrange`."""
        for proxy in proxies:
            yield proxy, ()

    def node_class(self, proxy: Proxy, newcomer: Newcomer) -> NodeClass:
        """The class of a proxy that connects; it is compiled then, if `arrange` left it out."""
        return NodeClass(proxy.key, newcomer.wire)

    async def settle(self, proxies: Iterable[Proxy]) -> None:
        """Everything is published: do what has to follow.

        Raises:
            PointsmanError: it was not done, or not wholly.
        """

    def problems(self) -> Iterable[Problem]:
        """What is wrong in this place with the manifests as they are."""
        return ()
