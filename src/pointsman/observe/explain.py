"""A routing decision as the JSON object of `pointsman explain --json`.

The decision itself is made in `graph.intent`. Here it gets the names people and scripts look for:
objects as `namespace/name`, times in seconds, shares in percent of all matching requests.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pointsman.envoy import names
from pointsman.graph.intent import Intent, Own, Rejected, Share, grpc_status
from pointsman.graph.judge import Recognise, Verdict
from pointsman.graph.model.cluster import Address, Cluster, WeightedCluster
from pointsman.graph.model.effects import Abort
from pointsman.graph.model.route import RetryPolicy, Route
from pointsman.graph.request import Request
from pointsman.graph.taken import refusal
from pointsman.observe.access import Where, verdict, verdict_json
from pointsman.observe.effects import effects_json, seconds
from pointsman.observe.hygiene import body_json, hygiene_json
from pointsman.observe.limits import charge_json, charged
from pointsman.observe.versions import version_json
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import DnsServiceDiscovery

T = TypeVar("T")


def explain_json(
    intent: Intent, request: Request, recognise: Recognise, where: Where
) -> dict[str, Any]:
    """The decision for a request, as one JSON object.

    `status` is what the client sees when Envoy itself answers every such request, else null; for
    gRPC it is 200 with the error in `grpcStatus`. Where several virtual services share the
    requests, what differs between them is null here and stands in each entry of `targets`.

    Args:
        intent: the decision.
        request: the request.
        recognise: tells whose credentials are.
        where: tells where policies were written.
    """
    shares = intent.shares
    several = len(shares) > 1
    found = {id(share): verdict(intent, share, recognise) for share in shares}
    own = [*found.values()] or [verdict(intent, None, recognise)]
    not_taken = refusal(intent, request)
    answer: Own = turned_away(own) or overall_status(intent)
    if not_taken is not None:
        answer = not_taken.status
    status, grpc = client_status(answer, request)
    return {
        "gateway": intent.gateway.key.path,
        "listener": intent.listener.port,
        "virtualHost": None if intent.host is None else str(intent.host.domain),
        "authorizationServer": None if intent.front is None else intent.front.server.path,
        "gatewayRoute": None if intent.rule is None else intent.rule.key.path,
        "version": version_json(None if intent.rule is None else intent.rule.version),
        **_common([decision(share) for share in shares]),
        "hygiene": hygiene_json(not_taken, where),
        "body": body_json(intent, where),
        **_guards(intent, shares, own, where),
        "targets": [
            {**entry, **(_guards(intent, [share], [found[id(share)]], where) if several else {})}
            for share in shares
            for entry in target_entries(share, request, several)
        ],
        "status": status,
        "grpcStatus": grpc,
        "rejected": [rejected_entry(item) for item in nearer_candidates(intent.rejected)],
    }


def turned_away(verdicts: Iterable[Verdict | None]) -> int | None:
    """The status of all requests like this one when guards turn each of them away alike."""
    statuses = {None if item is None else item.status for item in verdicts}
    return statuses.pop() if len(statuses) == 1 else None


def _guards(
    intent: Intent, shares: Sequence[Share], verdicts: Sequence[Verdict | None], where: Where
) -> dict[str, Any]:
    """What guards make of shares, or of the gateway route itself; null where they differ."""
    access = [verdict_json(found, where) for found in verdicts]
    limits = [
        [charge_json(item, where) for item in charged(intent, share, found)]
        for share, found in zip(shares or (None,), verdicts, strict=True)
    ]
    return {"access": _alike(access), "limits": _alike(limits)}


def _alike(found: Sequence[T]) -> T | None:
    return found[0] if all(item == found[0] for item in found) else None


def client_status(status: Own, request: Request) -> tuple[int | None, int | None]:
    """HTTP status and `grpc-status` a client sees when Envoy answers with `status`."""
    given: int | None = None
    if isinstance(status, Abort):
        given = status.grpc_status
        status = status.status or 200
    if status is None or not request.is_grpc:
        return status, None
    return 200, grpc_status(status) if given is None else given


def overall_status(intent: Intent) -> Own:
    """The status of all requests like this one when Envoy answers each of them alike."""
    if not intent.shares:
        return intent.status
    statuses = {share.status for share in intent.shares}
    return statuses.pop() if len(statuses) == 1 else None


def endpoints(cluster: Cluster) -> tuple[str, ...]:
    """Where a cluster's requests go, as `host:port`; a name is looked up by Envoy."""
    if cluster.endpoints is not None:
        return tuple(map(str, cluster.endpoints))
    if isinstance(cluster.discovery, DnsServiceDiscovery):
        return (str(Address(cluster.discovery.hostname, cluster.port)),)
    return ()


