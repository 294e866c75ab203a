"""What proxies report over OTLP, into the window.

Envoy sends it to where it has its configuration from, by a call of its own every five seconds: what
changed since the call before. What cannot be sent is lost, so a control plane that is slow or away
costs numbers and never a request.

The messages are those of OpenTelemetry as the package `xds-protos` has them; it is of a time when
`scope_metrics` was called `instrumentation_library_metrics`. On the wire both are the same.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import grpc
import structlog

from pointsman.envoy import pb
from pointsman.envoy.stats import BUCKETS_MS, Stat, expiring_file, parse
from pointsman.proxy.stats_sink import NODE
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.expiries import Expiries
from pointsman.telemetry.subjects import Subjects
from pointsman.telemetry.window import Subject, Window
from pointsman.xds.admission import Admission, Refusal
from pointsman.xds.callers import caller_of, refuse

SERVICE: Final = "opentelemetry.proto.collector.metrics.v1.MetricsService"
_BOUNDS: Final = list(map(float, BUCKETS_MS))

log = structlog.get_logger(__name__)

Find = Callable[[str], Key | None]
"""The gateway or node that a node id means; None for one that is not configured."""


class MetricsServer:
    """Takes reports. All methods are to be called on the event loop's thread.

    Args:
        admission: who may report as which node.
        find: see `Find`.
        subjects: knows what names mean.
        window: takes what is counted.
        connections: takes what is open.
        expiries: takes until when certificates are good.
        clock: seconds since the epoch.

    Attributes:
        reports: how many there were.
        numbers: how many numbers were in them.
    """

    def __init__(
        self,
        admission: Admission,
        find: Find,
        subjects: Subjects,
        window: Window,
        connections: Connections,
        expiries: Expiries,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._admission = admission
        self._find = find
        self._subjects = subjects
        self._window = window
        self._connections = connections
        self._expiries = expiries
        self._clock = clock
        self.reports = 0
        self.numbers = 0

    @property
    def handler(self) -> Any:
        """For `AdsServer(services=(…,))`, or any other server of `grpc.aio`."""
        method = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=pb.MetricsRequest.FromString,
            response_serializer=pb.MetricsResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Export": method})

    async def _export(self, request: Any, context: Any) -> Any:
        caller, peer = caller_of(context), context.peer()
        for resource in request.resource_metrics:
            node_id = _node_id(resource)
            admitted = self._admission.admitted(caller, node_id)
            if isinstance(admitted, Refusal):
                log.warning("metrics refused", node=node_id, peer=peer, reason=str(admitted))
                await refuse(context, admitted)
            proxy = self._find(admitted)
            if proxy is not None:
                self.take(proxy, f"{node_id} {peer}", resource)
        return pb.MetricsResponse()

    def take(self, proxy: Key, whose: str, resource: Any) -> None:
        """Takes in one report.

        Args:
            proxy: the gateway or node it is of.
            whose: tells the proxy from all others.
            resource: `opentelemetry.proto.metrics.v1.ResourceMetrics`.
        """
        now = self._clock()
        open_now: dict[Subject, int] = {}
        self.reports += 1
        for metric in _metrics(resource):
            file = expiring_file(metric.name)
            if file is not None:
                for point in metric.gauge.data_points:
                    self._expiries.report(proxy, file, float(point.as_int), now)
                continue
            stat = parse(metric.name)
            subject = None if stat is None else self._subjects.find(proxy, stat)
            if stat is None or subject is None:
                continue
            self.numbers += 1
            if stat.measure is not None:
                self._count(subject, stat, metric, now)
            elif metric.HasField("histogram"):
                self._measure(subject, metric, now)
            elif metric.HasField("gauge"):
                count = sum(point.as_int for point in metric.gauge.data_points)
                open_now[subject] = open_now.get(subject, 0) + count
        self._connections.report(whose, proxy, open_now, now)

    def _count(self, subject: Subject, stat: Stat, metric: Any, now: float) -> None:
        amount = sum(point.as_int for point in metric.sum.data_points)
        for measure in (stat.measure, stat.cause):
            if amount > 0 and measure is not None:
                self._window.add(subject, measure, amount, now)

    def _measure(self, subject: Subject, metric: Any, now: float) -> None:
        for point in metric.histogram.data_points:
            # Another bootstrap than ours may have other bounds.
            if point.count and list(point.explicit_bounds) == _BOUNDS:
                counts = {index: count for index, count in enumerate(point.bucket_counts) if count}
                self._window.add_latencies(subject, counts, round(point.sum), now)


def _node_id(resource: Any) -> str:
    for attribute in resource.resource.attributes:
        if attribute.key == NODE:
            return str(attribute.value.string_value)
    return ""


def _metrics(resource: Any) -> Iterator[Any]:
    for scope in resource.instrumentation_library_metrics:
        yield from scope.metrics
