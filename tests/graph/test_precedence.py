import itertools

import pytest

from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
    precedence,
)


def at(kind: PathKind, value: str, **more: object) -> RequestMatch:
    return RequestMatch(path=PathCondition(kind, value), **more)  # type: ignore[arg-type]


HEADER = HeaderCondition("x", HeaderTest.PRESENT)
IN_ORDER = [
    (0, ANY_PATH_MATCH := RequestMatch(), "z"),
    (5, at(PathKind.PREFIX, "/a"), "a"),
    (None, at(PathKind.EXACT, "/a/b"), "a"),
    (None, at(PathKind.EXACT, "/a"), "a"),
    (None, at(PathKind.REGEX, "/a/.*"), "a"),
    (None, at(PathKind.REGEX, ".*"), "a"),
    (None, at(PathKind.PREFIX, "/a/b"), "a"),
    (1000, at(PathKind.PREFIX, "/a"), "a"),
    (None, RequestMatch(method="GET", headers=(HEADER,), queries=(QueryCondition("q"),)), "b"),
    (None, RequestMatch(method="GET", scheme="http"), "b"),
    (None, RequestMatch(headers=(HEADER,)), "b"),
    (None, ANY_PATH_MATCH, "a"),
    (None, ANY_PATH_MATCH, "b"),
]


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(IN_ORDER)))
def test_routes_are_tried_in_this_order(
    earlier: tuple[int | None, RequestMatch, str], later: tuple[int | None, RequestMatch, str]
) -> None:
    assert precedence(*earlier) < precedence(*later)


def test_any_path_is_a_prefix() -> None:
    assert PathCondition(PathKind.PREFIX, "/") == ANY_PATH
