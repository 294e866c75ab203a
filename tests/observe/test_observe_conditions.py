import pytest

from pointsman.graph.model.gateway import ANY_HOST, Domain, DomainKind
from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.observe.conditions import describe_match


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (RequestMatch(), "any request"),
        (RequestMatch(PathCondition(PathKind.PREFIX, "/a")), "prefix /a"),
        (RequestMatch(PathCondition(PathKind.EXACT, "/a")), "path /a"),
        (RequestMatch(PathCondition(PathKind.REGEX, "/a+")), "path like /a+"),
        (RequestMatch(method="GET", scheme="http"), "method GET, scheme http"),
        (
            RequestMatch(queries=(QueryCondition("a"), QueryCondition("b", "1"))),
            'query parameter a is present, query parameter b is "1"',
        ),
    ],
)
def test_conditions_in_words(match: RequestMatch, words: str) -> None:
    assert describe_match(match) == words


@pytest.mark.parametrize(
    ("test", "plain", "inverted"),
    [
        (HeaderTest.EXACT, 'is "v"', 'is not "v"'),
        (HeaderTest.PREFIX, 'starts with "v"', 'does not start with "v"'),
        (HeaderTest.SUFFIX, 'ends with "v"', 'does not end with "v"'),
        (HeaderTest.REGEX, 'matches "v"', 'does not match "v"'),
        (HeaderTest.RANGE, "is in 1..4", "is not in 1..4"),
        (HeaderTest.PRESENT, "is present", "is absent"),
    ],
)
def test_header_conditions_in_words(test: HeaderTest, plain: str, inverted: str) -> None:
    for invert, words in ((False, plain), (True, inverted)):
        header = HeaderCondition("x", test, "v", 1, 5, invert)
        assert describe_match(RequestMatch(headers=(header,))) == f"header x {words}"


def test_a_host_stands_first() -> None:
    match = RequestMatch(method="GET")
    suffix = Domain(DomainKind.SUFFIX, ".example.com")
    assert describe_match(match, suffix) == "host *.example.com, method GET"
    assert describe_match(match, ANY_HOST) == "method GET"
