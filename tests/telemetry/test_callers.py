"""Who calls old versions of APIs: each caller once, by what cannot be forged, and not too many."""

from typing import Any

from pointsman.telemetry.callers import MOST, Callers
from pointsman.telemetry.requests import Request


def request(number: int = 0, **more: str) -> Request:
    fields: dict[str, Any] = {
        "id": "r",
        "start": float(number),
        "node": "mesh/m/virtualGateway/front",
        "route": "shop/v1",
        "client": f"10.0.{number // 250}.{number % 250}:5000",
        "api_version": "v1",
    }
    return Request(**{**fields, **more})


def test_a_consumer_is_one_caller_wherever_it_calls_from() -> None:
    callers = Callers()
    for number in (3, 1, 2):
        callers.add(request(number, consumer="shop/acme"))
    ((place, calls),) = callers.calls.items()
    assert (place, calls.count, calls.last) == (("shop/v1", "shop/acme"), 3, 3.0)


def test_what_clients_say_of_their_address_counts_for_nothing() -> None:
    callers = Callers()
    for forged in ("192.0.2.1", "192.0.2.2"):
        callers.add(request(forwarded=forged))
    assert list(callers.calls) == [("shop/v1", "10.0.0.0")]


def test_routes_without_versions_are_left_alone() -> None:
    callers = Callers()
    callers.add(request(api_version=""))
    assert not callers.calls


def test_a_newcomer_takes_the_place_of_who_was_away_longest() -> None:
    callers = Callers()
    for number in range(MOST):
        callers.add(request(number))
    callers.add(request(0))
    callers.add(request(MOST))
    assert len(callers.calls) == MOST
    known = {caller for _, caller in callers.calls}
    assert "10.0.0.0" in known
    assert "10.0.0.1" not in known
