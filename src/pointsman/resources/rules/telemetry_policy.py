"""Rules of TelemetryPolicy."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.kinds.telemetry_policy import TelemetryPolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.rules.urls import server


def check(resource: Resource[TelemetryPolicySpec]) -> Iterator[Problem]:
    """Targets, and something to tell the collector."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    if spec.traces is None and not spec.logs:
        message = "spec needs traces, logs or both: nothing is told to the collector"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)
    yield from server(key, (*SPEC, "collector", "address"), spec.collector.address)
    if spec.collector.ca_file is not None and spec.collector.address.startswith("http://"):
        where: FieldPath = (*SPEC, "collector", "caFile")
        message = f"{show_path(where)} is for collectors that are reached by https"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
