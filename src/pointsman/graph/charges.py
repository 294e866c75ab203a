"""Which limits a request would be charged to, and what it would be counted by, from the graph.

This says the same as the filters in `envoy`; tests compare the two by traffic.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.graph.judge import Caller
from pointsman.graph.model.limits import (
    Allowance,
    Counted,
    CountedBy,
    KeyKind,
    Limit,
    Limits,
    Override,
    Service,
)
from pointsman.graph.request import Request, header_holds, path_holds
from pointsman.resources.key import Key

_NUMBER_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Charge:
    """What a limit makes of a request.

    Attributes:
        policy: the policy.
        limit: the limit.
        place: of the limit in the policy.
        override: place of the override that holds; None for the limit's own allowance.
        allowance: how many are admitted, or who decides; None when the request is not counted.
        cost: as how many it counts.
        by: (what it is counted by, the value); None for what is not known.
        why: why it is not counted; "" when it is.
        certain: whether it is known who calls, so that no other allowance can hold.
    """

    policy: Key
    limit: Limit
    place: int
    override: int | None
    allowance: Allowance | Service | None
    cost: int
    by: tuple[tuple[str, str | None], ...]
    why: str = ""
    certain: bool = True


def charges(
    limits: Limits,
    request: Request,
    caller: Caller,
    route: str,
    address: str | None = None,
    *,
    certain: bool = True,
) -> Iterator[Charge]:
    """What each limit of a policy makes of a request, in the order in which they are asked.

    Args:
        limits: the policy before its route.
        request: the request as it arrives, its path normalised.
        caller: who calls.
        route: name of the row that takes it.
        address: the client's; None when it is not known.
        certain: whether it is known who calls; else somebody does.
    """
    stages = ((place, limit) for place, limit in enumerate(limits.limits))
    for place, limit in sorted(stages, key=lambda item: not item[1].before):
        index = next((i for i, item in enumerate(limit.overrides) if _fits(item, caller)), None)
        allowance = limit.allowance if index is None else limit.overrides[index].allowance
        why = "" if _counts(limit.counted, request) else "it counts other requests"
        if not why and allowance is None:
            why = "it does not count for who calls"
        yield Charge(
            limits.policy,
            limit,
            place,
            index,
            None if why else allowance,
            _cost(limit, request),
            tuple(_by(limit, request, caller if certain else None, route, address)),
            why,
            certain or not limit.overrides,
        )


def _fits(override: Override, caller: Caller) -> bool:
    return caller.consumer in override.consumers or bool(set(override.groups) & set(caller.groups))


def _counts(counted: Counted, request: Request) -> bool:
    return (
        (not counted.methods or request.method in counted.methods)
        and (not counted.paths or any(path_holds(path, request.path) for path in counted.paths))
        and all(header_holds(item, request.values(item.name)) for item in counted.headers)
    )


def _cost(limit: Limit, request: Request) -> int:
    if limit.cost_header is None:
        return limit.cost
    text = request.header(limit.cost_header) or ""
    good = text.isascii() and text.isdigit() and not text.startswith("0")
    return int(text) if good and len(text) <= _NUMBER_DIGITS else 1


def _by(
    limit: Limit, request: Request, caller: Caller | None, route: str, address: str | None
) -> Iterator[tuple[str, str | None]]:
    """Parts of the key; without a caller it is somebody nobody knows here."""
    given = [(item, _given(item, request, caller)) for item in limit.by]
    lacks = any(
        value is None
        for item, value in given
        if _may_lack(item) and (caller is not None or item.kind is KeyKind.HEADER)
    )
    for item, value in given:
        if not _may_lack(item):
            yield _word(item), _known(item, request, caller, route, address)
        elif not lacks:
            yield _word(item), value
    if lacks and not any(item.kind is KeyKind.IP for item in limit.by):
        yield "ip", _masked(CountedBy(KeyKind.IP), address)


def _may_lack(by: CountedBy) -> bool:
    return by.kind in (KeyKind.CONSUMER, KeyKind.CREDENTIAL, KeyKind.GROUPS, KeyKind.HEADER)


def _given(by: CountedBy, request: Request, caller: Caller | None) -> str | None:
    """What a request, or who sends it, has of its own; None when it is not there."""
    if by.kind is KeyKind.HEADER:
        return next(iter(request.values(by.name)), None)
    if caller is None or caller.consumer is None:
        return None
    match by.kind:
        case KeyKind.CONSUMER:
            return caller.consumer.path
        case KeyKind.CREDENTIAL:
            return caller.credential
        case _:
            return ", ".join(caller.groups) or "no group"


def _known(
    by: CountedBy, request: Request, caller: Caller | None, route: str, address: str | None
) -> str | None:
    """What a proxy knows of every request."""
    match by.kind:
        case KeyKind.IP:
            return _masked(by, address)
        case KeyKind.PATH:
            return request.path
        case KeyKind.ROUTE:
            return route
        case _:
            return None if caller is None else _claim(by.name, caller.claims)


def _claim(name: str, claims: Mapping[str, Any]) -> str:
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else "no claim"


def _masked(by: CountedBy, address: str | None) -> str | None:
    if address is None:
        return None
    bits = by.v6_bits if ipaddress.ip_address(address).version == 6 else by.v4_bits
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def _word(by: CountedBy) -> str:
    return f"{by.kind} {by.name}".strip()
