"""Rules of MeshTLS."""

from collections.abc import Iterator

from pointsman.resources.kinds.mesh_tls import MeshTLSSpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.targets import check_targets


def check(resource: Resource[MeshTLSSpec]) -> Iterator[Problem]:
    """Targets it can be attached to."""
    yield from check_targets(resource)
