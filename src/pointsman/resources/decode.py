"""The text of one document to resources, and everything that is wrong with it at once.

Never raises, whatever the text; what cannot be used is reported, and what can be is used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from pointsman.resources.codes import notes, reading
from pointsman.resources.envelope import api, identify
from pointsman.resources.key import Key
from pointsman.resources.kinds.registry import APP_MESH, FLAGGER, GROUPS, POINTSMAN, Group, group_of
from pointsman.resources.objects import decode_object
from pointsman.resources.origin import Origin
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.text import Fault, UnreadableError, read
from pointsman.resources.variables import Unset, fill
from pointsman.resources.words import listed, nearest, shown

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decoded:
    """A document, decoded.

    Attributes:
        resources: the objects that can be used.
        namespaces: labels of the Namespace objects in it.
        problems: everything found, each with its origin.
        broken: keys of objects that cannot be used.
        unnamed: whether something in it has errors without telling its key.
    """

    resources: tuple[Resource[Any], ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    broken: tuple[Key, ...] = ()
    unnamed: bool = False

    def moved(self, lines: int) -> "Decoded":
        """The same document so many lines further down; specs are not copied."""

        def shifted(origin: Origin) -> Origin:
            return replace(origin, line=origin.line + lines)

        return replace(
            self,
            resources=tuple(replace(r, origin=shifted(r.origin)) for r in self.resources),
            problems=tuple(
                replace(
                    problem,
                    origin=shifted(problem.origin) if problem.origin else None,
                    at=(problem.at[0] + lines, problem.at[1]) if problem.at else None,
                )
                for problem in self.problems
            ),
        )


def decode(
    text: str, *, source: str = "-", line: int = 1, variables: Mapping[str, str] = _NOTHING
) -> Decoded:
    """Decodes one document.

    Args:
        text: the document as written.
        source: where it stands, for origins.
        line: its first line there, from 1.
        variables: values of `${NAME}`.
    """
    filled, unset = fill(text, variables)
    document = _Document(Origin(source, line, filled))
    try:
        tree = read(filled)
    except UnreadableError as error:
        document.faults([error.fault])
        document.unset(unset)
        return document.result()
    if tree.faults:
        document.faults(tree.faults)
        document.unset(unset)
    else:
        document.object(tree.value, document.origin, clean=tree.clean)
        if unset and document.ours:
            document.unset(unset)
    return document.result()


class _Document:
    """Collects what a document holds; a `kind: List` holds several objects."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.ours = False
        self._resources: list[Resource[Any]] = []
        self._namespaces: dict[str, Mapping[str, str]] = {}
        self._problems: list[Problem] = []
        self._broken: list[Key] = []
        self._unnamed = False

    def result(self) -> Decoded:
        return Decoded(
            tuple(self._resources),
            self._namespaces,
            tuple(self._problems),
            tuple(self._broken),
            self._unnamed,
        )

    def faults(self, faults: Iterable[Fault]) -> None:
        first = self.origin.line - 1
        for fault in faults:
            at = (first + fault.line, fault.column)
            problem = Problem(fault.code, fault.message, fault.hint, at=at)
            self._report(self.origin, problem)
        self._unnamed = True

    def unset(self, unset: Iterable[Unset]) -> None:
        for variable in unset:
            message = f"${{{variable.name}}} has no value and becomes empty"
            hint = f"give it one with --var {variable.name}=VALUE"
            at = (self.origin.line - 1 + variable.line, variable.column)
            self._report(self.origin, Problem(reading.VARIABLE_UNSET, message, hint, at=at))

    def object(self, tree: Any, origin: Origin, *, clean: bool) -> None:
        """Takes the object at an origin; of a list, each of its items."""
        found = api(tree)
        if isinstance(found, Problem):
            self._report(origin, found)
            self._unnamed = True
            return
        api_version, kind = found
        name, _, version = api_version.partition("/")
        if kind.endswith("List") and isinstance(tree.get("items"), list):
            for index, item in enumerate(tree["items"]):
                inner = replace(origin, root=(*origin.root, "items", index))
                self.object(item, inner, clean=clean)
        elif name in GROUPS and not _is_flagger_helper(name, kind):
            self.ours = True
            self._our_object(tree, GROUPS[name], version, kind, origin, clean=clean)
        elif (api_version, kind) == ("v1", "Namespace"):
            self._namespace(tree, origin)
        else:
            self._report(origin, _not_used(api_version, kind))

    def _our_object(
        self,
        tree: dict[str, Any],
        group: Group,
        version: str,
        kind: str,
        origin: Origin,
        *,
        clean: bool,
    ) -> None:
        problem = _unknown_version(group, version, kind) or _unknown_kind(group, kind)
        if problem is not None:
            self._report(origin, problem)
            self._unnamed = True
            return
        outcome = decode_object(tree, version, kind, clean=clean, origin=origin)
        self._report(origin, *outcome.problems)
        self._resources += outcome.resources
        if not outcome.resources:
            self._unnamed = self._unnamed or outcome.key is None
            self._broken += filter(None, [outcome.key])

    def _namespace(self, tree: dict[str, Any], origin: Origin) -> None:
        identity = identify(tree, "Namespace")
        self._report(origin, *identity.problems)
        if identity.problems or identity.key is None:
            self._unnamed = True
        else:
            self._namespaces[identity.key.name] = identity.labels

    def _report(self, origin: Origin, *problems: Problem) -> None:
        self._problems += (replace(problem, origin=origin) for problem in problems)


def _is_flagger_helper(group: str, kind: str) -> bool:
    """Whether an object is one of those beside a Canary: MetricTemplate, AlertProvider."""
    return group == FLAGGER.name and kind not in FLAGGER.specs


def _unknown_version(group: Group, version: str, kind: str) -> Problem | None:
    if version in group.versions:
        return None
    versions = listed(group.versions, "and")
    message = f"{group.name} has no version {shown(version)}, only {versions}"
    return Problem(reading.UNKNOWN_VERSION, message, _right_version(kind), path=("apiVersion",))


def _unknown_kind(group: Group, kind: str) -> Problem | None:
    if kind in group.specs:
        return None
    near = nearest(kind, group.specs)
    hint = f"did you mean {near}?" if near else f"its kinds are {listed(group.specs, 'and')}"
    message = f"{group.name} has no kind {shown(kind)}"
    return Problem(reading.UNKNOWN_KIND, message, _right_version(kind) or hint, path=("kind",))


def _right_version(kind: str) -> str:
    group = group_of(kind)
    return f"write apiVersion: {group.api_version}" if group else ""


def _not_used(api_version: str, kind: str) -> Problem:
    of = {"mesh": (APP_MESH, "App Mesh"), "pointsman": (POINTSMAN, "Pointsman")}
    meant = (
        whose for word, (group, whose) in of.items() if word in api_version and kind in group.specs
    )
    whose = next(meant, None)
    hint = f"for {whose}'s {kind} {_right_version(kind)}" if whose else ""
    message = f"{shown(kind)[1:-1]} ({shown(api_version)[1:-1]}) is not used by Pointsman"
    return Problem(notes.NOT_USED, message, hint, path=("kind",))
