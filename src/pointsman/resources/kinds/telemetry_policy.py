"""TelemetryPolicy: what proxies count, and tell a collector of OpenTelemetry."""

from typing import ClassVar

from pointsman.resources.kinds.access_methods import Url
from pointsman.resources.kinds.base import Flag, Name, schema
from pointsman.resources.kinds.route_policy import Percent
from pointsman.resources.kinds.targets import TargetRefs, Targets


@schema
class Collector:
    """A collector that takes OTLP over gRPC."""

    address: Url
    """Where it listens, as `http://otel.example:4317`, or `https://` for TLS."""
    ca_file: Name | None = None
    """File of the authorities it is checked against, on the machines of the proxies and, for
    metrics, on that of the control plane; those of the system by default."""


@schema
class Traces:
    """Which requests are traced."""

    sample_percent: Percent = 1
    """The share of the requests that is traced. The first proxy on a request's way decides, and
    those behind it follow."""
    trust_callers: Flag = False
    """Whether a gateway goes on with traces that clients bring along; what is sampled it decides
    itself. Without it their `traceparent` and `tracestate` are taken away."""


@schema
class TelemetryPolicySpec:
    """Spec of a TelemetryPolicy."""

    TARGETS: ClassVar = Targets(("Mesh", "VirtualGateway", "VirtualNode"))

    target_refs: TargetRefs
    """Whose proxies it is for. A gateway's or node's own policy counts before its mesh's."""
    collector: Collector | None = None
    """Where traces, logs and metrics go."""
    traces: Traces | None = None
    """Spans of requests; none by default."""
    logs: Flag = False
    """Whether every request is a log record for the collector, with the fields of access logs."""
    metrics: Flag = False
    """Whether the control plane passes on to the collector what the proxies count."""
    consumers: Flag = False
    """Whether requests are counted by consumer, too."""
