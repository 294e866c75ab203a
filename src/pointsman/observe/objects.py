"""How far each object is: taken, complete, and with how many of its proxies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.observe.lines import Line, Piece, line, table
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem, Severity

_REFERENCES = "PM3"
"""How codes begin that are about objects which name each other."""


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """How far an object is.

    Attributes:
        accepted: whether it is in force as it was written.
        resolved: whether all that it names is there.
        proxies: how many connected proxies it concerns.
        programmed: how many of them have accepted all that was made from it.
        reason: the first thing that is wrong, as `CODE: message`; "" for nothing.
    """

    accepted: bool = True
    resolved: bool = True
    proxies: int = 0
    programmed: int = 0
    reason: str = ""

    @property
    def state(self) -> str:
        """`refused`, `unresolved`, `waiting`, `programmed`, or `accepted` where no proxy has it."""
        if not self.resolved:
            return "unresolved"
        if not self.accepted:
            return "refused"
        if not self.proxies:
            return "accepted"
        return "programmed" if self.programmed == self.proxies else "waiting"


def object_statuses(
    keys: Iterable[Key],
    problems: Iterable[Problem],
    proxies: Iterable[tuple[frozenset[Key], bool]],
) -> dict[Key, ObjectStatus]:
    """How far objects are, by key and in order.

    Args:
        keys: all objects, those that cannot be read included.
        problems: everything that is wrong.
        proxies: for each connected proxy what it carries, and whether it accepted all of that.
    """
    errors: dict[Key, list[Problem]] = {}
    for problem in problems:
        if problem.key is not None and problem.code.severity is Severity.ERROR:
            errors.setdefault(problem.key, []).append(problem)
    counts: dict[Key, tuple[int, int]] = {}
    for carried, accepted in proxies:
        for key in carried:
            known, programmed = counts.get(key, (0, 0))
            counts[key] = (known + 1, programmed + accepted)
    everything = sorted({*keys, *errors})
    return {key: _status(errors.get(key, ()), *counts.get(key, (0, 0))) for key in everything}


def _status(errors: Iterable[Problem], proxies: int, programmed: int) -> ObjectStatus:
    found = tuple(errors)
    return ObjectStatus(
        accepted=not found,
        resolved=not any(problem.code.id.startswith(_REFERENCES) for problem in found),
        proxies=proxies,
        programmed=programmed,
        reason=f"{found[0].code.id}: {found[0].message}" if found else "",
    )


def object_lines(answers: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """The objects for people: a table, and below it what is wrong.

    Args:
        answers: objects as the administration answers them.
    """
    if not answers:
        yield line("none")
        return
    yield from table(("KIND", "OBJECT", "STATE", "PROXIES"), map(_row, answers), indent=0)
    wrong = [item for item in answers if item["reason"]]
    if wrong:
        yield line()
    for item in wrong:
        place = item["origin"] or f"{item['kind']} {_path(item)}"
        yield line(Piece(place, "strong"), ": ", Piece(item["reason"], "error"))


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    proxies = f"{item['programmed']} of {item['proxies']}" if item["proxies"] else "-"
    return (item["kind"], _path(item), item["state"], proxies)


def _path(item: Mapping[str, Any]) -> str:
    return Key(item["kind"], item["namespace"], item["name"]).path