def percent(share: Share, item: WeightedCluster | None = None) -> float:
    """The part of all matching requests a share, or a target in it, gets; 4 digits."""
    total = sum(target.weight for target in share.targets)
    weight = 1.0 if item is None else item.weight / total if total else 0.0
    return round(100 * share.fraction * weight, 4)


def nearer_candidates(rejected: Iterable[Rejected]) -> tuple[Rejected, ...]:
    """What was tried before, each once even if two services share a router."""
    return tuple(dict.fromkeys(rejected))


def path_keys(intent: Intent) -> frozenset[Key]:
    """The objects a decision rests on."""
    keys = {intent.gateway.key}
    if intent.rule is not None:
        keys.add(intent.rule.key)
    for share in intent.shares:
        keys.add(share.service.key)
        if share.service.router is not None:
            keys.add(share.service.router)
        keys.update(item.cluster.node for item in share.targets)
        if share.route is not None:
            keys.update(share.route.policies)
    guards = (intent.guards, *(share.guards for share in intent.shares))
    keys.update(item.access.policy for item in guards if item.access is not None)
    keys.update(_hygiene_keys(intent))
    if intent.front is not None:
        keys.add(intent.front.server)
    keys.update(item.limits.policy for item in guards if item.limits is not None)
    return frozenset(keys)


def _hygiene_keys(intent: Intent) -> Iterator[Key]:
    if intent.listener.hygiene is not None:
        yield intent.listener.hygiene.policy
    if intent.rule is not None and intent.rule.hygiene is not None:
        yield intent.rule.hygiene.policy


def decision(share: Share) -> dict[str, Any]:
    """Service, router, route and limits of a share."""
    service, route = share.service, share.route
    return {
        "virtualService": service.key.path,
        "virtualRouter": None if service.router is None else service.router.path,
        "route": None if route is None else route.name,
        "rewritten": {"host": share.request.authority, "path": share.request.target},
        **_limits(route),
        "effects": effects_json(route),
    }


def _limits(route: Route | None) -> dict[str, Any]:
    if route is None:
        return dict.fromkeys(("timeout", "idleTimeout", "retries"))
    idle = route.timeouts.idle_ms
    return {
        "timeout": seconds(route.timeouts.request_ms),
        "idleTimeout": None if idle is None else seconds(idle),
        "retries": _retries(route.retry),
    }


def _retries(policy: RetryPolicy) -> dict[str, Any]:
    per_try = policy.per_retry_ms
    return {
        "max": policy.max_retries,
        "perTry": None if per_try is None else seconds(per_try),
        "on": [*policy.events, *map(str, policy.statuses)],
    }


_DECISION = (
    "virtualService",
    "virtualRouter",
    "route",
    "rewritten",
    "timeout",
    "idleTimeout",
    "retries",
    "effects",
)


def _common(decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """What all decisions have in common; null for the rest."""
    if not decisions:
        return dict.fromkeys(_DECISION)
    first = decisions[0]
    return {
        name: first[name] if all(other[name] == first[name] for other in decisions) else None
        for name in _DECISION
    }


def target_entries(share: Share, request: Request, several: bool) -> Iterator[dict[str, Any]]:
    """The targets of a share; `several` repeats in each what shares differ in."""
    more = decision(share) if several else {}
    if several and not share.targets:
        nobody: dict[str, Any] = dict.fromkeys(("virtualNode", "weight", "cluster"))
        own = {**nobody, "percent": percent(share), "endpoints": []}
        yield {**own, **more, **_answer(share.status, request)}
    for item in share.targets:
        entry = {
            "virtualNode": item.cluster.node.path,
            "weight": item.weight,
            "percent": percent(share, item),
            "cluster": names.cluster(item.cluster),
            "endpoints": list(endpoints(item.cluster)),
        }
        yield {
            **entry,
            **more,
            **_answer(_target_status(share, item), request),
        }


def _target_status(share: Share, item: WeightedCluster) -> Own:
    if share.abort is not None:
        return share.abort
    return 503 if item.weight and not item.cluster.is_found else None


def _answer(status: Own, request: Request) -> dict[str, Any]:
    """Envoy's own answer to the requests of one target, where it gives one."""
    if status is None:
        return {}
    seen, grpc = client_status(status, request)
    return {"status": seen} if grpc is None else {"status": seen, "grpcStatus": grpc}


def rejected_entry(item: Rejected) -> dict[str, Any]:
    """A candidate that was tried before."""
    return {
        "gatewayRoute": item.key.path if item.key.kind == "GatewayRoute" else None,
        "virtualRouter": item.key.path if item.key.kind == "VirtualRouter" else None,
        "route": item.route,
        "clause": item.clause,
    }
