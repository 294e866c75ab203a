"""Requests that are not taken: by policies, by limits, or because of how they are written."""

from typing import Final

from pointsman.doctor.blamed import Blame, taken_by
from pointsman.doctor.catalogue import availability, latency
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure, fault_policy
from pointsman.doctor.finding import Place

SIZES: Final = {
    413: "bodies are larger than is allowed",
    431: "headers are larger than is allowed",
}


def on_purpose(_evidence: Evidence, failure: Failure) -> Blame:
    """Faults of a policy."""
    policy = fault_policy(failure.rule, failure.route)
    return Blame(
        availability.ON_PURPOSE,
        Place(failure.subject) if policy is None else Place(policy, ("spec", "fault")),
        "a policy fails them on purpose",
        "remove fault when the test is over",
    )


def limited(_evidence: Evidence, failure: Failure) -> Blame:
    """Limits that are used up."""
    return Blame(
        availability.USED_UP,
        taken_by(failure),
        "a limit is used up",
        "see pointsman quota show, and the RateLimitPolicy in force with pointsman explain",
        minor=True,
    )


def limits_away(_evidence: Evidence, failure: Failure) -> Blame:
    """Services of limits that are away."""
    return Blame(
        availability.USED_UP,
        taken_by(failure),
        "the service of limits cannot be asked",
        "start it, or see where the RateLimitPolicy says it is",
    )


def denied(_evidence: Evidence, failure: Failure) -> Blame:
    """Callers that a policy of access turns away."""
    if "error" in failure.request.details:
        return Blame(
            availability.NOBODY_PASSES,
            taken_by(failure),
            "who decides whether they may pass cannot be asked",
            "start the service that the AccessPolicy asks",
        )
    return Blame(
        availability.NOBODY_PASSES,
        taken_by(failure),
        f"they are refused {failure.request.status} by a policy of access",
        "see the AccessPolicy in force with pointsman explain and the caller's credential",
        minor=True,
    )


def not_taken(failure: Failure, cause: str) -> Blame:
    """Requests that a HygienePolicy does not let in."""
    advice = "see the HygienePolicy in force"
    return Blame(availability.TOO_LARGE, taken_by(failure), cause, advice, minor=True)


def not_http(_evidence: Evidence, failure: Failure) -> Blame:
    """Clients that do not speak HTTP as it should be."""
    return Blame(
        availability.TOO_LARGE,
        Place(failure.subject),
        SIZES.get(failure.request.status, "clients send what is not HTTP as it should be"),
        "let clients speak the listener's protocol, TLS or not, within the limits of the "
        "HygienePolicy in force",
        minor=True,
    )


def overloaded(_evidence: Evidence, failure: Failure) -> Blame:
    """Proxies that are short of something."""
    key = failure.proxy.key if failure.proxy else None
    return Blame(
        latency.OVERLOADED, Place(key), "its proxy is overloaded", "give it more, or add proxies"
    )
