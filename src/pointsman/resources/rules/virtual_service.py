"""Rules of VirtualService."""

from collections.abc import Iterator

from pointsman.resources.kinds.virtual_service import VirtualServiceSpec
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC, host, one_of


def check(resource: Resource[VirtualServiceSpec]) -> Iterator[Problem]:
    """A name clients can call; one provider, named once."""
    key, spec = resource.key, resource.spec
    if spec.aws_name is not None:
        yield from host(key, (*SPEC, "awsName"), spec.aws_name)
    provider = spec.provider
    if provider is None:
        return
    where = (*SPEC, "provider")
    node, router = provider.virtual_node, provider.virtual_router
    yield from one_of(key, where, {"virtualNode": node, "virtualRouter": router})
    if node is not None:
        names = {"virtualNodeRef": node.virtual_node_ref, "virtualNodeARN": node.virtual_node_arn}
        yield from one_of(key, (*where, "virtualNode"), names)
    if router is not None:
        names = {
            "virtualRouterRef": router.virtual_router_ref,
            "virtualRouterARN": router.virtual_router_arn,
        }
        yield from one_of(key, (*where, "virtualRouter"), names)
