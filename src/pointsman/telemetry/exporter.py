"""Tells collectors of OpenTelemetry what proxies count, as TelemetryPolicies ask for it.

Proxies report to the control plane alone, which passes totals on: so a collector gets the same
bounded number of series as Prometheus, by the mesh's names, and no proxy has to be started anew
when a policy changes. Totals are sent, not differences, so whatever a collector misses while it is
away is made up for by the next report.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from grpc import StatusCode, aio, ssl_channel_credentials

from pointsman.aio.endless import endless
from pointsman.envoy import pb
from pointsman.envoy.outside import SYSTEM_AUTHORITIES, Outside
from pointsman.graph.model.telemetry import Collector
from pointsman.resources.key import Key
from pointsman.telemetry.family import Family
from pointsman.telemetry.metrics import SERVICE
from pointsman.telemetry.otlp import metrics_requests

EVERY_S: Final = 15.0
"""Seconds between two reports to one collector."""
_LONGEST_S: Final = 10.0
_METHOD: Final = f"/{SERVICE}/Export"

log = structlog.get_logger(__name__)

Families = Callable[[Collection[Key]], Iterable[Family]]
"""What some gateways and nodes counted."""


class MetricsExporter:
    """Reports to each collector that is wanted. To be used on the event loop's thread.

    Args:
        families: see `Families`.
        instance: tells this control plane from others.
        every_s: see `EVERY_S`.

    Attributes:
        failures: why a collector has not taken the last report, by collector.
    """

    def __init__(self, families: Families, instance: str, every_s: float = EVERY_S) -> None:
        self._families = families
        self._instance = instance
        self._every_s = every_s
        self._since_ns = time.time_ns()
        self._wanted: Mapping[Collector, Collection[Key]] = {}
        self._tasks: dict[Collector, asyncio.Task[None]] = {}
        self.failures: dict[Collector, str] = {}

    def want(self, wanted: Mapping[Collector, Collection[Key]]) -> None:
        """Whose numbers each collector is to have from now on."""
        self._wanted = wanted
        for gone in self._tasks.keys() - wanted.keys():
            self._tasks.pop(gone).cancel()
            self.failures.pop(gone, None)
        for collector in wanted.keys() - self._tasks.keys():
            reporting = endless(partial(self._report, collector), "metrics export")
            task = asyncio.create_task(reporting, name="metrics export")
            self._tasks[collector] = task

    async def close(self) -> None:
        """Ends all reports."""
        tasks = tuple(self._tasks.values())
        self.want({})
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _report(self, collector: Collector) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            # A channel of its own each time: authorities may have changed, and a report is rare.
            failure = await self._sent(collector)
            if failure and collector not in self.failures:
                log.warning("metrics not taken", collector=collector.url, reason=failure)
            if failure:
                self.failures[collector] = failure
            else:
                self.failures.pop(collector, None)

    async def _sent(self, collector: Collector) -> str:
        """Why a report was not taken; "" when it was."""
        families = tuple(self._families(self._wanted[collector]))
        now_ns = time.time_ns()

        def written() -> list[bytes]:
            requests = metrics_requests(families, self._instance, self._since_ns, now_ns)
            # An empty one tells whether anybody is there.
            return [request.SerializeToString() for request in requests] or [b""]

        # A full window takes a third of a second; proxies are served meanwhile.
        parts = await asyncio.to_thread(written)
        try:
            async with _channel(collector) as channel:
                call = channel.unary_unary(
                    _METHOD, response_deserializer=pb.MetricsResponse.FromString
                )
                for part in parts:
                    await call(part, timeout=_LONGEST_S)
        except aio.AioRpcError as error:
            if error.code() is StatusCode.DEADLINE_EXCEEDED:
                return f"no answer within {_LONGEST_S:.0f} s"
            return f"{error.code().name}: {error.details()}"
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return ""


def _channel(collector: Collector) -> Any:
    """A connection to a collector.

    Raises:
        OSError: the authorities it is checked against cannot be read.
    """
    server = Outside(collector.url, collector.ca_file)
    if not server.is_https:
        return aio.insecure_channel(str(server.address))
    authorities = Path(server.ca_file or SYSTEM_AUTHORITIES).read_bytes()
    credentials = ssl_channel_credentials(root_certificates=authorities)
    return aio.secure_channel(str(server.address), credentials)
