"""Which requests ask for a version of an API."""

import pytest
import re2

from pointsman.doctor.implied import exclude_each_other, header_implies
from pointsman.graph.links.version_policy import accepts
from pointsman.graph.model.match import HeaderCondition, HeaderTest
from pointsman.graph.request import header_holds

V1 = HeaderCondition("x-api-version", HeaderTest.EXACT, "v1", or_absent=True)
V2 = HeaderCondition("x-api-version", HeaderTest.EXACT, "v2")
ABSENT = HeaderCondition("x-api-version", HeaderTest.PRESENT, invert=True)


@pytest.mark.parametrize(
    ("accept", "asks"),
    [
        ("application/vnd.shop.v2+json", True),
        ("text/html, application/vnd.shop.v2+json;q=0.8, */*", True),
        ("Application/Vnd.Shop.V2+JSON", True),
        ("text/html,application/vnd.shop.v2+json", True),
        ("application/vnd.shop.v2+json ; charset=utf-8", True),
        ("application/vnd.shop.v22+json", False),
        ("x-application/vnd.shop.v2+json", False),
        ("application/vndxshop.v2+json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_a_media_type_among_those_that_are_accepted(accept: str, asks: bool) -> None:
    found = re2.fullmatch(accepts("application/vnd.shop.v2+json"), accept)
    assert (found is not None) == asks


@pytest.mark.parametrize(
    ("values", "holds"), [((), True), (("",), True), (("v1",), True), (("v2",), False)]
)
def test_the_default_is_for_those_who_ask_for_none(values: tuple[str, ...], holds: bool) -> None:
    assert header_holds(V1, values) == holds


def test_doctor_knows_what_an_absent_header_means() -> None:
    assert not header_implies(V1, V2)
    assert not header_implies(V1, HeaderCondition("x-api-version", HeaderTest.PRESENT))
    assert header_implies(HeaderCondition("x-api-version", HeaderTest.EXACT, "v1"), V1)
    assert header_implies(V1, V1)
    assert not exclude_each_other(V1, ABSENT)
