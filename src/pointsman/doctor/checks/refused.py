"""R23: proxies that ask to be served and are turned away."""

from collections.abc import Iterator
from typing import Final

from pointsman.doctor.catalogue.routes import TURNED_AWAY
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, Place, fact
from pointsman.resources.words import counted, nearest
from pointsman.xds.refused import Refused

MOST_COMPARED: Final = 200
"""Node ids among which the one that was meant is looked for."""


def refused_proxies(evidence: Evidence) -> Iterator[Finding]:
    """Each node id that proxies were turned away with, with the one that was probably meant."""
    known = [proxy.node_id for proxy in evidence.graph.proxies.values()][:MOST_COMPARED]
    for refused in evidence.live.refused:
        whose = evidence.named.proxy(refused.node)
        if refused.unknown and whose is not None:
            continue  # What it waits for has been written since.
        yield Finding(
            TURNED_AWAY,
            Place(None if whose is None else whose.key),
            f"a proxy that says it is {refused.node} is turned away: {refused.reason}",
            TURNED_AWAY.severity,
            (fact(f"it tried {counted(refused.count, 'time')}, last from {refused.peer}"),),
            _advice(refused, known),
        )


def _advice(refused: Refused, known: list[str]) -> str:
    if not refused.unknown:
        return "give it a certificate or a token for this node: docs/identity.md"
    meant = nearest(refused.node, known)
    if meant is not None:
        return f"start it with --node {meant}, if that is what was meant"
    return "write its virtual gateway or node, or stop the proxy"
