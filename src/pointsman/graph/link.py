"""Resources to Graph: what everything that was written means together.

Linking never raises for bad input. It returns the graph of what can be served and the problems
of what cannot. Two things of the previous run may come in: its memo, which only saves work, and
its graph, from which the last good version of a rule is kept while its objects have errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.graph.links.access_policy import never_read
from pointsman.graph.links.access_reach import check_reach
from pointsman.graph.links.attach import read_policies
from pointsman.graph.links.authorization_server import read_servers
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.consumers import read_consumers
from pointsman.graph.links.context import Context, GivenEndpoints
from pointsman.graph.links.gateway_routes import link_gateway_route
from pointsman.graph.links.gateways import link_gateway
from pointsman.graph.links.in_force import InForce, Place
from pointsman.graph.links.known_callers import check_callers, check_counted
from pointsman.graph.links.last_good import settle
from pointsman.graph.links.linked import problems_of
from pointsman.graph.links.membership import read_membership
from pointsman.graph.links.mesh_tls import uses_identities
from pointsman.graph.links.owners import read_names
from pointsman.graph.links.rollouts import check_rollouts
from pointsman.graph.links.sidecars import link_sidecar
from pointsman.graph.links.unused import check_unused
from pointsman.graph.memo import Memo
from pointsman.graph.model.gateway import Gateway, GatewayRule
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.route import Service
from pointsman.graph.model.sidecar import Sidecar, TcpBackend
from pointsman.resources.codes import references
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.resource_set import ResourceSet


@dataclass(frozen=True, slots=True)
class LinkResult:
    """What linking gives.

    Attributes:
        graph: everything that can be served.
        problems: what is wrong, in no particular order.
        rules: the last good rule of each gateway route there is; the next run falls back on them.
        services: the last good version of each service sidecars call; the same for those.
        closed: see `Context`.
        memo: to be given to the next run.
    """

    graph: Graph
    problems: tuple[Problem, ...]
    rules: Mapping[Key, GatewayRule]
    services: Mapping[Place, Service | TcpBackend]
    closed: frozenset[Key]
    memo: Memo


def link(
    resources: ResourceSet,
    given: GivenEndpoints | None = None,
    previous: LinkResult | None = None,
    certificates: CertificateMap | None = None,
) -> LinkResult:
    """Links everything.

    Args:
        resources: what was written.
        given: addresses that come before discovery.
        previous: result of the run before.
        certificates: what stands for certificates of AWS.
    """
    memo = Memo(previous.memo if previous else None)
    found = read_membership(resources)
    # The same object while it is equal, so that everything compared with it is equal at a glance.
    membership = memo.get("membership", (found,), lambda: found)
    policies = read_policies(resources, memo)
    context = Context(
        resources,
        membership,
        given or GivenEndpoints(),
        memo,
        policies,
        certificates or CertificateMap(),
        servers=read_servers(resources, memo),
        closed=never_read(resources, previous.closed if previous else None),
    )
    read_names(context)
    last_good = previous.rules if previous else {}
    problems: list[Problem] = []
    rules: dict[Key, GatewayRule] = {}
    good: dict[Key, GatewayRule] = {}
    kept: set[Key] = set()
    for key, resource in resources.of("GatewayRoute").items():
        result = link_gateway_route(context, resource)
        problems.extend(result.problems)
        rule = result.value
        if result.broken and key in last_good:
            rule = good[key] = last_good[key]
            kept.add(key)
            problems.append(_kept(key))
        elif rule is not None and not result.broken:
            good[key] = rule
        if rule is not None:
            rules[key] = rule
    gateways = _gateways(context, settle(rules, kept))
    in_force = InForce(previous.services if previous else {})
    sidecars = _sidecars(context, in_force)
    problems.extend(_kept(place[0]) for place in sorted(in_force.kept))
    check_unused(context)
    check_rollouts(context)
    check_reach(context, rules)
    problems.extend(check_callers(context, gateways.values()))
    problems.extend(check_counted(context, gateways.values(), sidecars.values()))
    problems.extend(problems_of(memo.results()))
    memo.forget_previous()
    # A router with several ports is linked once for each, and says the same of what they share.
    graph = Graph(
        gateways, sidecars, read_consumers(context), context.servers, uses_identities(context)
    )
    found_problems = tuple(dict.fromkeys(problems))
    return LinkResult(graph, found_problems, good, in_force.now, context.closed, memo)


def _kept(key: Key) -> Problem:
    return Problem(references.LAST_GOOD, f"{key} is served as it was before", key=key)


def _sidecars(context: Context, in_force: InForce) -> dict[Key, Sidecar]:
    sidecars: dict[Key, Sidecar] = {}
    for key, resource in sorted(context.resources.of("VirtualNode").items()):
        sidecar = link_sidecar(context, resource, in_force).value
        if sidecar is not None:
            sidecars[key] = sidecar
    return sidecars


def _gateways(context: Context, rules: dict[Key, GatewayRule]) -> dict[Key, Gateway]:
    attached: dict[Key, list[GatewayRule]] = {}
    for rule in rules.values():
        attached.setdefault(rule.gateway, []).append(rule)
    gateways: dict[Key, Gateway] = {}
    node_ids: set[str] = set()
    for key, resource in sorted(context.resources.of("VirtualGateway").items()):
        gateway = link_gateway(context, resource, attached.get(key, ())).value
        if gateway is None or gateway.node_id in node_ids:
            continue
        node_ids.add(gateway.node_id)
        gateways[key] = gateway
    return gateways
