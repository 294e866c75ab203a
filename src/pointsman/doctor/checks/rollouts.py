"""D02 and D03: rollouts that wait, and rollbacks that are not with all proxies."""

from collections.abc import Iterator

from pointsman.doctor.catalogue.delivery import NOT_UNDONE, STARVED
from pointsman.doctor.checks.proxies import PATIENCE_S
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, fact, found
from pointsman.doctor.live import RolloutSeen


def waiting_rollouts(evidence: Evidence) -> Iterator[Finding]:
    """Rollouts that would go on if there were more to go by, or somebody said so."""
    for rollout in evidence.live.rollouts:
        if rollout.waits:
            yield found(
                STARVED,
                rollout.key,
                (),
                f"{rollout.key} waits: {rollout.waits}",
                *_counts(rollout),
                advice="pointsman rollout status shows what it has counted",
            )


def unfinished_rollbacks(evidence: Evidence) -> Iterator[Finding]:
    """Rollbacks that some proxy has not taken, with the proxies that are behind."""
    live = evidence.live
    behind = [proxy.node for proxy in live.proxies if proxy.state != "synced"]
    for rollout in live.rollouts:
        waited = live.now - rollout.since
        if rollout.undone and not rollout.settled and waited > PATIENCE_S:
            yield found(
                NOT_UNDONE,
                rollout.key,
                (),
                f"{rollout.key} was rolled back {waited:.0f} s ago, and not all proxies have it",
                *(fact(f"{node} has not taken its newest configuration") for node in behind),
                advice="see the log of those proxies; one that is started anew has it at once",
            )


def _counts(rollout: RolloutSeen) -> Iterator[Fact]:
    for name, (requests, failed) in (("candidate", rollout.candidate), ("stable", rollout.stable)):
        yield fact(f"{name}: {requests} requests in the newest interval, {failed} failed")
