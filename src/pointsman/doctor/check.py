"""A kind of trouble that `pointsman doctor` knows, as documentation and reports speak of it.

Codes of problems (`resources.codes`) say what is wrong with what was written; codes of checks say
what will go wrong, and by which symptom somebody will notice. What is found is `finding.py`.
"""

from dataclasses import dataclass
from enum import StrEnum

from pointsman.resources.problem import Severity


class Symptom(StrEnum):
    """What people notice first."""

    MISROUTE = "misroute"
    SLOW = "slow"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Check:
    """A stable, documented kind of finding (`docs/doctor.md` has a table of them).

    Attributes:
        code: a letter for the group and two digits; never reused for something else.
        severity: of its findings, where these do not say otherwise.
        symptoms: how somebody may notice.
        title: one line, without the particulars.
        explanation: why it matters and what to do.
    """

    code: str
    severity: Severity
    symptoms: frozenset[Symptom]
    title: str
    explanation: str


MISROUTES = frozenset({Symptom.MISROUTE})
SLOWS = frozenset({Symptom.SLOW})
DOWNS = frozenset({Symptom.DOWN})
SILENT: frozenset[Symptom] = frozenset()
"""Nobody notices until somebody looks."""
