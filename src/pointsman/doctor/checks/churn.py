"""L15: manifests that change all the time."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from pointsman.doctor.catalogue.latency import CHURN
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, Place, fact
from pointsman.resources.words import counted, span

LEAST: Final = 20
"""Changes; a person who tries something out makes fewer."""
PER_MINUTE: Final = 4


def constant_changes(evidence: Evidence) -> Iterator[Finding]:
    """More changes than people make, with the source that changed most."""
    changes = evidence.live.revisions
    if len(changes) < LEAST:
        return
    took = changes[-1][0] - changes[0][0]
    if len(changes) < took / 60 * PER_MINUTE:
        return
    sources = Counter(source for _, changed in changes for source in changed)
    source, times = sources.most_common(1)[0]
    yield Finding(
        CHURN,
        Place(),
        f"manifests changed {counted(len(changes), 'time')} in {span(took)}",
        CHURN.severity,
        (fact(f"{source} changed {counted(times, 'time')}"),),
        "find out who writes it; pointsman history shows what each change was",
    )
