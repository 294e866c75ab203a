"""Dxx: rollouts that cannot do what they are for."""

from pointsman.doctor.check import MISROUTES, Check
from pointsman.resources.problem import Severity

STUCK = Check(
    "D01",
    Severity.ERROR,
    MISROUTES,
    "a rollout cannot move",
    "It has no route of its own whose weights it could move, or its plan can never come to an "
    "end. The weights are those of the manifests.",
)
