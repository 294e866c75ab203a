"""Both stages as one table, row by row."""

import pytest

from pointsman.graph.compose import Step, compose, refused
from pointsman.graph.model.gateway import ANY_HOST, GatewayRule, Rewrite
from pointsman.graph.model.match import (
    ANY_PATH,
    HeaderCondition,
    HeaderTest,
    PathCondition,
    PathKind,
    QueryCondition,
    RequestMatch,
)
from pointsman.graph.model.route import Route, Service
from tests.support.scenes import key

Row = tuple[str, str | None, str | None]
"""Path, what it becomes, and the name of the route (None where Envoy answers itself)."""


def path(text: str) -> PathCondition:
    """`=/a` is exact, `~/a.*` a regex, `/a` a prefix."""
    kinds = {"=": PathKind.EXACT, "~": PathKind.REGEX}
    kind = kinds.get(text[:1])
    return PathCondition(PathKind.PREFIX, text) if kind is None else PathCondition(kind, text[1:])


def rule(match: str, rewrite: Rewrite, **more: object) -> GatewayRule:
    conditions = RequestMatch(path=path(match), **more)  # type: ignore[arg-type]
    gateway = key("VirtualGateway", "gateway")
    return GatewayRule(key("GatewayRoute", "g"), gateway, None, ANY_HOST, conditions, (), rewrite)


def service(*matches: RequestMatch) -> Service:
    router = key("VirtualRouter", "r")
    routes = tuple(
        Route(router, ("spec", "routes", index), f"r{index}", match, ())
        for index, match in enumerate(matches)
    )
    return Service(key("VirtualService", "svc"), "svc.shop", router, routes)


def show(condition: PathCondition) -> str:
    return {PathKind.EXACT: "=", PathKind.REGEX: "~"}.get(condition.kind, "") + condition.value


def rows(steps: tuple[Step, ...] | None) -> list[Row] | None:
    if steps is None:
        return None
    return [
        (show(step.match.path), step.path, step.route.name if step.route else None)
        for step in steps
    ]


@pytest.mark.parametrize(
    ("gateway", "rewrite", "routes", "expected"),
    [
        ("/x", Rewrite(), ["/"], [("/x", None, "r0")]),
        ("/x", Rewrite(prefix="/"), ["/"], [("/x/", "/", "r0"), ("/x", "/", "r0")]),
        ("/x/", Rewrite(prefix="/"), ["/"], [("/x/", "/", "r0")]),
        ("/", Rewrite(prefix="/"), ["/a"], [("/a", None, "r0"), ("/", None, None)]),
        ("/x/", Rewrite(prefix="/"), ["/a"], [("/x/a", "/a", "r0"), ("/x/", None, None)]),
        (
            "/x",
            Rewrite(prefix="/"),
            ["=/a"],
            [("=/x/a", "/a", "r0"), ("=/xa", "/a", "r0"), ("/x", None, None)],
        ),
        ("/x/", Rewrite(prefix="/v1/"), ["/v1"], [("/x/", "/v1/", "r0")]),
        ("/x/", Rewrite(prefix="/v1/"), ["/v2"], [("/x/", None, None)]),
        (
            "/x/",
            Rewrite(prefix="/v1/"),
            ["=/v1/a"],
            [("=/x/a", "/v1/a", "r0"), ("/x/", None, None)],
        ),
        ("/x", Rewrite(prefix="/"), ["~/a.*"], None),
        ("/", Rewrite(), ["~/a.*", "/"], [("~/a.*", None, "r0"), ("/", None, "r1")]),
        ("~/a.*", Rewrite(), ["~/b.*"], None),
        ("~/a.*", Rewrite(), ["~/a.*"], [("~/a.*", None, "r0")]),
        ("=/a", Rewrite(), ["~/a?", "~/b"], [("=/a", None, "r0")]),
        ("~/a.*", Rewrite(path="/b"), ["~/b", "/"], [("~/a.*", "/b", "r0")]),
        ("/a", Rewrite(), ["/a/b", "/"], [("/a/b", None, "r0"), ("/a", None, "r1")]),
        ("/a", Rewrite(), ["/b"], [("/a", None, None)]),
        ("/a", Rewrite(), [], [("/a", None, None)]),
    ],
)
def test_paths_are_carried_back(
    gateway: str, rewrite: Rewrite, routes: list[str], expected: list[Row] | None
) -> None:
    found = service(*(RequestMatch(path=path(text)) for text in routes))
    assert rows(compose(rule(gateway, rewrite), found)) == expected


HOST = HeaderCondition("host", HeaderTest.EXACT, "svc.shop")
OTHER_HOST = HeaderCondition(":authority", HeaderTest.SUFFIX, ".test")
COLOR = HeaderCondition("x-color", HeaderTest.EXACT, "red")
TARGET = HeaderCondition(":path", HeaderTest.PREFIX, "/a")


def test_conditions_of_both_stages_are_joined() -> None:
    query = QueryCondition("q")
    one = rule("/", Rewrite(), method="GET", headers=(COLOR,))
    two = service(RequestMatch(scheme="https", headers=(COLOR, TARGET), queries=(query,)))
    steps = compose(one, two)
    assert steps is not None
    assert steps[0].match == RequestMatch(ANY_PATH, "GET", "https", (COLOR, TARGET), (query,))


def test_hosts_are_those_after_the_rewrite() -> None:
    found = service(RequestMatch(headers=(OTHER_HOST,)), RequestMatch(headers=(HOST,)))
    assert rows(compose(rule("/", Rewrite(host=True)), found)) == [("/", None, "r1")]
    kept = compose(rule("/", Rewrite(host=False)), found)
    assert kept is not None
    assert kept[0].match.headers == (OTHER_HOST,)


def test_methods_that_exclude_each_other_give_no_row() -> None:
    found = service(RequestMatch(method="POST"))
    assert rows(compose(rule("/", Rewrite(), method="GET"), found)) == [("/", None, None)]


def test_a_condition_on_a_rewritten_target_needs_the_second_pass() -> None:
    found = service(RequestMatch(headers=(TARGET,)))
    assert compose(rule("/x", Rewrite(prefix="/")), found) is None
    assert compose(rule("/x", Rewrite()), found) is not None


@pytest.mark.parametrize(
    ("match", "rewrite", "expected"),
    [
        ("/x", Rewrite(prefix="/"), "/x."),
        ("/x/", Rewrite(prefix="/"), None),
        ("/x", Rewrite(), None),
        ("/x", Rewrite(prefix="/y"), None),
        ("=/x", Rewrite(), None),
    ],
)
def test_only_a_glued_rewrite_refuses_dot_segments(
    match: str, rewrite: Rewrite, expected: str | None
) -> None:
    found = refused(rule(match, rewrite))
    assert (found.path.value if found else None) == expected
