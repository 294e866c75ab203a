"""R22 and U13: proxies that have not what was written, and those that are not there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pointsman.doctor.catalogue.availability import NO_PROXY
from pointsman.doctor.catalogue.routes import STALE
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.doctor.live import Live
from pointsman.resources.problem import Severity

PATIENCE_S: Final = 20.0
"""Seconds after which a proxy should have answered; clusters may take 15 s to warm."""


def gateways_without_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Gateways that nobody serves."""
    live = evidence.live
    for key in sorted(live.gateways) if live else ():
        gateway = evidence.graph.gateways.get(key)
        if gateway is None or not gateway.listeners:
            continue
        if not any(_is_of(evidence, proxy.node, key) for proxy in (live.proxies if live else ())):
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
    live = evidence.live
    if live is None:
        return
    connected = {whose.key for whose in map(evidence.named.proxy, _ids(live)) if whose is not None}
    for key in sorted(live.taken.keys() - connected):
        if key in evidence.graph.sidecars:
            gone = found(
                NO_PROXY,
                key,
                (),
                f"no proxy of {key} is connected any more",
                fact(f"{live.taken[key].requests} requests were counted by one not long ago"),
                advice="unless it was stopped, or went to another control plane, see its log for "
                "why it cannot connect: pointsman proxy",
            )
            yield replace(gone, severity=Severity.NOTE)


def _ids(live: Live) -> Iterator[str]:
    return (proxy.node for proxy in live.proxies)


def lagging_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Proxies that have not answered what they were given for a while."""
    live = evidence.live
    for proxy in live.proxies if live else ():
        whose = evidence.named.proxy(proxy.node)
        given = live.given.get(proxy.node) if live else None
        if live is None or whose is None or given is None or proxy.state != "waiting":
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

    What a rejection is about is told by its problem where the object is known; this is for those
    that name none.
    """
    told = {item.key for item in evidence.problems if item.code.id == "PM602"}
    for proxy in evidence.live.proxies if evidence.live else ():
        whose = evidence.named.proxy(proxy.node)
        for kind in proxy.types:
            if kind.error and whose is not None and not told:
                yield found(
                    STALE,
                    whose.key,
                    (),
                    f"a proxy of {whose.key} rejects its newest {kind.type}",
                    fact(f"Envoy says: {kind.error}"),
                    advice="what it had before goes on serving; mend the object that is named",
                )


def _is_of(evidence: Evidence, node_id: str, key: object) -> bool:
    whose = evidence.named.proxy(node_id)
    return whose is not None and whose.key == key
