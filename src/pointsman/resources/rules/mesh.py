"""Rules of Mesh."""

from collections.abc import Iterator

from pointsman.resources.kinds.mesh import MeshSpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, aws_name, selector


def check(resource: Resource[MeshSpec]) -> Iterator[Problem]:
    """A usable name and a valid selector."""
    yield from aws_name(resource.key, resource.spec.aws_name)
    where = (*SPEC, "namespaceSelector")
    yield from selector(resource.key, where, resource.spec.namespace_selector)
