"""What policies of hygiene make of a request, for `pointsman explain`.

Bodies are not known here: what can be told is which operation they would be compared with.
"""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.intent import Intent
from pointsman.graph.model.gateway import hygiene_of
from pointsman.graph.model.hygiene import BodySchemas
from pointsman.graph.taken import Refusal
from pointsman.observe.access import Where
from pointsman.observe.lines import Line, Piece, line


def hygiene_json(found: Refusal | None, where: Where) -> dict[str, Any] | None:
    """A refusal as one JSON object."""
    if found is None:
        return None
    return {
        "policy": found.policy.path,
        "at": where(found.policy, ("spec", found.field)),
        "status": found.status,
        "why": found.why,
    }


def hygiene_lines(found: Refusal, where: Where) -> Iterator[Line]:
    """A refusal as a person would tell it."""
    at = where(found.policy, ("spec", found.field))
    policy = Piece(found.policy.path, "name")
    yield line("because hygiene policy ", policy, f" ({at}) does not take it: {found.why}.")


def body_json(intent: Intent, where: Where) -> dict[str, Any] | None:
    """What the body is compared with, as one JSON object; null for nothing."""
    found = _schemas(intent)
    if found is None:
        return None
    return {
        "policy": found.policy.path,
        "at": where(found.policy, ("spec", "openapi")),
        "operation": _operation(intent, found),
        "unknown": "refuse" if found.refuses_unknown else "pass",
    }


def body_lines(intent: Intent, where: Where) -> Iterator[Line]:
    """The same as a person would tell it."""
    found = _schemas(intent)
    if found is None:
        return
    operation = _operation(intent, found)
    if operation is not None:
        words = f"compares its body, if it is JSON, with that of {operation}"
    elif found.refuses_unknown:
        words = "refuses it: the document does not have such an operation"
    else:
        words = "lets its body pass: the document does not have such an operation"
    policy = Piece(found.policy.path, "name")
    yield line()
    at = where(found.policy, ("spec", "openapi"))
    yield line("  hygiene policy ", policy, f" ({at}) {words}")


def _schemas(intent: Intent) -> BodySchemas | None:
    if intent.rule is None:
        return None
    hygiene = hygiene_of(intent.listener, intent.rule)
    return None if hygiene is None else hygiene.schemas


def _operation(intent: Intent, schemas: BodySchemas) -> str | None:
    from pointsman.resources.openapi.judge import judge_by  # noqa: PLC0415

    if intent.arrived is None:
        return None
    judge = judge_by(schemas.document, schemas.refuses_unknown)
    found = judge.operation(intent.arrived.method, intent.arrived.path)
    return None if found is None else found.name
