"""Rules of TelemetryPolicy."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.key import Key
from pointsman.resources.kinds.telemetry_policy import Collector, TelemetryPolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.rules.urls import server


def check(resource: Resource[TelemetryPolicySpec]) -> Iterator[Problem]:
    """Targets, something that is asked for, and a collector for what is told."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    told = {"traces": spec.traces, "logs": spec.logs, "metrics": spec.metrics}
    wanted = [name for name, value in told.items() if value]
    if not wanted and not spec.consumers:
        message = "spec needs traces, logs, metrics or consumers: it asks for nothing"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)
    if spec.collector is not None:
        yield from _collector(key, spec.collector)
    for name in wanted if spec.collector is None else ():
        where: FieldPath = (*SPEC, name)
        message = f"{show_path(where)} needs collector"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
    if spec.collector is not None and not wanted and spec.consumers:
        where = (*SPEC, "collector")
        message = f"{show_path(where)} needs traces, logs or metrics: nothing is told to it"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)


def _collector(key: Key, collector: Collector) -> Iterator[Problem]:
    path: FieldPath = (*SPEC, "collector")
    yield from server(key, (*path, "address"), collector.address)
    if collector.ca_file is not None and collector.address.startswith("http://"):
        where = (*path, "caFile")
        message = f"{show_path(where)} is for collectors that are reached by https"
        yield Problem(codes.DEPENDENT_FIELD, message, "", key, where)
