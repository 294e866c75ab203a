"""A collector of OpenTelemetry that keeps what it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc import aio
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces


@dataclass
class Collector:
    """Takes OTLP over gRPC.

    Attributes:
        port: where it listens.
        spans: of traces.
        records: of logs.
        reports: of metrics, as they came.
    """

    port: int = 0
    spans: list[Any] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    reports: list[Any] = field(default_factory=list)

    async def trace(self, request: Any, _context: Any) -> Any:
        for resource in request.resource_spans:
            for scope in resource.instrumentation_library_spans:
                self.spans.extend(scope.spans)
        return traces.ExportTraceServiceResponse()

    async def log(self, request: Any, _context: Any) -> Any:
        for resource in request.resource_logs:
            for scope in resource.instrumentation_library_logs:
                self.records.extend(scope.logs)
        return logs.ExportLogsServiceResponse()

    async def measure(self, request: Any, _context: Any) -> Any:
        self.reports.append(request)
        return metrics.ExportMetricsServiceResponse()


@asynccontextmanager
async def collecting(
    port: int = 0, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[Collector]:
    """A collector, on a port of its own if none is named, with TLS if it has credentials."""
    made, server = Collector(), aio.server()
    for name, handler, request in (
        ("trace.v1.TraceService", made.trace, traces.ExportTraceServiceRequest),
        ("logs.v1.LogsService", made.log, logs.ExportLogsServiceRequest),
        ("metrics.v1.MetricsService", made.measure, metrics.ExportMetricsServiceRequest),
    ):
        method = grpc.unary_unary_rpc_method_handler(
            handler,
            request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
        full = f"opentelemetry.proto.collector.{name}"
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(full, {"Export": method}),)
        )
    address = f"127.0.0.1:{port}"
    made.port = (
        server.add_insecure_port(address)
        if credentials is None
        else server.add_secure_port(address, credentials)
    )
    await server.start()
    try:
        yield made
    finally:
        await server.stop(0)


def attributes(item: Any) -> dict[str, str]:
    """Attributes of a span, record, resource or point that are texts."""
    return {pair.key: pair.value.string_value for pair in item.attributes}
