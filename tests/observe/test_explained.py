"""What is explained of a running instance: who holds the weights is said beside them."""

import re
from dataclasses import replace
from pathlib import Path

from pointsman.app import offline
from pointsman.app.explained import Manifests, Question, explained
from pointsman.cli.request import parse_request
from pointsman.observe.lines import plain
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
from pointsman.resources.store import Store
from tests.support.manifests import MESH, gateway, gateway_route, node, service
from tests.support.scenes import linked

EXAMPLE = Path(__file__).parents[2] / "examples" / "rollouts"
URL = "http://localhost:8088/cart"


def test_who_holds_the_weights_is_said() -> None:
    loaded = offline.load([str(EXAMPLE)], {}, {})
    message = "Rollout shop/cart holds the weights of VirtualRouter shop/cart: 90/10, Progressing"
    held = Problem(delivery.HOLDS, message, key=Key("VirtualRouter", "shop", "cart"))
    other = replace(held, message="another", key=Key("VirtualRouter", "shop", "pages"))
    manifests = Manifests(loaded.linked.graph, loaded.store, (held, other))
    told = explained(manifests, Question(parse_request("GET", URL, []), URL))
    assert [item["message"] for item in told.known["problems"]] == [message]
    assert plain(told.lines).endswith(f"\n\n  {message}\n")


def test_of_many_that_were_tried_the_nearest_are_shown() -> None:
    header = {"name": "x-tenant", "match": {"exact": "other"}}
    elsewhere = [gateway_route(f"a-{n:02}", {"prefix": f"/long/{n}/"}, "all") for n in range(10)]
    near = [
        gateway_route(f"b-{n:02}", {"prefix": "/shop/cart/", "headers": [header]}, "all")
        for n in range(15)
    ]
    taken = gateway_route("taken", {"prefix": "/"}, "all")
    shop = (MESH, gateway(), node("all", 80), service("all", node="all"))
    found = linked(*shop, *elsewhere, *near, taken)
    url = "http://localhost:8080/shop/cart/1"
    manifests = Manifests(found.graph, Store({}), ())
    told = explained(manifests, Question(parse_request("GET", url, []), url))
    text = plain(told.lines)
    shown = re.findall(r"^  gateway route \S+/([ab])-", text, re.MULTILINE)
    assert shown == ["b"] * 15 + ["a"] * 5
    assert text.endswith("  and 5 more, which --json has\n")
    assert len(told.known["rejected"]) == 25
