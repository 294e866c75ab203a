"""What is counted of proxies, and told a collector: what a TelemetryPolicy means."""

from dataclasses import dataclass

from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Collector:
    """A collector of OpenTelemetry, which takes OTLP over gRPC.

    Attributes:
        url: its address, `http://` or `https://`.
        ca_file: authorities it is checked against; None for those of the system.
    """

    url: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is counted of one gateway or node, and told.

    Attributes:
        policy: the policy.
        collector: who is told; None where nobody is.
        sample_percent: share of the requests that are traced, 0 to 100; None traces nothing.
        trusts: whether a gateway goes on with traces of clients.
        logs: whether every request is told as a log record.
        metrics: whether the control plane tells what proxies count.
        consumers: whether requests are counted by consumer.
    """

    policy: Key
    collector: Collector | None = None
    sample_percent: float | None = None
    trusts: bool = False
    logs: bool = False
    metrics: bool = False
    consumers: bool = False

    @property
    def asked(self) -> Collector | None:
        """The collector that proxies themselves talk to, if they do."""
        return self.collector if self.logs or self.sample_percent is not None else None
