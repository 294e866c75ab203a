"""Traces and log records for a collector of OpenTelemetry, as proxies are told to make them.

Envoy gathers both in buffers and sends them by itself; while the collector is away or slow they
are dropped, and no request waits. Trace context is W3C's (`traceparent`, `tracestate`).
"""

from collections.abc import Iterator
from typing import Final

from pointsman.envoy import pb
from pointsman.envoy.access_log import fields_of
from pointsman.envoy.actions import duration, share
from pointsman.envoy.matchers import Fields
from pointsman.envoy.outside import Outside, outside_cluster
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.sidecar import Sidecar
from pointsman.graph.model.telemetry import Collector

FORGED: Final = ("traceparent", "tracestate")
"""Headers by which a client would hang spans into traces of its choice."""
_TIMEOUT_MS: Final = 1_000


def collector_clusters(proxy: Gateway | Sidecar) -> Iterator[Sealed]:
    """The cluster of the server that traces and records go to, if there is one."""
    telemetry = proxy.telemetry
    if telemetry is not None and telemetry.asked is not None:
        yield seal(outside_cluster(_server(telemetry.asked)), (telemetry.policy,))


def tracing(proxy: Gateway | Sidecar) -> Fields:
    """The field `tracing` of a connection manager; nothing where nothing is traced."""
    telemetry = proxy.telemetry
    if telemetry is None or telemetry.asked is None or telemetry.sample_percent is None:
        return {}
    config = pb.OpenTelemetryConfig(
        grpc_service=_service(telemetry.asked), service_name=proxy.key.path
    )
    kind = "virtual_gateway" if isinstance(proxy, Gateway) else "virtual_node"
    literals = {"appmesh.mesh": proxy.mesh, f"appmesh.{kind}": proxy.name}
    tags: list[Fields] = [
        {"tag": tag, "literal": {"value": value}} for tag, value in literals.items()
    ]
    tags.append({"tag": "route", "value": "%ROUTE_NAME%"})
    return {
        "tracing": {
            "provider": {
                "name": "envoy.tracers.opentelemetry",
                "typed_config": pb.pack(config),
            },
            "random_sampling": {"value": telemetry.sample_percent},
            "client_sampling": {"value": 0},
            "overall_sampling": {"value": 100},
            "spawn_upstream_span": {"value": True},
            "custom_tags": tags,
        }
    }


def tracing_of_route(percent: float | None) -> Fields:
    """The field `tracing` of a row; nothing where the proxy's own share counts."""
    if percent is None:
        return {}
    return {
        "tracing": {
            "random_sampling": share(percent),
            "client_sampling": share(0),
            "overall_sampling": share(100),
        }
    }


def forged_headers(proxy: Gateway | Sidecar) -> tuple[str, ...]:
    """What clients of a gateway may not bring along."""
    telemetry = proxy.telemetry
    if telemetry is None or telemetry.sample_percent is None or telemetry.trusts:
        return ()
    return FORGED


def record_log(proxy: Gateway | Sidecar) -> list[Fields]:
    """An access log that tells the collector of every request, if it is to be told."""
    telemetry = proxy.telemetry
    if telemetry is None or telemetry.asked is None or not telemetry.logs:
        return []
    attributes = [
        {"key": name, "value": {"string_value": command}}
        for name, command in fields_of(proxy).items()
    ]
    body = "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-HOST?:AUTHORITY)% %RESPONSE_CODE%"
    service = {"key": "service.name", "value": {"string_value": proxy.key.path}}
    config = pb.OpenTelemetryLog(
        common_config={
            "log_name": "requests",
            "transport_api_version": "V3",
            "grpc_service": _service(telemetry.asked),
        },
        body={"string_value": body},
        attributes={"values": attributes},
        resource_attributes={"values": [service]},
    )
    return [{"name": "envoy.access_loggers.open_telemetry", "typed_config": pb.pack(config)}]


def _server(collector: Collector) -> Outside:
    return Outside(collector.url, collector.ca_file, "http2")


def _service(collector: Collector) -> Fields:
    cluster = _server(collector).cluster
    return {"envoy_grpc": {"cluster_name": cluster}, "timeout": duration(_TIMEOUT_MS)}
