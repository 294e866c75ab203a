"""R22 and U13: proxies that have not what was written, and gateways without proxies."""

from collections.abc import Iterator

from pointsman.doctor.catalogue.availability import NO_PROXY
from pointsman.doctor.catalogue.routes import STALE
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found


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
