"""Rules of BackendGroup."""

from collections.abc import Iterator

from pointsman.resources.kinds.backend_group import BackendGroupSpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, unique


def check(resource: Resource[BackendGroupSpec]) -> Iterator[Problem]:
    """No service twice."""
    home = resource.key.namespace
    services = (f"{ref.namespace or home}/{ref.name}" for ref in resource.spec.virtual_services)
    yield from unique(resource.key, (*SPEC, "virtualservices"), (), services, "service")
