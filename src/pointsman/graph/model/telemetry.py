"""What proxies tell a collector of OpenTelemetry: what a TelemetryPolicy means."""

from dataclasses import dataclass

from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one proxy tells.

    Attributes:
        policy: the policy.
        url: address of the collector, `http://` or `https://`.
        ca_file: authorities it is checked against; None for those of the system.
        sample_percent: share of the requests that are traced, 0 to 100; None traces nothing.
        trusts: whether a gateway goes on with traces of clients.
        logs: whether every request is told as a log record.
    """

    policy: Key
    url: str
    ca_file: str | None = None
    sample_percent: float | None = None
    trusts: bool = False
    logs: bool = False
