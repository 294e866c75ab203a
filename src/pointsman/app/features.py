"""What stands beside compilation, feature by feature.

Each of them looks at what is compiled, adds to snapshots or answers proxies, and knows what is
wrong with its own part. The order among them is here; when anything happens is up to the plane.
"""

from collections.abc import Iterator
from typing import Any

from pointsman.access.check import check_handlers
from pointsman.access.introspection import Introspector
from pointsman.app.access import AccessState
from pointsman.app.discovery import Discovery
from pointsman.app.issuers import Issuers
from pointsman.app.issuing import Issuing
from pointsman.app.limits import LimitState
from pointsman.app.requests import RequestState
from pointsman.app.rollouts import Rollouts
from pointsman.app.site import HasProblems
from pointsman.app.telemetry import Telemetry
from pointsman.bodies.service import Bodies
from pointsman.control.compile import Proxy
from pointsman.envoy.filters.oauth import SERVER
from pointsman.envoy.filters.schemas import DOCUMENT
from pointsman.graph.guarded import body_schemas, opaque_methods
from pointsman.graph.model.graph import Graph
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet
from pointsman.rollout.measures import Measures
from pointsman.rollout.window_measures import WindowMeasures
from pointsman.xds.admission import Admission
from pointsman.xds.node_id import Directory
from pointsman.xds.snapshot import Snapshot


class Features:
    """The features of one control plane.

    Args:
        admission: who may be which node.
        discovery: finds endpoints.
        issuing: issues certificates.
        access: consumers and credentials.
        issuers: authorization servers.
        measures: counts requests for rollouts; None takes the window of what proxies report.
        alone: whether proxies are known to have no other control plane.
    """

    def __init__(
        self,
        admission: Admission,
        discovery: Discovery,
        issuing: Issuing,
        access: AccessState,
        issuers: Issuers,
        measures: Measures | None,
        *,
        alone: bool,
    ) -> None:
        self.discovery = discovery
        self.issuing = issuing
        self.access = access
        self.issuers = issuers
        self.limits = LimitState(access, admission, alone=alone)
        self.telemetry = Telemetry(admission)
        window = WindowMeasures(self.telemetry.window)
        self.rollouts = Rollouts(access, measures or window)
        self.requests = RequestState(admission)
        self._introspector = Introspector()
        self._bodies = Bodies()
        self._admission = admission

    @property
    def handlers(self) -> tuple[Any, ...]:
        """What proxies ask and tell, for `AdsServer(services=…)`."""
        asked = {DOCUMENT: self._bodies.answer, SERVER: self.issuers.pages}
        return (
            check_handlers(self._introspector, self._admission, asked),
            self.limits.handler,
            *self.telemetry.handlers,
            self.requests.handler,
        )

    async def want(self, resources: ResourceSet, graph: Graph, directory: Directory[Proxy]) -> None:
        """What is compiled is this now.

        Args:
            resources: what was written.
            graph: what it means.
            directory: knows its proxies.
        """
        self.discovery.follow()
        self.issuing.want(graph)
        self.access.want(graph)
        self.limits.want(graph)
        await self.issuers.want(graph)
        self._introspector.follow(opaque_methods(graph).values())
        self._bodies.follow(body_schemas(graph))
        self.telemetry.want(resources, graph, directory)

    def finish(self, proxy: Proxy, snapshot: Snapshot) -> Snapshot:
        """A snapshot with all that is never compiled: certificates, key sets, credentials."""
        snapshot = self.issuing.finish(proxy, snapshot)
        return self.issuers.finish(self.access.finish(snapshot))

    def problems(self) -> Iterator[Problem]:
        """What is wrong with any of them; not located yet."""
        every: tuple[HasProblems, ...] = (
            self.discovery,
            self.issuing,
            self.access,
            self.limits,
            self.issuers,
            self.rollouts,
            self.telemetry,
        )
        for each in every:
            yield from each.problems()

    async def close(self) -> None:
        """Ends what asks and counts."""
        await self.rollouts.close()
        await self.telemetry.close()
        await self._introspector.close()
        await self.limits.close()
