"""Results of linking one object, with what is wrong about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pointsman.resources.key import Key
from pointsman.resources.origin import FieldPath
from pointsman.resources.problem import Code, Problem, has_errors

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Linked(Generic[T_co]):
    """A linked value with what is wrong about it.

    Attributes:
        value: the result; usable even when broken, as far as that is safe.
        problems: found while linking this object, not those of the objects it uses.
        broken: whether it, or anything it uses, has an error.
    """

    value: T_co
    problems: tuple[Problem, ...] = ()
    broken: bool = False


def linked(value: T_co, problems: list[Problem], *uses: Linked[Any]) -> Linked[T_co]:  # type: ignore[misc]
    """A result that is broken if it has an error or uses something broken."""
    return Linked(value, tuple(problems), has_errors(problems) or any(used.broken for used in uses))


class Findings:
    """Collects the problems of one object."""

    def __init__(self, key: Key, *problems: Problem) -> None:
        self.key = key
        self.problems: list[Problem] = list(problems)

    def add(self, code: Code, path: FieldPath, message: str, hint: str = "") -> None:
        """Adds a problem at a field of the object."""
        self.problems.append(Problem(code, message, hint, key=self.key, path=path))


def problems_of(results: Iterable[object]) -> list[Problem]:
    """Problems of all linked results among some results."""
    return [
        problem for result in results if isinstance(result, Linked) for problem in result.problems
    ]
