"""What an interval says of a candidate: pass, fail, or inconclusive, with the numbers for it.

The function is pure and its inputs are kept with every event, so that anybody can work a verdict
out again. Failing needs no minimum of requests, since the tests know how little a few of them
say; passing does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pointsman.rollout.plan import Criteria, Query
from pointsman.rollout.statistics import Table, excess_chance, look_risk, wilson


class Outcome(StrEnum):
    """What a check comes to."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Interval:
    """What was counted between two looks.

    Attributes:
        stage: index of the stage it was in.
        requests: of the candidate.
        failed: of these.
        slow: of these, slower than the criterion allows.
        stable: requests of the stable version.
        stable_failed: of these.
        known: whether anybody counted.
    """

    stage: int = 0
    requests: int = 0
    failed: int = 0
    slow: int = 0
    stable: int = 0
    stable_failed: int = 0
    known: bool = True

    @property
    def table(self) -> Table:
        """The counts that are compared."""
        return Table(self.requests, self.failed, self.stable, self.stable_failed)


@dataclass(frozen=True, slots=True)
class Check:
    """One criterion.

    Attributes:
        name: of the criterion.
        outcome: what it comes to.
        text: in words, with numbers.
        numbers: what it was worked out from.
    """

    name: str
    outcome: Outcome
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All criteria together: one that fails decides, then one that is inconclusive."""

    outcome: Outcome
    checks: tuple[Check, ...]

    @property
    def text(self) -> str:
        """The checks that decided, in words."""
        return "; ".join(check.text for check in self.checks if check.outcome is self.outcome)

    def json(self) -> dict[str, Any]:
        """Plain values, as events keep them."""
        return {"outcome": str(self.outcome), "checks": [asdict(check) for check in self.checks]}


def judge(
    criteria: Criteria, intervals: Sequence[Interval], values: Mapping[str, float | None]
) -> Verdict:
    """The verdict after the last of the intervals.

    Args:
        criteria: what is good.
        intervals: all of the rollout so far, the newest at the end.
        values: what queries gave by their names; None for nothing.
    """
    checks = [*_counted(criteria, intervals), *_queried(criteria.queries, values)]
    outcomes = {check.outcome for check in checks}
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        if outcome in outcomes:
            return Verdict(outcome, tuple(checks))
    return Verdict(Outcome.PASS, tuple(checks))


def _counted(criteria: Criteria, intervals: Sequence[Interval]) -> Iterator[Check]:
    newest = intervals[-1]
    here = _sum([newest] if criteria.plain else [i for i in intervals if i.stage == newest.stage])
    if not criteria.plain or criteria.success is not None or criteria.latency_ms is not None:
        yield _sample(criteria, here)
    if criteria.success is not None:
        good = here.requests - here.failed
        yield _share(criteria, "success rate", good, here.requests, criteria.success)
    if criteria.latency_ms is not None:
        fast = here.requests - here.slow
        name = f"answers within {criteria.latency_ms:g} ms"
        yield _share(criteria, name, fast, here.requests, criteria.quantile)
    if criteria.margin is not None:
        yield _comparison(criteria, criteria.margin, intervals, here)
    if criteria.max_failed is not None:
        yield _budget(criteria.max_failed, sum(interval.failed for interval in intervals))


def _sample(criteria: Criteria, here: Interval) -> Check:
    least = max(1, criteria.min_requests)
    enough = here.known and here.requests >= least
    text = f"{here.requests} of {least} requests"
    if not here.requests:
        text = "no requests are known of, the candidate is probably not receiving traffic"
    outcome = Outcome.PASS if enough else Outcome.INCONCLUSIVE
    return Check("sample", outcome, text, {"requests": here.requests, "least": least})


def _share(criteria: Criteria, name: str, hits: int, total: int, least: float) -> Check:
    """A share with a lower bound: plain, or with regard to how little a few requests say."""
    low, high = wilson(hits, total)
    share = hits / total if total else 0.0
    if not total:
        outcome = Outcome.INCONCLUSIVE
    elif share >= least:
        outcome = Outcome.PASS
    elif criteria.plain or high < least:
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.INCONCLUSIVE
    text = f"{name} {100 * share:.2f} % of {total}, {100 * least:g} % wanted"
    numbers = {"hits": hits, "total": total, "least": least, "low": low, "high": high}
    return Check(name, outcome, text, numbers)


def _comparison(
    criteria: Criteria, margin: float, intervals: Sequence[Interval], here: Interval
) -> Check:
    both = _sum(intervals)
    chance = excess_chance(_tables(intervals))
    limit = look_risk(criteria.risk, len(intervals))
    ours = here.failed / here.requests if here.requests else 0.0
    theirs = both.stable_failed / both.stable if both.stable else 0.0
    text = (
        f"fails {100 * ours:.2f} % of {here.requests}, the stable version {100 * theirs:.2f} % of "
        f"{both.stable} (chance {chance:.2g}, limit {limit:.2g})"
    )
    numbers = {
        "requests": here.requests,
        "failed": here.failed,
        "stable": both.stable,
        "stableFailed": both.stable_failed,
        "chance": chance,
        "limit": limit,
        "margin": margin,
    }
    if chance < limit and ours - theirs > margin:
        return Check("comparison", Outcome.FAIL, text, numbers)
    known = both.stable >= max(1, criteria.min_requests)
    return Check("comparison", Outcome.PASS if known else Outcome.INCONCLUSIVE, text, numbers)


def _tables(intervals: Sequence[Interval]) -> Iterator[Table]:
    """Each interval in which both served; and of those in which the candidate was alone, all of
    them against what the stable version did before.
    """
    shared = [interval for interval in intervals if interval.stable]
    alone = _sum([interval for interval in intervals if not interval.stable])
    yield from (interval.table for interval in shared)
    before = _sum(shared)
    if alone.requests and before.stable:
        yield Table(alone.requests, alone.failed, before.stable, before.stable_failed)


def _budget(most: int, failed: int) -> Check:
    outcome = Outcome.FAIL if failed > 0 and failed >= most else Outcome.PASS
    text = f"{failed} requests failed, {most} end it"
    return Check("failed requests", outcome, text, {"failed": failed, "most": most})


def _queried(queries: Sequence[Query], values: Mapping[str, float | None]) -> Iterator[Check]:
    for query in queries:
        value = values.get(query.name)
        if value is None or value != value:  # noqa: PLR0124 - NaN is no value
            yield Check(query.name, Outcome.INCONCLUSIVE, f"{query.name} has no value")
            continue
        low = query.min is not None and value < query.min
        high = query.max is not None and value > query.max
        outcome = Outcome.FAIL if low or high else Outcome.PASS
        yield Check(query.name, outcome, f"{query.name} is {value:g}", {"value": value})


def _sum(intervals: Sequence[Interval]) -> Interval:
    return Interval(
        stage=intervals[-1].stage if intervals else 0,
        requests=sum(interval.requests for interval in intervals),
        failed=sum(interval.failed for interval in intervals),
        slow=sum(interval.slow for interval in intervals),
        stable=sum(interval.stable for interval in intervals),
        stable_failed=sum(interval.stable_failed for interval in intervals),
        known=any(interval.known for interval in intervals),
    )
