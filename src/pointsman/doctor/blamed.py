"""The cause that some requests failed for: a check, an object and half a sentence."""

from typing import Final, NamedTuple

from pointsman.doctor.check import Check
from pointsman.doctor.failures import Failure
from pointsman.doctor.finding import Place

ENDPOINT: Final = "{endpoint}"
"""Stands for where requests went; they have one cause, however many endpoints show it."""


class Blame(NamedTuple):
    """The cause that some requests have in common.

    Attributes:
        check: the kind of trouble.
        place: what has to be looked at.
        cause: half a sentence that follows "N of M requests …: ", with `ENDPOINT` in it.
        advice: what to do.
        minor: whether callers may be at fault, so that a few of them are nothing to mend.
    """

    check: Check
    place: Place
    cause: str
    advice: str = ""
    minor: bool = False


def of_node(failure: Failure, *path: str) -> Place:
    """A field of the virtual node a request went to, or whoever else it is counted for."""
    if failure.node is None:
        return Place(failure.subject)
    return Place(failure.node, ("spec", *path) if path else ())


def taken_by(failure: Failure) -> Place:
    """The gateway route, or whose proxy it was."""
    return Place(failure.rule.key if failure.rule is not None else failure.subject)
