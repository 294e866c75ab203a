"""What limits make of a request, for `pointsman explain`: what it is charged to, and by what key.

How much is left is known to those who count, not here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pointsman.envoy import names
from pointsman.graph.charges import Charge, charges
from pointsman.graph.intent import Intent, Share
from pointsman.graph.judge import Caller, Verdict
from pointsman.graph.model.limits import Allowance, Quota, Rate, Service, limit_id
from pointsman.observe.access import Where
from pointsman.observe.lines import Line, Piece, line
from pointsman.resources.origin import FieldPath


def charged(intent: Intent, share: Share | None, found: Verdict | None) -> tuple[Charge, ...]:
    """What limits make of a request; what access turns away meets those before it only.

    Args:
        intent: the decision.
        share: the share of the requests in question; None for the gateway route itself.
        found: what access makes of it.
    """
    limits = (intent.guards if share is None else share.guards).limits
    if limits is None or intent.arrived is None or intent.rule is None:
        return ()
    caller = Caller() if found is None else found.caller
    certain = found is None or found.certain
    route = names.route(intent.rule, None if share is None else share.route)
    refused = found is not None and found.status is not None
    every = charges(limits, intent.arrived, caller, route, certain=certain)
    return tuple(charge for charge in every if charge.limit.before or not refused)


def charge_json(charge: Charge, where: Where) -> dict[str, Any]:
    """A charge as one JSON object; `by` has null for what is not known."""
    limit = charge.limit
    return {
        "limit": limit_id(charge.policy, limit.name),
        "at": where(charge.policy, _path(charge)),
        "counted": not charge.why,
        "why": charge.why or None,
        "allowance": None if charge.allowance is None else _words(charge.allowance),
        "override": charge.override,
        "by": dict(charge.by),
        "cost": charge.cost,
        "certain": charge.certain,
        "scope": "shared" if limit.shared else _scope(charge.allowance),
        "stage": "before" if limit.before else "after",
        "shadow": limit.shadow,
    }


def charge_lines(charges: Iterable[Charge], where: Where) -> Iterator[Line]:
    """Charges as a person would tell them, a line each."""
    for index, charge in enumerate(charges):
        if index == 0:
            yield line()
        name = Piece(limit_id(charge.policy, charge.limit.name), "name")
        at = f" ({where(charge.policy, _path(charge))}) "
        yield line("  limit ", name, at, *_told(charge))


def _told(charge: Charge) -> Iterator[str | Piece]:
    if charge.allowance is None:
        yield Piece("does not count it", "faint")
        yield f": {charge.why}"
        return
    verb = "counts it" if charge.cost == 1 else f"counts it as {charge.cost}"
    yield verb
    if charge.by:
        pairs = (f"{word} {value or 'of the client'}" for word, value in charge.by)
        yield f" by {', '.join(pairs)}"
    yield f": {_words(charge.allowance)}"
    if not charge.certain:
        yield ", unless one of its overrides is for who calls"
    if charge.limit.shadow:
        yield ", and refuses nobody, as a shadow"


def _words(allowance: Allowance | Service) -> str:
    match allowance:
        case Rate():
            return f"{allowance.requests} per {allowance.per}, {allowance.burst} at once"
        case Quota():
            window = {"calendar": "", "rolling": "rolling ", "firstUse": "first-use "}
            return f"{allowance.requests} per {window[allowance.window]}{allowance.per}"
        case Service():
            return f"as {allowance.url} decides for {allowance.domain}"


def _scope(allowance: Allowance | Service | None) -> str:
    return "external" if isinstance(allowance, Service) else "proxy"


def _path(charge: Charge) -> FieldPath:
    """The field that decides."""
    path: FieldPath = ("spec", "limits", charge.place)
    return path if charge.override is None else (*path, "overrides", charge.override)
