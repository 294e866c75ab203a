"""Services that decide how much is admitted: one that is asked each time, and one that leases."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from envoy.service.rate_limit_quota.v3 import rlqs_pb2
from envoy.service.ratelimit.v3 import rls_pb2

from pointsman.envoy import names, pb
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.outside import Outside, outside_cluster
from pointsman.envoy.seal import unseal
from pointsman.envoy.sealed import EXTENSION
from pointsman.envoy.translate import translate
from pointsman.graph.model.graph import Graph
from tests.support.instrument import MANAGER, Messages

Entries = tuple[tuple[str, str], ...]


@dataclass
class Asked:
    """A `ShouldRateLimit` service that admits so many of each descriptor.

    Attributes:
        most: how many.
        port: where it listens, on 127.0.0.1.
        domain: the domain it was asked about last.
        used: hits of each descriptor.
    """

    most: int
    port: int = 0
    domain: str = ""
    used: Counter[Entries] = field(default_factory=Counter)

    async def decide(self, request: Any, _context: Any) -> Any:
        """Answers one request."""
        self.domain = request.domain
        code = rls_pb2.RateLimitResponse.OK
        statuses = []
        for item in request.descriptors:
            entries = tuple((entry.key, entry.value) for entry in item.entries)
            self.used[entries] += item.hits_addend.value or 1
            over = self.used[entries] > self.most
            code = rls_pb2.RateLimitResponse.OVER_LIMIT if over else code
            statuses.append(
                {
                    "code": code,
                    "limit_remaining": max(0, self.most - self.used[entries]),
                    "current_limit": {"requests_per_unit": self.most, "unit": "HOUR"},
                    "duration_until_reset": {"seconds": 60},
                }
            )
        return rls_pb2.RateLimitResponse(overall_code=code, statuses=statuses)


@dataclass
class Leases:
    """An RLQS service that leases so many requests of each bucket, once.

    Attributes:
        most: how many, by the bucket's id; None assigns nothing.
        ttl_s: seconds for which a lease holds.
        port: where it listens, on 127.0.0.1.
        buckets: ids of all buckets it was asked for.
    """

    most: Callable[[dict[str, str]], int | None]
    ttl_s: int
    port: int = 0
    buckets: list[dict[str, str]] = field(default_factory=list)

    async def lease(self, reports: AsyncIterator[Any], _context: Any) -> AsyncIterator[Any]:
        """Answers one proxy."""
        async for report in reports:
            for usage in report.bucket_quota_usages:
                bucket = dict(usage.bucket_id.bucket)
                most = self.most(bucket)
                if bucket in self.buckets or most is None:
                    continue
                self.buckets.append(bucket)
                yield _assignment(usage.bucket_id, most, self.ttl_s)


def _assignment(bucket: Any, most: int, ttl_s: int) -> Any:
    strategy = {
        "token_bucket": {
            "max_tokens": most,
            "tokens_per_fill": {"value": 1},
            "fill_interval": {"seconds": 86_400},
        }
    }
    action = {"assignment_time_to_live": {"seconds": ttl_s}, "rate_limit_strategy": strategy}
    actions = [{"bucket_id": bucket, "quota_assignment_action": action}]
    return rlqs_pb2.RateLimitQuotaResponse(bucket_action=actions)


@asynccontextmanager
async def asked(most: int) -> AsyncIterator[Asked]:
    """Runs a `ShouldRateLimit` service."""
    service = Asked(most)
    handler = grpc.unary_unary_rpc_method_handler(
        service.decide,
        rls_pb2.RateLimitRequest.FromString,
        rls_pb2.RateLimitResponse.SerializeToString,
    )
    name = "envoy.service.ratelimit.v3.RateLimitService"
    async with _serving(name, "ShouldRateLimit", handler) as service.port:
        yield service


@asynccontextmanager
async def leases(
    most: Callable[[dict[str, str]], int | None], ttl_s: int = 3_600
) -> AsyncIterator[Leases]:
    """Runs an RLQS service."""
    service = Leases(most, ttl_s)
    handler = grpc.stream_stream_rpc_method_handler(
        service.lease,
        rlqs_pb2.RateLimitQuotaUsageReports.FromString,
        rlqs_pb2.RateLimitQuotaResponse.SerializeToString,
    )
    name = "envoy.service.rate_limit_quota.v3.RateLimitQuotaService"
    async with _serving(name, "StreamRateLimitQuotas", handler) as service.port:
        yield service


@asynccontextmanager
async def _serving(name: str, method: str, handler: Any) -> AsyncIterator[int]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {method: handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0.0)


def leased(
    graph: Graph, port: int, change: Callable[[Messages], None]
) -> Callable[[Messages], None]:
    """Makes a proxy of a file count with the others: as one of the control plane would.

    Args:
        graph: what it is translated from.
        port: where leases come from.
        change: a change to make besides.
    """
    (gateway,) = graph.gateways
    bundle = translate(graph, NodeClass(gateway))
    found = {name: unseal(item) for name, item in bundle.resources[EXTENSION].items()}

    def changed(messages: Messages) -> None:
        change(messages)
        server = outside_cluster(Outside(f"http://127.0.0.1:{port}", protocol="http2"))
        server.name = server.load_assignment.cluster_name = names.XDS_CLUSTER
        messages.clusters.append(server)
        for listener in messages.listeners:
            for chain in listener.filter_chains:
                for item in chain.filters:
                    _count_with_others(item, found)

    return changed


def _count_with_others(network_filter: pb.Message, found: dict[str, pb.Message]) -> None:
    if network_filter.name != MANAGER:
        return
    manager = pb.HttpConnectionManager()
    network_filter.typed_config.Unpack(manager)
    for item in manager.http_filters:
        if item.name.startswith("pointsman.limit") and item.name in found:
            item.typed_config.CopyFrom(found[item.name].typed_config)
    network_filter.typed_config.CopyFrom(pb.pack(manager))
