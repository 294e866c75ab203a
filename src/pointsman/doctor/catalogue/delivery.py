"""Dxx: rollouts that cannot do what they are for."""

from pointsman.doctor.check import MISROUTES, SILENT, Check
from pointsman.resources.problem import Severity

STUCK = Check(
    "D01",
    Severity.ERROR,
    MISROUTES,
    "a rollout cannot move",
    "It has no route of its own whose weights it could move, or its plan can never come to an "
    "end. The weights are those of the manifests.",
)
STARVED = Check(
    "D02",
    Severity.NOTE,
    SILENT,
    "a rollout waits",
    "It has not seen enough requests to judge the candidate, both versions fail alike, or somebody "
    "has to approve. It keeps the weights it has; nothing is rolled back for want of evidence.",
)
NOT_UNDONE = Check(
    "D03",
    Severity.ERROR,
    MISROUTES,
    "a rollback has not reached all proxies",
    "The weights are those of the stable version, but a proxy that has not taken them goes on "
    "sending requests to the candidate.",
)
