"""R22 and U13: proxies that have not what was written, and those that are not there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pointsman.doctor.catalogue.availability import NO_PROXY
from pointsman.doctor.catalogue.routes import STALE
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.resources.codes.envoy import REJECTED
from pointsman.resources.key import Key
from pointsman.resources.problem import Severity

PATIENCE_S: Final = 20.0
"""Seconds after which a proxy should have answered; clusters may take 15 s to warm."""


def gateways_without_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Gateways that nobody serves."""
    for key in sorted(evidence.live.gateways - _connected(evidence)):
        gateway = evidence.graph.gateways.get(key)
        if gateway is not None and gateway.listeners:
            yield found(
                NO_PROXY,
                key,
                (),
                f"no proxy of {key} is connected",
                fact(f"proxies of it have the node id {gateway.node_id}"),
                advice="start one, and see its log for why it cannot connect: pointsman proxy",
            )


def lost_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Virtual nodes whose proxies have counted requests in this while, and are not connected.

    A note, because with several control planes they may be with another one by now.
    """
    taken = evidence.live.taken
    for key in sorted(taken.keys() - _connected(evidence)):
        if key in evidence.graph.sidecars:
            gone = found(
                NO_PROXY,
                key,
                (),
                f"no proxy of {key} is connected any more",
                fact(f"{taken[key].requests} requests were counted by one not long ago"),
                advice="unless it was stopped, or went to another control plane, see its log for "
                "why it cannot connect: pointsman proxy",
            )
            yield replace(gone, severity=Severity.NOTE)


def _connected(evidence: Evidence) -> set[Key]:
    """Gateways and nodes that proxies are connected of."""
    found = (evidence.named.proxy(proxy.node) for proxy in evidence.live.proxies)
    return {whose.key for whose in found if whose is not None}


def lagging_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Proxies that have not answered what they were given for a while."""
    live = evidence.live
    for proxy in live.proxies:
        whose, given = evidence.named.proxy(proxy.node), live.given.get(proxy.node)
        if whose is None or given is None or proxy.state != "waiting":
            continue
        waits = live.now - max(given, proxy.since)
        if waits > PATIENCE_S:
            late = ", ".join(kind.type for kind in proxy.types if not kind.synced)
            yield found(
                STALE,
                whose.key,
                (),
                f"a proxy of {whose.key} has not answered its newest configuration for "
                f"{waits:.0f} s",
                fact(f"what it has not accepted: {late}; meant for it is version {proxy.version}"),
                advice="look at its log, and at the load of its machine; until then it serves "
                "what it had",
            )


def rejecting_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Proxies that reject a part of their configuration, in Envoy's words.

    Once it is known which resource is rejected a problem tells it; until then, nobody else does.
    """
    if any(problem.code is REJECTED for problem in evidence.problems):
        return
    for proxy in evidence.live.proxies:
        whose = evidence.named.proxy(proxy.node)
        for kind in proxy.types:
            if kind.error and whose is not None:
                yield found(
                    STALE,
                    whose.key,
                    (),
                    f"a proxy of {whose.key} rejects its newest {kind.type}",
                    fact(f"Envoy says: {kind.error}"),
                    advice="what it had before goes on serving; mend the object that is named",
                )
