"""A running `pointsman serve`: a control plane alone, for proxies wherever they run."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pointsman.api.health import health_app
from pointsman.api.listening import HttpAddress, HttpServer
from pointsman.app.access import AccessState, StateOptions
from pointsman.app.answers import answering
from pointsman.app.discovery import Discovery, DiscoveryOptions
from pointsman.app.issuers import Issuers
from pointsman.app.issuing import Issuing, read_authority
from pointsman.app.plane import ControlPlane
from pointsman.app.site import Audience, News, Site
from pointsman.control.compile import Proxy
from pointsman.envoy.consumer_stats import can_count
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.measures import Measures
from pointsman.settings import Settings
from pointsman.sources.files import read
from pointsman.xds.address import ListenOptions, is_private
from pointsman.xds.admission import Admission, Anyone
from pointsman.xds.nodes import Newcomer, Node

IDLE_S: Final = 600.0
"""Seconds after which the next change forgets a node class that has no proxy any more."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of `pointsman serve`.

    Attributes:
        paths: files and folders; `-` for standard input.
        xds: where proxies connect to, and how.
        variables: values of `${NAME}`.
        resolves: (host, port) -> address.
        certificates: what stands for certificates of AWS.
        discovery: where instances of applications come from.
        identity: folder of the mesh's own certificate authority; None makes one in memory.
        state: where consumers and credentials are kept; None keeps none.
        admin: where the administration answers over TCP, if anywhere.
        metrics: where Prometheus is answered, if anywhere.
        trust_domain: of the names in certificates; None for that of the authority.
        bind: IP address that the proxies' listeners bind to.
        admission: who may be which node.
        age_s: seconds after which a proxy is asked to connect anew; None lets it stay.
        grace_s: seconds over which streams end at the end.
        health: where `/live` and `/ready` are answered, if anywhere.
    """

    paths: tuple[str, ...]
    xds: ListenOptions
    variables: Mapping[str, str] = field(default_factory=dict)
    resolves: Mapping[tuple[str, int], Address] = field(default_factory=dict)
    certificates: CertificateMap = field(default_factory=CertificateMap)
    discovery: DiscoveryOptions = field(default_factory=DiscoveryOptions)
    identity: Path | None = None
    state: StateOptions | None = None
    admin: HttpAddress | None = None
    metrics: HttpAddress | None = None
    trust_domain: str | None = None
    bind: str = "0.0.0.0"
    admission: Admission = field(default_factory=Anyone)
    age_s: float | None = None
    grace_s: float = 5.0
    health: HttpAddress | None = None


class ServeNews(News):
    """Tells what a service has to tell."""

    def started(self, xds: str, health: str | None, problems: tuple[Problem, ...]) -> None:
        """Proxies are served.

        Args:
            xds: address that proxies connect to.
            health: address for questions of health.
            problems: everything that is wrong with what was written.
        """

    def stopping(self) -> None:
        """The end has begun."""


class Elsewhere(Site):
    """Proxies on other machines: what they are to have is compiled when the first one connects.

    Args:
        options: bind address and given addresses.
        clock: seconds that only grow.

    Attributes:
        connected: the proxies there are; a live view.
    """

    def __init__(self, options: ServeOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.connected: Mapping[int, Node] = {}
        self._bind = options.bind
        self._given = GivenEndpoints(by_name=options.resolves)
        self._clock = clock
        self._seen: dict[NodeClass, float] = {}

    async def given(self, resources: ResourceSet) -> GivenEndpoints:  # noqa: ARG002
        """Addresses that the options give."""
        return self._given

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        """Every proxy with the classes that have been connected lately."""
        now = self._clock()
        for node in self.connected.values():
            assert isinstance(node.node_class, Audience)
            self._seen[self._class(node.node_class)] = now
        self._seen = {item: at for item, at in self._seen.items() if now - at < IDLE_S}
        by_owner: dict[Key, list[NodeClass]] = {}
        for item in self._seen:
            by_owner.setdefault(item.owner, []).append(item)
        for proxy in proxies:
            yield proxy, by_owner.get(proxy.key, ())

    def node_class(self, proxy: Proxy, newcomer: Newcomer) -> NodeClass:
        """The class of proxies of its wire, its zone and what its Envoy can do."""
        counts = can_count(newcomer.envoy)
        found = NodeClass(proxy.key, newcomer.wire, self._bind, zone=newcomer.zone, counts=counts)
        self._seen[found] = self._clock()
        return found

    def _class(self, whom: Audience) -> NodeClass:
        counts = whom.counts
        return NodeClass(whom.owner, whom.wire, self._bind, zone=whom.zone, counts=counts)


class Service:
    """Everything `pointsman serve` runs.

    Args:
        options: what was asked.
        settings: what the environment says.
        news: told of everything that is worth a line.
        measures: counts requests for rollouts; by default the window of what proxies report.

    Attributes:
        serves: whether the start is over.
    """

    def __init__(
        self,
        options: ServeOptions,
        settings: Settings,
        news: ServeNews,
        measures: Measures | None = None,
    ) -> None:
        self._options = options
        self._settings = settings
        self._news = news
        self._site = Elsewhere(options)
        self._discovery = Discovery(options.discovery)
        self._issuing = Issuing(
            read_authority(options.identity, options.trust_domain),
            options.identity,
            withheld=_why_withheld(options),
            restarts=True,
        )
        self._access = AccessState(options.state)
        self._issuers = Issuers(self._access)
        self._plane = ControlPlane(
            options.paths,
            options.variables,
            self._site,
            news,
            certificates=options.certificates,
            discovery=self._discovery,
            issuing=self._issuing,
            access=self._access,
            issuers=self._issuers,
            measures=measures,
            admission=options.admission,
            age_s=options.age_s,
        )
        self._site.connected = self._plane.server.nodes
        self.serves = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set.

        Raises:
            PointsmanError: it cannot start.
        """
        options, plane = self._options, self._plane
        files = read(options.paths)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._discovery)
            await stack.enter_async_context(self._issuing)
            await stack.enter_async_context(self._access)
            stack.push_async_callback(plane.close)
            await stack.enter_async_context(self._issuers)
            await plane.load(files)
            await plane.publish()
            bound = await plane.server.start(options.xds)
            stack.push_async_callback(plane.server.stop, 0.0)
            await answering(
                stack,
                plane,
                self._settings.runtime_folder,
                admin=options.admin,
                metrics=options.metrics,
            )
            health = None
            if options.health is not None:
                health = HttpServer(options.health, health_app(self._unready), "--health")
                await stack.enter_async_context(health)
            self.serves = True
            told = None if health is None else health.bound
            self._news.started(bound, told, plane.problems())
            await plane.follow(stop, files)
            self.serves = False
            self._news.stopping()
            plane.features.limits.server.stop()
            plane.features.requests.stop()
            await plane.server.stop(options.grace_s)

    async def _unready(self) -> str:
        return "" if self.serves else "not serving"


def _why_withheld(options: ServeOptions) -> str:
    """Why proxies must not be sent keys; "" when they may."""
    xds = options.xds
    if is_private(xds.address):
        return ""
    if xds.tls is None:
        return f"{xds.address} is plaintext, where others can read its key"
    if isinstance(options.admission, Anyone):
        return f"on {xds.address} no proxy proves which node it is, so that anybody would get keys"
    return ""
