"""L06 to L10, L17, U22: where the time of slow requests went, and nodes that became slower."""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from pointsman.doctor.catalogue import latency
from pointsman.doctor.catalogue.availability import ON_PURPOSE
from pointsman.doctor.check import Check
from pointsman.doctor.checks.failing import with_why
from pointsman.doctor.checks.peers import Peers
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import fault_policy
from pointsman.doctor.finding import Finding, Place, fact
from pointsman.doctor.written import listener_field
from pointsman.envoy.stats import Measure
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath
from pointsman.resources.problem import Severity
from pointsman.telemetry.requests import Request
from pointsman.telemetry.traffic import Traffic

SLOW_MS: Final = 1000
"""Time from which on a request counts as slow."""
FEWEST: Final = 3
ENOUGH: Final = 20
"""Requests from which on times are compared."""
TIMES: Final = 3
"""How many times slower nine in ten requests have to be to be told of."""
MORE_MS: Final = 50
"""And by how much, in ms."""
RETRIED: Final = 0.05
"""Share of requests that are tried again from which on it is told."""


class _Part(NamedTuple):
    """Where most of the time of a request went, and the proxy or node that is about."""

    check: Check
    key: Key | None


def slow_requests(evidence: Evidence) -> Iterator[Finding]:
    """Where the time of slow requests went, by what most of it was."""
    parts: dict[_Part, list[Request]] = {}
    for request in evidence.live.requests:
        if request.duration >= SLOW_MS and not request.is_notable:
            part = _largest(evidence, request)
            if part is not None:
                parts.setdefault(part, []).append(request)
    deepest, peers = _deepest(parts), Peers(evidence)
    for part, those in parts.items():
        mine = [item for item in those if deepest[item.id] is item or not item.id]
        if len(mine) >= FEWEST:
            yield _slow(evidence, peers, part, mine)


def _deepest(parts: Mapping[_Part, list[Request]]) -> dict[str, Request]:
    """Of the records of one request the last one: those before it waited for it."""
    found: dict[str, Request] = {}
    for those in parts.values():
        for item in those:
            if item.id not in found or found[item.id].start < item.start:
                found[item.id] = item
    return found


def _largest(evidence: Evidence, request: Request) -> _Part | None:
    """The phase that took most of the time, in the record of one proxy."""
    phases, end = request.phases, request.duration
    node = evidence.named.node(request.cluster)
    proxy = evidence.named.proxy(request.node)
    taker = proxy.key if proxy is not None else None
    sent, whole = phases.sent, phases.sent_whole
    uploaded = phases.request or 0.0
    answered = phases.answered
    times: list[tuple[float, _Part]] = [(uploaded, _Part(latency.SLOW_CLIENT, taker))]
    before = max((sent or 0.0) - uploaded, 0.0)
    # Who goes by a connection that was there is told how long that took once.
    connect = min(phases.connect or 0.0, before)
    times.append((connect, _Part(latency.CONNECTING, node)))
    if request.tries <= 1:
        times.append((before - connect, _Part(_waited_for(evidence, taker, request.port), taker)))
    if answered is not None:
        waited = answered - max(whole or sent or 0.0, uploaded)
        times.append((waited, _Part(latency.SLOW_NODE, node)))
        times.append((end - answered, _Part(latency.SLOW_CLIENT, taker)))
    most, part = max(times, key=lambda item: item[0])
    return part if most >= end / 2 else None


def _waited_for(evidence: Evidence, taker: Key | None, port: int) -> Check:
    """What a request waits for in a proxy: a connection where these are limited, else filters."""
    served = evidence.ingress.get((taker, port)) if taker is not None else None
    pooled = served is not None and served.pool is not None
    return latency.POOL_FULL if pooled else latency.FILTERED


