"""What became of a recorded request and why, proxy by proxy: as JSON and for people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointsman.observe.causes import causes
from pointsman.observe.decided import Decided, decided, decided_lines, policies
from pointsman.observe.explain import nearer_candidates, rejected_entry
from pointsman.observe.lines import Line, Piece, line
from pointsman.observe.requests import milliseconds, status_piece
from pointsman.observe.waterfall import spans_json, waterfall
from pointsman.telemetry.requests import Request, request_json
from pointsman.telemetry.requests_history import History


@dataclass(frozen=True, slots=True)
class Passage:
    """A request at one proxy, and what the configuration of its time says of it.

    Attributes:
        request: the record.
        decision: None where that configuration is not kept any more, or says nothing.
        earlier: whether the configuration had just changed, and the proxy still had the one before.
    """

    request: Request
    decision: Decided | None
    earlier: bool


def passages(requests: Iterable[Request], history: History) -> tuple[Passage, ...]:
    """Records of one request, each with the decision of its time."""
    return tuple(_passage(request, history) for request in requests)


def _passage(request: Request, history: History) -> Passage:
    era, before = history.era_at(request.start), history.before(request.start)
    found = None if era is None else decided(request, era.graph)
    if before is None or (found is not None and found.agrees):
        return Passage(request, found, earlier=False)
    earlier = decided(request, before.graph)
    if earlier is None or not earlier.agrees:
        return Passage(request, found, earlier=False)
    return Passage(request, earlier, earlier=True)


def why_json(found: Sequence[Passage]) -> dict[str, Any]:
    """What is known, as one JSON object."""
    return {"request": found[0].request.id, "proxies": [_entry(item) for item in found]}


def _entry(item: Passage) -> dict[str, Any]:
    return {
        **request_json(item.request),
        "causes": [cause._asdict() for cause in causes(item.request)],
        "spans": spans_json(item.request),
        "earlierConfiguration": item.earlier,
        "decision": None if item.decision is None else _decision(item.decision),
    }


def _decision(found: Decided) -> dict[str, Any]:
    rule = None if found.intent is None else found.intent.rule
    share = found.share
    return {
        "agrees": found.agrees,
        "gatewayRoute": None if rule is None else rule.key.path,
        "virtualService": None if share is None else share.service.key.path,
        "route": None if share is None or share.route is None else share.route.name,
        "policies": [f"{key.kind}/{key.path}" for key in policies(found)],
        "rejected": [rejected_entry(item) for item in nearer_candidates(found.rejected)],
    }


def why_lines(found: Sequence[Passage]) -> Iterator[Line]:
    """What is known, for people."""
    first = found[0].request
    moment = datetime.fromtimestamp(first.start, UTC)
    asked = f"{first.method or '?'} {first.authority}{first.path}"
    yield line(Piece(asked, "strong"), f" at {moment:%Y-%m-%d %H:%M:%S.%f}"[:-3], " UTC")
    yield line(
        "was answered ", status_piece(first), f" in {milliseconds(first.duration)}", *_caller(first)
    )
    for item in found:
        yield line()
        yield from _passage_lines(item)


def _passage_lines(item: Passage) -> Iterator[Line]:
    request = item.request
    version = f", configuration {request.version}" if request.version else ""
    yield line(*_place(request), version, ": ", status_piece(request))
    if item.earlier:
        yield line("  the configuration had just changed; what follows is the one before")
    yield line("  ", *_way(request))
    for cause in causes(request):
        yield line("  ", Piece(cause.sign, "error"), f" {cause.meaning}; look at {cause.look}")
    for label, text in (("failure", request.failure), ("ended", request.termination)):
        if text:
            yield line(f"  {label}: {text}")
    yield line()
    yield from waterfall(request)
    said = [line("  what the configuration said then is not known any more")]
    if item.decision is not None:
        said = [*decided_lines(request, item.decision)]
    if said:
        yield line()
    yield from said


def _place(request: Request) -> tuple[str | Piece, ...]:
    kind = "virtual gateway" if "/virtualGateway/" in request.node else "virtual node"
    way = {"in": "into", "out": "out of"}.get(request.way, "at")
    port = f" on port {request.port}" if request.port else ""
    return (f"{way} {kind} ", Piece(request.proxy, "name"), port)


def _way(request: Request) -> Iterator[str | Piece]:
    yield "took "
    yield Piece(f"route {request.route}" if request.route else "no route", "strong")
    if request.way == "in" and request.target == request.proxy:
        yield " to the application"
    elif request.target:
        yield " to virtual node "
        yield Piece(request.target, "name")
    if request.endpoint:
        yield f", endpoint {request.endpoint}"
    if request.tries > 1:
        yield f", in {request.tries} tries, of which this is the last"
    if request.details:
        yield f" ({request.details})"


def _caller(request: Request) -> Iterator[str | Piece]:
    if request.consumer:
        yield ", for consumer "
        yield Piece(request.consumer, "name")
    if request.client:
        yield f", client {request.client}"
