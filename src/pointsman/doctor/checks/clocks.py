"""C04: clocks that are apart."""

from collections.abc import Iterator
from typing import Final

from pointsman.doctor.catalogue.configuration import CLOCKS_APART
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.resources.words import span

APART_S: Final = 30.0
"""Seconds; Envoy lets tokens be off by 60, and of two clocks both may be wrong."""


def clocks_apart(evidence: Evidence) -> Iterator[Finding]:
    """Nodes whose proxies tell of requests that ended in the future, or long ago."""
    for node, behind in sorted(evidence.live.clocks.items()):
        whose = evidence.named.proxy(node)
        if whose is None or abs(behind) < APART_S:
            continue
        way = "behind" if behind > 0 else "ahead of"
        yield found(
            CLOCKS_APART,
            whose.key,
            (),
            f"the clock of proxies of {whose.key} is {span(abs(behind))} {way} the control plane's",
            fact(f"records of requests are told {behind:.0f} s after their end, by its clock"),
            advice="have both machines set their clocks by NTP",
        )
