"""L03: retries that multiply along a chain of calls.

Only policies that somebody wrote are counted, and only those that try again when a server has
answered with a failure: a connection that was never made costs the server nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Final

from pointsman.doctor.catalogue.latency import AMPLIFIED
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, Place, found
from pointsman.doctor.paths import Call, calls
from pointsman.doctor.written import retry_of
from pointsman.graph.model.route import DEFAULT_RETRY, RetryPolicy
from pointsman.resources.key import Key

MOST_TRIES: Final = 25
"""Requests that one may become before it is told; five tries at each of two hops."""

MOST_CALLS: Final = 8
"""Calls of a chain that are followed."""

_ANSWERED: Final = frozenset(
    {
        *("server-error", "gateway-error", "unavailable", "internal"),
        *("deadline-exceeded", "resource-exhausted"),
    }
)


@dataclass(frozen=True, slots=True)
class _Hop:
    """A call that is made several times, and where that is written."""

    place: Place
    tries: int


_Chain = tuple[_Hop, ...]


_Calls = dict[Key, dict[tuple[_Hop | None, Key], None]]
"""Who calls which nodes, and how often for one request."""


def multiplied_retries(evidence: Evidence) -> Iterator[Finding]:
    """Chains of calls by which one request becomes too many."""
    made = _made(evidence)
    chains: dict[Key, _Chain] = {}
    for _ in range(MOST_CALLS):
        chains = {caller: _longest(made[caller], chains) for caller in made}
    called = {node for calls_of in made.values() for _, node in calls_of}
    starts = (chain for caller, chain in chains.items() if caller not in called)
    told = {chain for chain in starts if len(chain) > 1 and _tries(chain) > MOST_TRIES}
    yield from map(_finding, told)


def _longest(made: Iterable[tuple[_Hop | None, Key]], chains: dict[Key, _Chain]) -> _Chain:
    """The chain of most tries that begins with one of some calls; no call is in it twice."""
    longest: _Chain = ()
    for hop, node in made:
        chain = chains.get(node, ())
        if hop is not None and hop not in chain:
            chain = (hop, *chain)
        if _tries(chain) > _tries(longest):
            longest = chain
    return longest


def _made(evidence: Evidence) -> _Calls:
    made: _Calls = {}
    for call in calls(evidence):
        hop = _hop(evidence, call)
        made.setdefault(call.caller, {}).update(
            {(hop, cluster.node): None for cluster in call.clusters}
        )
    return made


def _hop(evidence: Evidence, call: Call) -> _Hop | None:
    if call.retry == DEFAULT_RETRY or not _repeats_answers(call.retry):
        return None
    return _Hop(retry_of(evidence, call), call.retry.max_retries + 1)


def _repeats_answers(retry: RetryPolicy) -> bool:
    failing = any(status >= 500 for status in retry.statuses)
    return retry.max_retries > 0 and (failing or not _ANSWERED.isdisjoint(retry.events))


def _tries(chain: Iterable[_Hop]) -> int:
    return prod(hop.tries for hop in chain)


def _finding(chain: _Chain) -> Finding:
    first = chain[0].place
    assert first.key is not None
    product = " times ".join(str(hop.tries) for hop in chain)
    message = f"one request may become {_tries(chain)} at the end of its chain: {product}"
    facts = (Fact(f"{hop.place.key} makes up to {hop.tries} tries", hop.place) for hop in chain)
    advice = "try again at one hop only, or on connection-error only"
    return found(AMPLIFIED, first.key, first.path, message, *facts, advice=advice)
