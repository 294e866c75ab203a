"""Every check finds its own mistakes, names them first, and says nothing of healthy twins."""

import pytest

from pointsman.doctor.catalogue import CHECKS
from tests.doctor import (
    availability_cases,
    latency_cases,
    live_cases,
    match_cases,
    routes_cases,
    test_live_plane,
    told_cases,
    way_cases,
)
from tests.doctor.case import Case, examined

CASES: tuple[Case, ...] = (
    *routes_cases.CASES,
    *match_cases.CASES,
    *latency_cases.CASES,
    *availability_cases.CASES,
    *told_cases.CASES,
)


NAMES = [(case.check, case.name) for case in CASES]
NAMES += [(case.check, case.name) for case in (*live_cases.CASES, *way_cases.CASES)]


def test_every_check_has_a_case() -> None:
    assert {check for check, _ in NAMES} | test_live_plane.TOLD == set(CHECKS)


def test_no_two_cases_are_called_the_same() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check} {case.name}")
def test_a_mistake_is_found_and_its_twin_is_clean(case: Case) -> None:
    findings = examined(case.base, case.bad)
    assert {finding.check.code for finding in findings} == {case.check}
    assert any(case.says in finding.message for finding in findings)
    assert all(finding.place.at for finding in findings)
    assert examined(case.base, case.good) == ()
