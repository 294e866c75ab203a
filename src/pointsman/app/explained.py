"""Where a request would go, by manifests in files or by those a running instance serves."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pointsman.app.asked import Asked, choose_listener
from pointsman.app.offline import find_gateway, find_sidecar
from pointsman.errors import UsageError
from pointsman.graph.call import decide_call
from pointsman.graph.intent import Intent, decide
from pointsman.graph.model.graph import Graph
from pointsman.graph.request import Request
from pointsman.observe.access import reader
from pointsman.observe.explain import explain_json, path_keys
from pointsman.observe.explain_call import call_json, call_keys, call_lines
from pointsman.observe.explain_text import explain_lines
from pointsman.observe.lines import Line, line
from pointsman.observe.problems import problem_lines
from pointsman.observe.told import Told
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem, Severity
from pointsman.resources.report import problem_json
from pointsman.resources.store import Store

if TYPE_CHECKING:
    from pointsman.app.plane import ControlPlane

ROUTE = "GatewayRoute"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know.

    Attributes:
        asked: the request.
        url: its URL as it was written.
        gateway: the virtual gateway asked, by any of its names; None for the only one.
        port: the listener asked, or the port the application calls; None leaves it to the URL.
        sender: the virtual node whose application sends it; None for a client of a gateway.
    """

    asked: Asked
    url: str
    gateway: str | None = None
    port: int | None = None
    sender: str | None = None

    def json(self) -> dict[str, Any]:
        """The question as it travels."""
        return asdict(self)


def parse_question(body: Mapping[str, Any]) -> Question:
    """The question that travelled.

    Raises:
        ValueError: it is none.
    """
    try:
        asked = body["asked"]
        fields = dict(asked["request"])
        fields["headers"] = tuple((str(name), str(value)) for name, value in fields["headers"])
        request = Request(**fields)
        rest = {name: body.get(name) for name in ("gateway", "port", "sender")}
        return Question(Asked(request, asked["port"], asked["scheme"]), body["url"], **rest)
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a question: {error}") from None


@dataclass(frozen=True, slots=True)
class Manifests:
    """What is asked.

    Attributes:
        graph: what manifests mean.
        store: what was written.
        problems: what is wrong with it, located.
    """

    graph: Graph
    store: Store
    problems: tuple[Problem, ...]


def explained(manifests: Manifests, question: Question) -> Told:
    """The decision for a request, in both forms.

    Raises:
        UsageError: it cannot be told who is asked.
    """
    if question.sender is not None:
        return _call(manifests, question, question.sender)
    gateways = tuple(manifests.graph.gateways.values())
    gateway = find_gateway(gateways, question.gateway, "--gateway")
    listener = choose_listener(gateway, question.port, question.asked)
    request = question.asked.at(listener)
    intent = decide(gateway, listener, request)
    problems = _concerned(manifests, intent)
    recognise, place = reader(manifests.graph), manifests.store.place
    known = explain_json(intent, request, recognise, place)
    lines = explain_lines(intent, request, question.url, recognise, place)
    return _told(known, [*lines], problems)


def explained_live(plane: "ControlPlane", body: Any) -> Told:
    """The same by what a running instance serves.

    Raises:
        UsageError: it cannot be told who is asked.
        ValueError: the body is not a question.
    """
    manifests = Manifests(plane.features.requests.history.graph, plane.store, plane.problems())
    return explained(manifests, parse_question(body))


def _call(manifests: Manifests, question: Question, sender: str) -> Told:
    called = question.port or question.asked.port
    if called is None:
        raise UsageError(
            "which port does the application call?", hint="give the whole URL, or --port"
        )
    request = question.asked.request
    sidecars = tuple(manifests.graph.sidecars.values())
    call = decide_call(find_sidecar(sidecars, sender), called, request)
    keys = call_keys(call)
    problems = tuple(item for item in manifests.problems if item.key in keys)
    return _told(call_json(call, request), [*call_lines(call, request, question.url)], problems)


def _told(known: dict[str, Any], lines: list[Line], problems: tuple[Problem, ...]) -> Told:
    said = list(problem_lines(problems, notes=False))
    held = [line("  ", item.message) for item in problems if item.code is delivery.HOLDS]
    every = [*lines, *([line(), *held] if held else []), *([line(), *said] if said else [])]
    return Told({**known, "problems": [problem_json(item) for item in problems]}, every)


def _concerned(manifests: Manifests, intent: Intent) -> tuple[Problem, ...]:
    """Problems of the objects on the path, and errors that keep a nearer route from being there."""
    keys = path_keys(intent)
    served = _served(manifests.graph)

    def matters(problem: Problem) -> bool:
        if problem.key in keys:
            return True
        if problem.code.severity is not Severity.ERROR:
            return False
        key = problem.key
        return key is None or intent.rule is None or (key.kind == ROUTE and key not in served)

    return tuple(filter(matters, manifests.problems))


def _served(graph: Graph) -> set[Key]:
    """The gateway routes that requests can meet."""
    return {rule.key for rule in graph.rules}
