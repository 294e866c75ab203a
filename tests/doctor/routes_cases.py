"""Rxx."""

from tests.doctor.case import CART, Case, gateway_route, route, routed

SHADOWS = (
    Case(
        "R01",
        "prefix by priority",
        CART
        + gateway_route("wide", "{prefix: /shop}", priority="1")
        + gateway_route("deep", "{prefix: /shop/cart}", priority="2"),
        CART
        + gateway_route("wide", "{prefix: /shop}", priority="2")
        + gateway_route("deep", "{prefix: /shop/cart}", priority="1"),
        "GatewayRoute shop/deep never gets a request: GatewayRoute shop/wide takes all of them",
    ),
    Case(
        "R01",
        "regex before prefix",
        routed(route("a", "{path: {regex: '/v1/.*'}}"), route("b", "{prefix: /v1/cart}")),
        routed(route("a", "{path: {regex: '/v1/[0-9]+'}}"), route("b", "{prefix: /v1/cart}")),
        "route b of VirtualRouter shop/cart never gets a request",
    ),
    Case(
        "R01",
        "a header that is there before its value",
        routed(
            route("a", "{prefix: /, headers: [{name: x-version}]}"),
            route("b", "{prefix: /, headers: [{name: x-version, match: {exact: '2'}}]}"),
            route("c", "{prefix: /}"),
        ),
        routed(
            route("b", "{prefix: /, headers: [{name: x-version}]}"),
            route("a", "{prefix: /, headers: [{name: x-version, match: {exact: '2'}}]}"),
            route("c", "{prefix: /}"),
        ),
        "route b of VirtualRouter shop/cart never gets a request",
    ),
    Case(
        "R11",
        "regex for everything",
        CART + gateway_route("any", "{path: {regex: '.*'}}") + gateway_route("v1", "{prefix: /v1}"),
        CART + gateway_route("any", "{prefix: /}") + gateway_route("v1", "{prefix: /v1}"),
        "GatewayRoute shop/any takes every request before 1 route behind it",
    ),
    Case(
        "R16",
        "catch-all first",
        CART
        + gateway_route("any", "{prefix: /}", priority="0")
        + gateway_route("v1", "{prefix: /v1}", priority="5")
        + gateway_route("v2", "{path: {exact: /v2}}"),
        CART
        + gateway_route("any", "{prefix: /}", priority="1000")
        + gateway_route("v1", "{prefix: /v1}", priority="5")
        + gateway_route("v2", "{path: {exact: /v2}}"),
        "GatewayRoute shop/any takes every request before 2 routes behind it",
    ),
    Case(
        "R18",
        "header route after the default",
        routed(
            route("all", "{prefix: /}", priority="1"),
            route(
                "beta",
                "{prefix: /, headers: [{name: x-beta, match: {exact: '1'}}]}",
                priority="2",
            ),
        ),
        routed(
            route("all", "{prefix: /}"),
            route("beta", "{prefix: /, headers: [{name: x-beta, match: {exact: '1'}}]}"),
        ),
        "route beta of VirtualRouter shop/cart never gets a request: route all",
    ),
)

CASES = (*SHADOWS,)
