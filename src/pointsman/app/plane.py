"""The control plane: what is written becomes what proxies have.

Changes go one way: sources, store, compiler, ADS server. What comes back (rejections) becomes
problems; it never changes what is served. Where it runs, and who is told, is up to others: a
`Site` and a `News`.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import replace

import structlog

from pointsman.aio import garbage
from pointsman.app.access import AccessState
from pointsman.app.discovery import Discovery, DiscoveryOptions
from pointsman.app.features import Features
from pointsman.app.issuers import Issuers
from pointsman.app.issuing import Issuing, read_authority
from pointsman.app.objects import instance_objects
from pointsman.app.offline import locate
from pointsman.app.revisions import Revisions
from pointsman.app.site import Announcement, Audience, HasProblems, News, Published, Site, audience
from pointsman.app.status import ProxyState, instance_status, proxy_states, short_name
from pointsman.app.telemetry import cannot_count
from pointsman.control.compile import Compiled, Compiler, Proxy
from pointsman.control.rejections import Rejections
from pointsman.control.retries import RETRY_S, SecretRetries
from pointsman.envoy.node_class import NodeClass
from pointsman.errors import PointsmanError
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.rollout_target import Hold
from pointsman.graph.rollout_way import way_of
from pointsman.observe.objects import ObjectStatus
from pointsman.observe.status import Status
from pointsman.registry.instance import ServiceName
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.store import Store
from pointsman.rollout.measures import Measures
from pointsman.sources.files import watch
from pointsman.xds.admission import Admission, Anyone
from pointsman.xds.node_id import Directory
from pointsman.xds.nodes import Newcomer
from pointsman.xds.rejection import Rejection
from pointsman.xds.server import AdsServer
from pointsman.xds.snapshot import Snapshot

log = structlog.get_logger(__name__)

ACKNOWLEDGE_S = 20.0
"""Seconds within which proxies are expected to take a change; they get longer, unwatched."""


class ControlPlane:
    """Compiles what is written, serves it to proxies, and follows the files.

    Args:
        paths: files and folders it follows.
        variables: values of `${NAME}`.
        site: where it runs.
        news: told what becomes of changes.
        admission: who may be which node; None believes whoever connects.
        age_s: see `AdsServer`.
        certificates: what stands for certificates of AWS.
        discovery: finds the endpoints of nodes of Cloud Map; by default there are none.
        issuing: issues certificates; by default from an authority of this process.
        access: knows who may call; by default nobody.
        alone: see `LimitState`.
        issuers: issues tokens; by default none.
        measures: counts requests for rollouts; by default the window of what proxies report.

    Attributes:
        server: what proxies connect to; whoever owns the plane starts and stops it.
        features: what stands beside compilation.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        variables: Mapping[str, str],
        site: Site,
        news: News,
        *,
        admission: Admission | None = None,
        age_s: float | None = None,
        certificates: CertificateMap | None = None,
        discovery: Discovery | None = None,
        issuing: Issuing | None = None,
        access: AccessState | None = None,
        alone: bool = False,
        issuers: Issuers | None = None,
        measures: Measures | None = None,
    ) -> None:
        self._paths = paths
        self._site = site
        self._news = news
        self._store = Store(variables)
        admission = admission or Anyone()
        access = access or AccessState()
        self.features = Features(
            admission,
            discovery or Discovery(DiscoveryOptions()),
            issuing or Issuing(read_authority(None)),
            access,
            issuers or Issuers(access),
            measures,
            alone=alone,
        )
        self._changing = asyncio.Lock()
        self.revisions = Revisions(self.change)
        self._compiler = Compiler(
            site.arrange,
            self.features.discovery.endpoints,
            replace(
                certificates or CertificateMap(),
                trust_domain=self.features.issuing.authority.trust_domain,
            ),
        )
        self._compiled = Compiled()
        self._directory: Directory[Proxy] = Directory()
        self._snapshots: dict[NodeClass, Snapshot] = {}
        self._published: dict[Audience, NodeClass] = {}
        self._rejections = Rejections()
        self._retries = SecretRetries()
        self._announcement: Announcement | None = None
        self._since = time.time()
        self.server = AdsServer(
            self._classify,
            self._rejected,
            admission=admission,
            age_s=age_s,
            services=self.features.handlers,
        )
        self._listen()

    def _listen(self) -> None:
        """Has the features tell what changes by itself."""
        features = self.features
        features.discovery.registry.on_change(self._moved)
        features.issuing.on_change(self._issued)
        features.access.on_change(self.change, self._credentials_changed)
        features.issuers.on_change(self._key_sets_changed)
        features.rollouts.on_change(self.change, self.has_all)

    async def load(self, files: Mapping[str, str]) -> None:
        """Reads everything for the first time; nothing is published yet.

        Raises:
            PointsmanError: the site cannot tell given addresses.
        """
        garbage.keep()
        garbage.rest()
        self.revisions.begin(files)
        try:
            await self._compile(files)
            await self.features.discovery.answered()
        finally:
            garbage.tidy()

    async def publish(self) -> None:
        """Gives every proxy what was compiled.

        Raises:
            PointsmanError: what had to follow was not done.
        """
        proxies = self._compiled.proxies
        published = {audience(proxy, item): item for item, proxy in proxies.items()}
        self._rejections.keep(published.keys())
        self.features.requests.began(self._compiled.graph, {whom.node_id for whom in published})
        for node_class in published.values():
            self._serve(node_class)
        self.features.rollouts.served()
        for gone in self._published.keys() - published.keys():
            self.server.forget(gone)
        self._published = published
        self._snapshots = {item: self._snapshots[item] for item in proxies}
        await self._site.settle(self._compiled.graph.proxies.values())
        self.features.rollouts.begin()

    def _moved(self, services: Collection[ServiceName]) -> None:
        """Instances changed: endpoints travel past everything else."""
        changed = self._compiler.endpoints.update(services)
        snapshots = {**self._compiled.snapshots, **changed}
        self._compiled = replace(self._compiled, snapshots=snapshots)
        self._serve_all(item for item in self._published.values() if item in changed)

    def _issued(self, node_ids: Collection[str]) -> None:
        """Certificates are new."""
        self._serve_all(item for whom, item in self._published.items() if whom.node_id in node_ids)

    def _credentials_changed(self) -> None:
        """Credentials are issued, revoked or at their end."""
        snapshots = self._compiled.snapshots
        self._serve_all(
            item for item in self._published.values() if self.features.access.uses(snapshots[item])
        )

    def _key_sets_changed(self) -> None:
        """Keys of authorization servers come or go."""
        snapshots = self._compiled.snapshots
        self._serve_all(
            item for item in self._published.values() if self.features.issuers.uses(snapshots[item])
        )

    def _serve_all(self, node_classes: Iterable[NodeClass]) -> None:
        """Serves each of them; one that cannot be served keeps none of the others from it."""
        fault: Exception | None = None
        for node_class in tuple(node_classes):
            try:
                self._serve(node_class)
            except Exception as error:
                log.exception("a proxy is not served", owner=str(node_class.owner))
                fault = error
        if fault is not None:
            raise fault

    def _serve(self, node_class: NodeClass) -> None:
        whom = audience(self._compiled.proxies[node_class], node_class)
        snapshot = self._compiled.snapshots[node_class]
        snapshot = self.features.finish(self._compiled.proxies[node_class], snapshot)
        snapshot = self._retries.apply(whom, snapshot)
        self._snapshots[node_class] = snapshot
        self._rejections.settle(whom, snapshot)
        self.features.requests.gave(whom.node_id, snapshot)
        self.server.publish(whom, snapshot)

    async def acknowledged(self, sources: tuple[str, ...], started: float) -> Published:
        """Waits until every proxy has answered, but not for ever.

        Args:
            sources: what changed.
            started: when that was seen, as `time.perf_counter` counts.
        """
        rejected, complete = await self._answers()
        seconds = time.perf_counter() - started if complete else None
        self.features.telemetry.own.pushed(seconds)
        return Published(self._compiled, self.problems(), sources, seconds, len(rejected))

    async def has_all(self, hold: Hold) -> bool:
        """Waits likewise, and tells whether every proxy has the weights of a rollout."""
        rejected, complete = await self._answers()
        way = way_of(self._compiled.graph, hold)
        return complete and not any(way.intersection(item.keys or way) for item in rejected)

    async def _answers(self) -> tuple[list[Rejection], bool]:
        """What proxies reject, and whether all have answered in time."""
        rejected: list[Rejection] = []
        try:
            async with asyncio.timeout(ACKNOWLEDGE_S):
                for whom in tuple(self._published):
                    answer = await self.server.acknowledged(whom, streams=self._site.expected)
                    rejected += answer.rejections
        except TimeoutError:
            return rejected, False
        return rejected, True

    @property
    def store(self) -> Store:
        """Everything that was written."""
        return self._store

    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong now, located."""
        sources: tuple[HasProblems, ...] = (
            self._store,
            self._rejections,
            self._site,
            self.revisions.history,
            self.features,
        )
        found = [problem for source in sources for problem in source.problems()]
        found += cannot_count(self.states())
        return locate(self._store, [*found, *self._compiled.problems])

    def status(self) -> Status:
        """The state of everything, as `GET /v1/status` answers it."""
        return instance_status(
            since=self._since,
            paths=self._paths,
            proxies=self.states(),
            problems=self.problems(),
        )

    def objects(self) -> Mapping[Key, ObjectStatus]:
        """How far each object is, by key and in order."""
        return instance_objects(self._store.resources(), self.problems(), self.states())

    def states(self) -> list[ProxyState]:
        """What every class of proxies is to have, and those that are connected."""
        # While a change is made, some may be on their way out.
        served: dict[Hashable, tuple[NodeClass, Proxy, Snapshot]] = {
            whom: (item, self._compiled.proxies[item], self._snapshots[item])
            for whom, item in self._published.items()
            if item in self._compiled.proxies
        }
        return proxy_states(served, self.server.nodes.values())

    async def follow(self, stop: asyncio.Event, files: Mapping[str, str]) -> None:
        """Makes every change live until `stop` is set.

        Args:
            stop: ends it.
            files: what `load` was given.
        """
        following = asyncio.create_task(self._watch(files), name="watch")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (following, stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    async def close(self) -> None:
        """Ends what it asks and counts; proxies that are its own must have ended before."""
        await self.features.close()

    async def _watch(self, files: Mapping[str, str]) -> None:
        try:
            async for changes in watch(self._paths, files):
                await self.revisions.edited(changes)
        finally:
            if self._announcement is not None:
                self._announcement.task.cancel()

    async def change(self, changes: Mapping[str, str | None]) -> None:
        """Makes a change live: new texts of sources, None for those that are gone."""
        async with self._changing:
            await self._change(changes)

    async def _change(self, changes: Mapping[str, str | None]) -> None:
        started = time.perf_counter()
        garbage.rest()
        try:
            await self._compile(changes)
            await self.publish()
        except PointsmanError as error:
            garbage.tidy()
            self._news.failed(error)
            return
        except Exception as error:
            # Whatever is wrong with Pointsman itself must not end what serves.
            log.exception("a change failed", sources=sorted(changes))
            garbage.tidy()
            what = f"a fault of Pointsman itself: {type(error).__name__}: {error}"
            self._news.failed(PointsmanError(what, hint="please report it, with the lines above"))
            return
        self.features.telemetry.own.translations.add(time.perf_counter() - started)
        self._announce(frozenset(changes), started)

    def _announce(self, sources: frozenset[str], started: float) -> None:
        """Tells of the change once proxies have it, without keeping the next change waiting."""
        earlier = self._announcement
        if earlier is not None and not earlier.task.done():
            earlier.task.cancel()
            sources, started = sources | earlier.sources, earlier.started

        async def announce() -> None:
            self._news.changed(await self.acknowledged(tuple(sorted(sources)), started))
            garbage.tidy()

        task = asyncio.create_task(announce(), name="announcement")
        self._announcement = Announcement(sources, started, task)

    async def _compile(self, changes: Mapping[str, str | None]) -> None:
        for source, text in changes.items():
            self._store.replace(source, text)
        kept = await self.features.access.sources(self._store.resources())
        for source, text in kept.items():
            self._store.replace(source, text)
        resources = await self.features.rollouts.overlay(self._store.resources())
        given = await self._site.given(resources)
        given = replace(given, registered=self.features.discovery.is_configured)
        self._compiled = self._compiler.compile(resources, given)
        graph = self._compiled.graph
        self._directory = Directory(graph.proxies.values())
        await self.features.want(resources, graph, self._directory)

    def _classify(self, newcomer: Newcomer) -> Audience | None:
        proxy = self._directory.find(newcomer.id)
        if proxy is None:
            return None
        node_class = self._site.node_class(proxy, newcomer)
        whom = audience(proxy, node_class)
        if whom not in self._published:
            self._compiled = self._compiler.add(node_class)
            self._published[whom] = node_class
            self._serve(node_class)
        return whom

    def _rejected(self, whom: Hashable, rejection: Rejection) -> None:
        if not isinstance(whom, Audience) or whom not in self._published:
            return
        self.features.telemetry.own.rejections[short_name(rejection.type_url)] += 1
        self._rejections.add(whom, rejection)
        if self._retries.rejected(whom, rejection):
            asyncio.get_running_loop().call_later(RETRY_S, self._offer_again, whom)

    def _offer_again(self, whom: Audience) -> None:
        node_class = self._published.get(whom)
        if node_class is not None:
            self._serve(node_class)
