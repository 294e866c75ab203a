"""What is said to be hidden is hidden from every request, and the index misses nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.doctor.implied import covers, exclude_each_other, header_implies
from pointsman.doctor.shadows import Entry, shadows
from pointsman.graph.model.match import (
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.graph.request import Request, first_failure, header_holds
from pointsman.resources.key import Key

TEXTS = ("/", "/a", "/a/", "/a/b", "/ab", "/a.b", "/b")
EXPRESSIONS = (".*", "/.*", "^/a.*$", "/a", "/a|/b", "/ab*", r"/a\.b", "/[ab]", "/(a|ab)", "/a/.*")
VALUES = ("a", "ab", "b", "1", "12")
NAMES = ("x", "content-type")

paths = st.one_of(
    st.builds(PathCondition, st.just(PathKind.EXACT), st.sampled_from(TEXTS)),
    st.builds(PathCondition, st.just(PathKind.PREFIX), st.sampled_from(TEXTS)),
    st.builds(PathCondition, st.just(PathKind.REGEX), st.sampled_from(EXPRESSIONS)),
)
flags = st.booleans()
texts = st.sampled_from((HeaderTest.EXACT, HeaderTest.PREFIX, HeaderTest.SUFFIX, HeaderTest.REGEX))
headers = st.one_of(
    st.builds(
        HeaderCondition,
        st.sampled_from(NAMES),
        texts,
        st.sampled_from(VALUES),
        invert=flags,
    ),
    st.builds(HeaderCondition, st.sampled_from(NAMES), st.just(HeaderTest.PRESENT), invert=flags),
    st.builds(
        HeaderCondition,
        st.sampled_from(NAMES),
        st.just(HeaderTest.RANGE),
        start=st.integers(0, 3),
        end=st.integers(4, 15),
        invert=flags,
    ),
)
queries = st.builds(QueryCondition, st.sampled_from("qr"), st.sampled_from((None, "1", "2")))
matches = st.builds(
    RequestMatch,
    paths,
    st.sampled_from((None, "GET", "POST")),
    st.none(),
    st.lists(headers, max_size=2).map(tuple),
    st.lists(queries, max_size=1).map(tuple),
)
requests = st.builds(
    Request,
    st.sampled_from(("GET", "POST")),
    st.just("host"),
    st.builds(
        str.__add__,
        st.sampled_from((*TEXTS, "/abb", "/a/b/c", "/axb", "/c")),
        st.sampled_from(("", "?q=1", "?q=2", "?r=1&q=1")),
    ),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3).map(tuple),
)


def table(found: list[RequestMatch]) -> tuple[Entry, ...]:
    key = Key("GatewayRoute", "shop", "r")
    return tuple(Entry(key, (n,), str(n), match, None) for n, match in enumerate(found))


@settings(max_examples=300, deadline=None)
@given(st.lists(matches, min_size=2, max_size=6), st.lists(requests, max_size=20))
def test_no_request_gets_to_what_is_hidden(found: list[RequestMatch], sent: list[Request]) -> None:
    for shadow in shadows(table(found)):
        for request in sent:
            if first_failure(shadow.hidden.match, request) is None:
                assert first_failure(shadow.by.match, request) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(matches, min_size=2, max_size=8))
def test_the_index_finds_what_comparing_each_with_each_finds(found: list[RequestMatch]) -> None:
    distinct = list(dict.fromkeys(found))
    hidden = {
        later
        for n, later in enumerate(distinct)
        if any(covers(earlier, later) for earlier in distinct[:n])
    }
    assert {shadow.hidden.match for shadow in shadows(table(found))} == hidden


@settings(max_examples=300, deadline=None)
@given(headers, headers, st.lists(st.sampled_from(VALUES), max_size=3))
def test_conditions_on_one_header(
    one: HeaderCondition, other: HeaderCondition, sent: list[str]
) -> None:
    joined = one.name == "content-type"
    values = (",".join(sent),) if joined and sent else tuple(sent)
    if one.name == other.name and header_holds(one, values):
        if header_implies(one, other):
            assert header_holds(other, values)
        if exclude_each_other(one, other):
            assert not header_holds(other, values)
