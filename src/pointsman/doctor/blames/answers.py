"""Answers without a flag: of an application, of a route itself, and of no route."""

from typing import Final

from pointsman.doctor.blamed import Blame, of_node
from pointsman.doctor.blames.refusals import SIZES, denied, not_taken
from pointsman.doctor.catalogue import availability, routes
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure
from pointsman.doctor.finding import Place
from pointsman.doctor.places import route_field, rule_field

_DENIALS: Final = (401, 403)
_METHOD_NOT_TAKEN: Final = 405


def answered(evidence: Evidence, failure: Failure) -> Blame | None:
    """By status and details alone."""
    request = failure.request
    if request.details.startswith("via_upstream"):
        return _by_application(failure)
    if request.status in _DENIALS:
        return denied(evidence, failure)
    if request.details == "direct_response":
        return _by_route(evidence, failure)
    if request.status in SIZES:
        return not_taken(failure, SIZES[request.status])
    return None


def _by_application(failure: Failure) -> Blame | None:
    status = failure.request.status
    if status >= 500:
        cause = f"the application answers {status} itself"
        return Blame(availability.FAILS, of_node(failure), cause, "look into the application's log")
    if status == 404:
        advice = "compare the path it sees, by pointsman explain, with what it serves"
        cause = "the application answers 404 itself"
        return Blame(routes.NOT_THERE, of_node(failure), cause, advice, minor=True)
    return None


def _by_route(evidence: Evidence, failure: Failure) -> Blame | None:
    """Answers that stand in a route itself."""
    status, rule, route = failure.request.status, failure.rule, failure.route
    if rule is None:
        return None
    if status == _METHOD_NOT_TAKEN:
        return not_taken(failure, f"method {failure.request.method} is not taken")
    if status == 404:
        return Blame(
            routes.NOTHING_LEFT,
            Place(rule.key, rule_field(evidence, rule, "action")),
            "no route of the virtual service takes what the gateway route makes of them",
            "mend rewrite of the gateway route, or match of the router's routes",
        )
    if status == 503:
        place = Place(rule.key)
        if route is not None and failure.request.route != rule.key.path:
            place = Place(route.key, route_field(evidence, route, "action"))
        return Blame(
            routes.NO_TARGET,
            place,
            "it leads to nothing that can be reached",
            "look at pointsman check for what is missing, and for weights of 0",
        )
    return None


def lost(_evidence: Evidence, failure: Failure) -> Blame | None:
    """Requests that no route takes."""
    proxy, request = failure.proxy, failure.request
    if proxy is None:
        return None
    if request.way == "out":
        return Blame(
            routes.NO_BACKEND,
            Place(proxy.key, ("spec", "backends")),
            f"{request.authority} is none of its backends",
            "name the virtual service in spec.backends",
        )
    return Blame(routes.LOST, Place(proxy.key), "no gateway route takes them", minor=True)
