"""Requests made to match: most that are drawn freely end at some condition of the first stage.

A request is aimed at a gateway route and, through its rewrite, at a route of the router behind.
It need not hit: another route may come first, and conditions may exclude each other.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from pointsman.graph.request import Request
from tests.support.manifests import Document

SAMPLES = {
    "/a/.*": "/a/b",
    "/[ab]": "/a",
    "/a.b": "/a.b",
    ".*": "/zz",
    "/(a|b)/[0-9]+": "/a/7",
    "/api/v[12]/?": "/api/v1",
    "/a/b|/x/y": "/x/y",
    "r.*": "red",
    "red|10": "10",
    "[0-9]+": "7",
    ".*er": "redder",
    "[^,]*": "a",
}
"""A match for each regex that is drawn."""
TAILS = ("", "", "/", "b", "/b")


@st.composite
def aimed(
    draw: st.DrawFn, gateway_routes: list[Document], routers: Mapping[str, Document]
) -> Request:
    """A request for one of the gateway routes, and for a route of its target's router."""
    body = _body(draw(st.sampled_from(gateway_routes))["spec"])
    outer, action = body["match"], body["action"]
    target = action.get("target", {}).get("virtualService") or action["weightedTargets"][0]
    name = target.get("virtualServiceRef", target.get("targetRef", {}).get("virtualServiceRef"))
    routes = routers[name["name"]]["spec"]["routes"] if name["name"] in routers else []
    inner = _body(draw(st.sampled_from(routes)))["match"] if routes else {}
    path = _path(draw, outer, inner, action.get("rewrite", {}).get("prefix", {}))
    query = "&".join(_query(outer)) or "&".join(_query(inner))
    return Request(
        method=inner.get("method") or outer.get("method") or "GET",
        authority=_host(outer.get("hostname", {})),
        target=f"{path}?{query}" if query else path,
        headers=(*_headers(outer), *_headers(inner)),
    )


def _body(route: Document) -> Any:
    return route.get("httpRoute") or route["grpcRoute"]


def _host(hostname: Document) -> str:
    suffix: str = hostname.get("suffix", ".elsewhere")
    return str(hostname.get("exact", f"a{suffix}"))


def _literal(match: Document) -> str | None:
    """A path that satisfies a match; None when any does."""
    if "serviceName" in match:
        return f"/{match['serviceName']}/{match.get('methodName', '')}"
    if "path" in match:
        path = match["path"]
        return str(path.get("exact") or SAMPLES[path["regex"]])
    return match.get("prefix")


def _path(draw: st.DrawFn, outer: Document, inner: Document, rewrite: Document) -> str:
    base, wanted = _literal(outer) or "/", _literal(inner)
    tail = draw(st.sampled_from(TAILS)) if "path" not in outer and "path" not in inner else ""
    if wanted is None:
        return base + tail
    if "prefix" not in outer or rewrite.get("defaultPrefix") == "DISABLED":
        return max(base, wanted, key=len) + tail
    value = rewrite.get("value", "/")
    if not wanted.startswith(value):
        return base + tail
    slash = "" if base.endswith("/") else draw(st.sampled_from(("", "/")))
    return base + slash + wanted.removeprefix(value) + tail


def _headers(match: Document) -> Iterator[tuple[str, str]]:
    for header in match.get("headers", match.get("metadata", ())):
        name, test = header["name"].lower(), header.get("match")
        if name.startswith(":") or name == "host" or (header.get("invert") and test is None):
            continue
        yield name, "other" if header.get("invert") else _value(test)


def _value(test: Document | None) -> str:
    if test is None:
        return "any"
    if "range" in test:
        return str(test["range"]["start"])
    if "regex" in test:
        return SAMPLES[test["regex"]]
    return str(next(iter(test.values())))


def _query(match: Document) -> Iterator[str]:
    for query in match.get("queryParameters", ()):
        yield f"{query['name']}={query.get('match', {}).get('exact', '1')}"
