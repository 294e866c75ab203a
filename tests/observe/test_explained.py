"""What is explained of a running instance: who holds the weights is said beside them."""

from dataclasses import replace
from pathlib import Path

from pointsman.app import offline
from pointsman.app.explained import Manifests, Question, explained
from pointsman.cli.request import parse_request
from pointsman.observe.lines import plain
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem

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
