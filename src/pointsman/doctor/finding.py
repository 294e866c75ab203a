"""What a check found: the trouble, its place, what shows it, and what to do about it."""

from dataclasses import dataclass
from typing import Any, Literal

from pointsman.doctor.check import Check
from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath, Origin
from pointsman.resources.problem import Severity


@dataclass(frozen=True, slots=True)
class Place:
    """A field of an object, and where it was written.

    Attributes:
        key: the object; None where no object could be named.
        path: the field, from the root of the object; () for the whole object.
        origin: its document, once it is known.
        at: line and column, from 1, once they are known.
    """

    key: Key | None = None
    path: FieldPath = ()
    origin: Origin | None = None
    at: tuple[int, int] | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that shows a finding to be true, and where that is written if anywhere."""

    text: str
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a patch (RFC 6902): a field, and what becomes of it.

    Attributes:
        verb: what is done; "add" of a field that is there replaces it.
        path: the field, from the root of the object.
        value: what it becomes; of no meaning to "remove".
    """

    verb: Literal["add", "remove"]
    path: FieldPath
    value: Any = None


Patch = tuple[Operation, ...]
"""What mends a finding for certain; () where that is for people to decide."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of trouble.

    Attributes:
        check: which kind.
        place: where it has to be mended.
        message: one sentence with the particulars.
        facts: what shows it.
        advice: what to do, in words; "" where the message says all.
        patch: what mends it, where that is certain.
        severity: how much it matters.
        problem: id of the problem that was told here as a finding; "" when it was found here.
        affected: requests that it was seen in; 0 where nobody counts them.
    """

    check: Check
    place: Place
    message: str
    severity: Severity
    facts: tuple[Fact, ...] = ()
    advice: str = ""
    patch: Patch = ()
    problem: str = ""
    affected: int = 0


def found(
    check: Check,
    key: Key,
    path: FieldPath,
    message: str,
    *facts: Fact,
    advice: str = "",
    patch: Patch = (),
) -> Finding:
    """A finding of the check's own severity."""
    return Finding(check, Place(key, path), message, check.severity, facts, advice, patch)


def fact(text: str, key: Key | None = None, path: FieldPath = ()) -> Fact:
    """A fact, with the field it is written in."""
    return Fact(text, Place(key, path))
