"""BackendPolicy: how callers choose among the endpoints of a virtual node's port."""

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.graph.links.context import Context
from pointsman.graph.links.discovery import discovery_of
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.cluster import (
    EVENLY,
    Balancing,
    CookieHash,
    HeaderHash,
    SlowStart,
    SourceHash,
    Stickiness,
)
from pointsman.resources.codes import notes
from pointsman.resources.key import Key
from pointsman.resources.kinds.backend_policy import BackendPolicySpec
from pointsman.resources.kinds.backend_policy import Stickiness as StickinessSpec
from pointsman.resources.kinds.virtual_node import (
    CloudMapServiceDiscovery,
    DnsServiceDiscovery,
    VirtualNodeSpec,
)

KIND = "BackendPolicy"
_ONE_ADDRESS = (
    "proxies see one endpoint only, as its DNS answers are those of a load balancer; "
    "say responseType: ENDPOINTS there"
)


@dataclass(frozen=True, slots=True)
class Balanced:
    """What a policy says of a port.

    Attributes:
        balancing: how callers choose.
        zone_aware: whether endpoints of their own zone come first.
    """

    balancing: Balancing = EVENLY
    zone_aware: bool = False


_DEFAULT: Linked[Balanced] = Linked(Balanced())


def link_balancing(
    context: Context, node: Key, spec: VirtualNodeSpec, port: int, protocol: str
) -> Linked[Balanced]:
    """The choice among endpoints of a node's port, by its own policy or the node's."""
    found = context.policies.effective(KIND, (Target(node, str(port)), Target(node)))
    if found is None:
        return _DEFAULT
    attached = found.origins[0]
    result: Linked[Balanced] = context.memo.get(
        ("balancing", node, port),
        (attached, spec.service_discovery, protocol),
        lambda: _link(attached, spec, port, protocol),
    )
    return result


def _link(attached: Attached, node: VirtualNodeSpec, port: int, protocol: str) -> Linked[Balanced]:
    findings = Findings(attached.policy)
    spec: BackendPolicySpec = attached.spec
    sticky = _stickiness(spec.stickiness)
    if protocol == "tcp" and sticky is not None and not isinstance(sticky, SourceHash):
        message = f"port {port} of {attached.target.key} carries TCP, which has no headers"
        findings.add(notes.NO_EFFECT, ("spec", "stickiness"), message)
        sticky = None
    for field, reason in _useless(spec, discovery_of(node)):
        findings.add(notes.NO_EFFECT, ("spec", field), f"{attached.target.key}: {reason}")
    slow = spec.slow_start
    algorithm = spec.algorithm or ("RING_HASH" if sticky else "ROUND_ROBIN")
    if sticky is None and algorithm in ("RING_HASH", "MAGLEV"):
        algorithm = "ROUND_ROBIN"
    balancing = Balancing(
        algorithm=algorithm,
        stickiness=sticky,
        slow_start=None if slow is None else SlowStart(slow.window.ms, slow.min_percent),
        panic_percent=spec.panic_threshold,
        connect_ms=10_000 if spec.connect_timeout is None else spec.connect_timeout.ms,
    )
    return linked(Balanced(balancing, spec.zone_aware), findings.problems)


def _useless(
    spec: BackendPolicySpec, discovery: DnsServiceDiscovery | CloudMapServiceDiscovery | None
) -> Iterator[tuple[str, str]]:
    """Fields that can do nothing with the way endpoints are found, and why."""
    if isinstance(discovery, DnsServiceDiscovery) and discovery.response_type != "ENDPOINTS":
        for field, value in (
            ("stickiness", spec.stickiness),
            ("slowStart", spec.slow_start),
            ("algorithm", None if spec.stickiness else spec.algorithm),
        ):
            if value is not None:
                yield field, _ONE_ADDRESS
    if spec.zone_aware and not isinstance(discovery, CloudMapServiceDiscovery):
        yield "zoneAware", "nobody knows the zones; only AWS Cloud Map and registries tell them"


def _stickiness(spec: StickinessSpec | None) -> Stickiness | None:
    if spec is None:
        return None
    if spec.cookie is not None:
        ttl = spec.cookie.ttl
        return CookieHash(spec.cookie.name, spec.cookie.path, 0 if ttl is None else ttl.ms // 1000)
    if spec.header is not None:
        return HeaderHash(spec.header.lower())
    return SourceHash()