_CAUSES: Final = {
    latency.POOL_FULL: "most of it until a connection of the pool was free",
    latency.FILTERED: "most of it before they went on to a backend",
    latency.SLOW_CLIENT: "most of it to come from the client, or to go there",
    latency.CONNECTING: "most of it until they are connected",
    latency.SLOW_NODE: "most of it until the first byte of the answer",
}
_ADVICE: Final = {
    latency.POOL_FULL: "raise maxConnections of its connectionPool, or find out why it is slow",
    latency.FILTERED: "see who is asked by the AccessPolicy or RateLimitPolicy in force, and how "
    "fast that is",
    latency.SLOW_CLIENT: "look at the client's line, and at the size of bodies",
    latency.CONNECTING: "let the backend keep connections open, or bring it nearer",
    latency.SLOW_NODE: "look into the application, and at what it calls",
}


def _slow(evidence: Evidence, peers: Peers, part: _Part, those: list[Request]) -> Finding:
    longest = max(those, key=lambda item: item.duration)
    to = f" to {part.key}" if part.key else ""
    message = f"{len(those)} requests{to} took {SLOW_MS} ms and more, {_CAUSES[part.check]}"
    where = f" at {longest.endpoint}" if longest.endpoint else ""
    asked = f"{longest.method} {longest.authority}{longest.path}"
    facts = [fact(f"{asked} took {longest.duration:.0f} ms{where}")]
    if part.check is latency.SLOW_NODE and part.key is not None:
        facts += peers.faster(part.key, those)
    path: FieldPath = ()
    if part.check is latency.POOL_FULL and part.key is not None:
        path = listener_field(evidence, part.key, longest.port, "connectionPool")
    return Finding(
        part.check,
        Place(part.key, path),
        message,
        max(part.check.severity, Severity.WARNING, key=attrgetter("rank")),
        tuple(facts),
        with_why(_ADVICE[part.check], longest),
        affected=len(those),
    )


def delays_on_purpose(evidence: Evidence) -> Iterator[Finding]:
    """Policies whose delays were met, whatever else became of the requests."""
    met: Counter[Key] = Counter()
    for request in evidence.live.requests:
        if "DI" in request.flags and "FI" not in request.flags:
            named = evidence.named
            policy = fault_policy(named.rule(request.route), named.route(request.route))
            met.update([] if policy is None else [policy])
    for policy, count in met.items():
        yield Finding(
            ON_PURPOSE,
            Place(policy, ("spec", "fault")),
            f"{count} requests were delayed on purpose",
            Severity.WARNING,
            advice="remove fault when the test is over",
            affected=count,
        )


def slower_nodes(evidence: Evidence) -> Iterator[Finding]:
    """Nodes that take much longer than they did before."""
    for key, now in evidence.live.nodes.items():
        before = evidence.live.nodes_before.get(key, Traffic())
        if min(now.latency.count, before.latency.count) < ENOUGH:
            continue
        new, old = now.latency.quantile(0.9) or 0.0, before.latency.quantile(0.9) or 0.0
        if new >= max(TIMES * old, old + MORE_MS):
            yield Finding(
                latency.SLOW_NODE,
                Place(key),
                f"nine in ten requests to {key} take up to {new:.0f} ms, and {old:.0f} ms before",
                latency.SLOW_NODE.severity,
                advice="look at what changed there meanwhile: pointsman history, and its own log",
                affected=now.latency.count,
            )


def hidden_retries(evidence: Evidence) -> Iterator[Finding]:
    """Nodes whose requests are often tried again, while callers see few failures."""
    for key, traffic in evidence.live.nodes.items():
        retries, requests = traffic.numbers[Measure.RETRY], traffic.requests
        failed = traffic.failures
        if requests >= ENOUGH and retries >= RETRIED * requests and failed < retries:
            yield Finding(
                latency.HIDDEN_RETRIES,
                Place(key),
                f"{retries} times a request to {key} was tried again, for {requests} requests",
                latency.HIDDEN_RETRIES.severity,
                (fact(f"{failed} of the requests failed in the end"),),
                "find out why single tries fail: pointsman top --by node, and its own log",
                affected=retries,
            )
