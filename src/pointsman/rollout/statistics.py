"""Whether counts differ by more than chance: pure functions of counts.

Both tests are exact or nearly so at the small counts a canary has. `excess_chance` takes each
interval by itself and adds up only what they say: pooled counts would blame the candidate for an
outage of both versions that happened while it had a larger share (Simpson's paradox).
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

WILSON_Z: Final = 3.0
"""Standard deviations of a bound: one good candidate in 740 is on the wrong side of it."""
_LARGE: Final = 400.0
"""Variance from which on the tail of a sum is that of a normal distribution, within a third."""
_REACH: Final = 9.0
"""Standard deviations around the mean beyond which there is less than 1e-15."""


class Table(NamedTuple):
    """What two versions did in one interval."""

    candidate: int
    candidate_failed: int
    stable: int
    stable_failed: int


def wilson(hits: int, total: int, z: float = WILSON_Z) -> tuple[float, float]:
    """Bounds of a share, from `hits` among `total` (Wilson's score interval); 0 and 1 for none."""
    if total == 0:
        return 0.0, 1.0
    share, square = hits / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    half /= 1 + square / total
    return max(0.0, middle - half), min(1.0, middle + half)


def excess_chance(tables: Iterable[Table]) -> float:
    """The chance that the candidate fails at least as often as it did, if both versions are alike.

    In each interval, given how many failed in all, the candidate's part of them is hypergeometric;
    the sum over the intervals is their convolution (the exact conditional test of a common odds
    ratio of one). Where counts are so large that it comes to the same, the normal distribution
    takes its place (Cochran, Mantel and Haenszel, with the correction for continuity).
    """
    tables = tuple(tables)
    moments = [_moments(table) for table in tables]
    variance = math.fsum(moment[1] for moment in moments)
    if variance > _LARGE:
        excess = sum(table.candidate_failed for table in tables) - 0.5
        excess -= math.fsum(moment[0] for moment in moments)
        return math.erfc(excess / math.sqrt(2 * variance)) / 2
    sums, seen, low = [1.0], 0, 0
    for table in tables:
        first, chances = _hypergeometric(table)
        seen += table.candidate_failed
        low += first
        sums = _convolved(sums, chances)
    return min(1.0, math.fsum(sums[max(0, seen - low) :]))


def look_risk(risk: float, look: int) -> float:
    """What part of a total risk of error the n-th look may take; all parts add up to it."""
    return risk * 6 / (math.pi * look) ** 2


def _moments(table: Table) -> tuple[float, float]:
    """Mean and variance of the candidate's part of the failures."""
    total = table.candidate + table.stable
    if total == 0:
        return 0.0, 0.0
    share = (table.candidate_failed + table.stable_failed) / total
    mean = table.candidate * share
    return mean, mean * (1 - share) * table.stable / max(1, total - 1)


def _hypergeometric(table: Table) -> tuple[int, list[float]]:
    """The least number of failures that can be the candidate's, and the chance of each."""
    drawn, total = table.candidate, table.candidate + table.stable
    failed = table.candidate_failed + table.stable_failed
    if total == 0 or failed == 0 or drawn == 0:
        return 0, [1.0]
    mean, variance = _moments(table)
    reach = _REACH * math.sqrt(variance) + 10
    first = max(0, failed - (total - drawn), math.floor(mean - reach))
    last = min(failed, drawn, math.ceil(mean + reach))
    first, last = min(first, table.candidate_failed), max(last, table.candidate_failed)
    whole = _log_choose(total, drawn)
    chances = [
        math.exp(_log_choose(failed, k) + _log_choose(total - failed, drawn - k) - whole)
        for k in range(first, last + 1)
    ]
    return first, chances


def _log_choose(among: int, chosen: int) -> float:
    return math.lgamma(among + 1) - math.lgamma(chosen + 1) - math.lgamma(among - chosen + 1)


def _convolved(left: list[float], right: list[float]) -> list[float]:
    if right == [1.0]:
        return left
    made = [0.0] * (len(left) + len(right) - 1)
    for index, one in enumerate(left):
        for offset, other in enumerate(right):
            made[index + offset] += one * other
    return made
