"""Rules of ListenerPolicy."""

from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.kinds.listener_policy import ListenerPolicySpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, unique
from pointsman.resources.rules.targets import check_targets


def check(resource: Resource[ListenerPolicySpec]) -> Iterator[Problem]:
    """Targets, something to do for them, and nothing twice."""
    key, spec = resource.key, resource.spec
    yield from check_targets(resource)
    if spec.compression is None and not spec.upgrades:
        message = "spec needs compression, upgrades or both"
        yield Problem(codes.ONE_OF, message, "", key, SPEC)
    yield from unique(key, (*SPEC, "upgrades"), (), spec.upgrades, "upgrade")
    if spec.compression is not None:
        encodings = spec.compression.encodings
        yield from unique(key, (*SPEC, "compression", "encodings"), (), encodings, "encoding")
