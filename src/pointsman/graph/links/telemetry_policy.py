"""TelemetryPolicy: what is counted of a proxy, and which collector is told what."""

from typing import Final

from pointsman.graph.links.context import Context
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.telemetry import Collector, Telemetry
from pointsman.resources.key import Key
from pointsman.resources.kinds.telemetry_policy import TelemetryPolicySpec

KIND: Final = "TelemetryPolicy"


def proxy_telemetry(context: Context, owner: Key, mesh: Key | None) -> Telemetry | None:
    """That of a gateway or node, or else of its mesh; remembered. None where nobody says."""
    if mesh is None:
        return None
    found = context.policies.effective(KIND, (Target(owner), Target(mesh)))
    if found is None:
        return None
    attached = found.origins[0]
    step = ("telemetry", attached.policy)
    result: Telemetry = context.memo.get(step, (attached.spec,), lambda: _read(attached))
    return result


def _read(attached: Attached) -> Telemetry:
    spec: TelemetryPolicySpec = attached.spec
    return Telemetry(
        policy=attached.policy,
        collector=(
            Collector(spec.collector.address, spec.collector.ca_file) if spec.collector else None
        ),
        sample_percent=spec.traces.sample_percent if spec.traces else None,
        trusts=spec.traces.trust_callers if spec.traces else False,
        logs=spec.logs,
        metrics=spec.metrics,
        consumers=spec.consumers,
    )
