"""R08, R11 and R12: conditions of matches."""

from tests.doctor.case import CART, Case, gateway_route, route, routed


def headers(*conditions: str) -> str:
    return routed(
        route("a", f"{{prefix: /a, headers: [{', '.join(conditions)}]}}"), route("b", "{prefix: /}")
    )


def exact(name: str, value: str) -> str:
    return f"{{name: '{name}', match: {{exact: '{value}'}}}}"


CASES = (
    Case(
        "R08",
        "a neighbour under conditions",
        CART
        + gateway_route("v2", "{prefix: /v2}")
        + gateway_route("beta", "{prefix: /v2beta, headers: [{name: x-beta}]}"),
        CART
        + gateway_route("v2", "{prefix: /v2/}")
        + gateway_route("v2-itself", "{path: {exact: /v2}}")
        + gateway_route("beta", "{prefix: /v2beta, headers: [{name: x-beta}]}"),
        "prefix /v2 also takes /v2beta, where GatewayRoute shop/beta does not",
    ),
    Case(
        "R08",
        "not where the neighbour takes all",
        CART
        + gateway_route("v1", "{prefix: /v1}")
        + gateway_route("new", "{prefix: /v10, method: GET}"),
        CART
        + gateway_route("v1", "{prefix: /v1}")
        + gateway_route("new", "{prefix: /v10, method: GET}")
        + gateway_route("others", "{prefix: /v10}"),
        "prefix /v1 also takes /v10",
    ),
    Case(
        "R11",
        "an expression without a slash",
        CART + gateway_route("v1", "{path: {regex: 'v1/.*'}}"),
        CART + gateway_route("v1", "{path: {regex: '/v1/.*'}}"),
        "the expression v1/.* matches no path",
    ),
    Case(
        "R12",
        "a blank at the end",
        headers(exact("x-plan", "gold ")),
        headers(exact("x-plan", "gold")),
        "no request has header x-plan (exact 'gold ')",
    ),
    Case(
        "R12",
        "a method in lower case",
        headers(exact(":method", "get")),
        headers(exact(":method", "GET")),
        "methods are compared as they are",
    ),
    Case(
        "R12",
        "a scheme in capitals",
        headers(exact(":scheme", "HTTPS")),
        headers(exact(":scheme", "https")),
        "schemes are in lower case",
    ),
    Case(
        "R12",
        "a path without a slash",
        headers("{name: ':path', match: {prefix: 'a/b'}}"),
        headers("{name: ':path', match: {prefix: '/a/b'}}"),
        "paths begin with /",
    ),
    Case(
        "R12",
        "a header of one connection",
        headers("{name: Keep-Alive}"),
        headers("{name: X-Keep-Alive}"),
        "proxies take it away",
    ),
    Case(
        "R12",
        "absent and of some value",
        headers("{name: x-a, invert: true}", exact("x-a", "1")),
        headers("{name: x-a}", exact("x-a", "1")),
        "no request has both header x-a (not present) and header x-a (exact '1')",
    ),
    Case(
        "R12",
        "two values of a header that has one",
        headers(exact("content-type", "text/plain"), exact("Content-Type", "text/html")),
        # Of other headers there may be several in one request.
        headers(exact("x-a", "1"), exact("X-A", "2")),
        "no request has both header content-type",
    ),
)
