"""What the control plane counts for all proxies: shared rates and quotas, by the ids of buckets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pointsman.graph.guarded import guards
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.limits import Allowance, Limits, Service, allowance_id, limit_id
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """An allowance that proxies get leases of.

    Attributes:
        policy: the policy.
        place: of the limit in the policy.
        allowance: how many requests are admitted, for each value they are counted by.
        shadow: whether leases let all pass, and only count.
        strict: whether proxies refuse what they have no lease for.
    """

    policy: Key
    place: int
    allowance: Allowance
    shadow: bool
    strict: bool = False


def shared_limits(graph: Graph) -> Mapping[tuple[str, str], SharedLimit]:
    """(`limit`, `allowance`) of a bucket -> what it is leased of."""
    policies = {item.limits for item in guards(graph) if item.limits is not None}
    return {name: shared for limits in policies for name, shared in _shared(limits)}


def _shared(limits: Limits) -> Iterator[tuple[tuple[str, str], SharedLimit]]:
    for place, limit in enumerate(limits.limits):
        if not limit.shared or isinstance(limit.allowance, Service):
            continue
        own = ((None, limit.allowance), *((i, o.allowance) for i, o in enumerate(limit.overrides)))
        for override, allowance in own:
            if allowance is not None:
                name = (limit_id(limits.policy, limit.name), allowance_id(override))
                yield name, SharedLimit(limits.policy, place, allowance, limit.shadow, limit.strict)
