"""Policies of two stages as one: what a gateway route's policy makes of a virtual router's route.

A request through a gateway passes two stages, and each may have a policy. Of timeouts, retries,
copies, cohorts, faults and CORS the gateway route's counts where it says something. Changes of
headers happen in both: to requests at the gateway route first, to responses there last.
"""

from dataclasses import replace

from pointsman.graph.model.effects import Effects, HeaderChange
from pointsman.graph.model.route import Override, Route, Timeouts

_ORDER = ("remove", "set", "add")


def overridden(route: Route, override: Override | None) -> Route:
    """A route with all that a policy in front of it says."""
    if override is None:
        return route
    times, effects, said = route.timeouts, route.effects, override.effects
    return replace(
        route,
        timeouts=Timeouts(
            times.request_ms if override.request_ms is None else override.request_ms,
            times.idle_ms if override.idle_ms is None else override.idle_ms,
        ),
        retry=override.retry or route.retry,
        effects=Effects(
            request_headers=in_turn(said.request_headers, effects.request_headers),
            response_headers=in_turn(effects.response_headers, said.response_headers),
            mirror=said.mirror or effects.mirror,
            cohort=said.cohort or effects.cohort,
            trace_percent=(
                effects.trace_percent if said.trace_percent is None else said.trace_percent
            ),
            fault=said.fault or effects.fault,
            cors=said.cors or effects.cors,
        ),
        policies=(override.policy, *route.policies),
    )


def in_turn(
    first: tuple[HeaderChange, ...], second: tuple[HeaderChange, ...]
) -> tuple[HeaderChange, ...]:
    """Two lists of changes as one, in the only order that Envoy knows: remove, set, add.

    What the second list removes or sets anew does not depend on what the first made of it.
    """
    anew = {item.name for item in second if item.verb != "add"}
    merged = [*(item for item in first if item.name not in anew), *second]
    return tuple(sorted(merged, key=lambda item: _ORDER.index(item.verb)))
