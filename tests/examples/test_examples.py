"""What the bundled examples promise in their comments holds when they are served."""

import base64
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up import Up, ask, command, free_port, running, until

EXAMPLES = Path(__file__).parents[2] / "examples"
ALL = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
REQUESTS = 600

pytestmark = [pytest.mark.envoy]


def bounds(share: float) -> tuple[float, float]:
    """Where a share of REQUESTS lies but once in 10 million runs (5.3 standard deviations)."""
    deviation = 5.3 * (share * (1 - share) * REQUESTS) ** 0.5
    return REQUESTS * share - deviation, REQUESTS * share + deviation


def split(address: str, path: str) -> Counter[str]:
    return Counter(ask(address, path).node for _ in range(REQUESTS))


@pytest.mark.parametrize("example", ALL)
def test_check_finds_no_error(example: str) -> None:
    result = command("check", EXAMPLES / example, "--json")
    problems = json.loads(result.stdout)["problems"]
    assert [p for p in problems if p["severity"] == "error"] == []
    assert result.returncode == 0


@pytest.fixture(scope="module")
def quickstart() -> Iterator[Up]:
    with running(EXAMPLES / "quickstart", "--echo", "--listen", "8088=0") as up:
        yield up


@pytest.mark.xdist_group("quickstart")
def test_it_has_no_problems_and_says_what_to_try(quickstart: Up) -> None:
    assert "error" not in quickstart.text
    assert "warning" not in quickstart.text
    path = quickstart.says(r"try it: +curl http://[0-9.:]+(/\S+)").group(1)
    assert ask(quickstart.address(), path).status == 200


@pytest.mark.xdist_group("quickstart")
def test_the_catalog_sees_the_path_without_the_prefix(quickstart: Up) -> None:
    answer = ask(quickstart.address(), "/catalog/shoes?size=43")
    assert answer.status == 200
    assert answer.seen["path"] == "/shoes?size=43"
    assert answer.seen["namespace"] == "shop"
    assert answer.seen["authority"] == "catalog.shop.svc.cluster.local"


@pytest.mark.xdist_group("quickstart")
def test_the_basket_sees_the_path_as_it_came(quickstart: Up) -> None:
    answer = ask(quickstart.address(), "/basket/7")
    assert (answer.node, answer.seen["path"]) == ("basket", "/basket/7")


@pytest.mark.xdist_group("quickstart")
def test_testers_see_version_2(quickstart: Up) -> None:
    nodes = {ask(quickstart.address(), "/catalog/", {"x-tester": "1"}).node for _ in range(40)}
    assert nodes == {"catalog-v2"}


@pytest.mark.xdist_group("quickstart")
def test_everybody_else_does_in_one_case_of_ten(quickstart: Up) -> None:
    seen = split(quickstart.address(), "/catalog")
    low, high = bounds(0.1)
    assert low < seen["catalog-v2"] < high
    assert seen["catalog-v1"] + seen["catalog-v2"] == REQUESTS


@pytest.mark.xdist_group("quickstart")
def test_anything_else_is_not_found(quickstart: Up) -> None:
    assert ask(quickstart.address(), "/elsewhere").status == 404


@pytest.mark.xdist_group("article")
def test_the_article_splits_ten_to_ninety_and_is_told_the_real_form() -> None:
    with running(EXAMPLES / "article", "--echo", "--listen", "8088=0") as up:
        seen = split(up.address(), "/api/x")
        low, high = bounds(0.1)
        assert low < seen["backend"] < high
        assert seen["backend"] + seen["secondary"] == REQUESTS
        assert ask(up.address(), "/other").status == 404
        assert "canary.yaml:" in up.text
        assert "error" not in up.text
        for code in ("PM502", "PM503"):
            assert f"warning {code}" in up.text
        assert "v1beta2" in up.text


@pytest.mark.xdist_group("v1beta1")
def test_v1beta1_splits_three_to_one() -> None:
    with running(EXAMPLES / "v1beta1", "--echo", "--listen", "8088=0") as up:
        seen = split(up.address(), "/prices/today")
        low, high = bounds(0.25)
        assert low < seen["prices-next"] < high
        assert seen["prices"] + seen["prices-next"] == REQUESTS
        assert ask(up.address(), "/prices/today").seen["path"] == "/today"


@pytest.fixture(scope="module")
def mesh() -> Iterator[Up]:
    front = f"front={sys.executable} {EXAMPLES / 'mesh' / 'front.py'}"
    with running(EXAMPLES / "mesh", "--mesh", "--echo", "--app", front, "--listen", "8088=0") as up:
        yield up


@pytest.mark.xdist_group("mesh-example")
def test_the_front_of_ones_own_calls_both_versions_of_color(mesh: Up) -> None:
    address = mesh.address("entrance")
    seen = Counter(ask(address).seen["virtualNode"] for _ in range(REQUESTS))
    low, high = bounds(0.25)
    assert low < seen["color-v2"] < high
    assert seen["color-v1"] + seen["color-v2"] == REQUESTS


@pytest.mark.xdist_group("mesh-example")
def test_the_line_shown_plays_front(mesh: Up) -> None:
    shown = mesh.says(r"as front: +curl -x http://(\S+) http://([^/]+)(/\S*)")
    found = {
        ask(shown.group(1), f"http://{shown.group(2)}{shown.group(3)}", {"x-tester": "1"}).node
        for _ in range(20)
    }
    assert found == {"color-v2"}


@pytest.fixture(scope="module")
def callers() -> Iterator[Up]:
    with running(EXAMPLES / "callers", "--echo", "--listen", "8088=0") as up:
        yield up


def key_of(up: Up, consumer: str) -> dict[str, str]:
    made = json.loads(up.command("key", "issue", consumer, "--json"))
    return {"x-api-key": made["secret"]}


@pytest.mark.xdist_group("callers")
def test_callers_are_asked_who_they_are_where_the_example_says(callers: Up) -> None:
    assert "warning" not in callers.text
    address = callers.address()
    assert ask(address, "/catalog/1").status == 200
    refused = ask(address, "/orders/1")
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == 'ApiKey realm="pointsman"'
    assert json.loads(refused.body)["title"] == "Not authenticated"
    assert ask(address, "/catalog/1", method="PATCH").status == 405


@pytest.mark.xdist_group("callers")
def test_plans_say_who_may_do_what_and_how_often(callers: Up) -> None:
    address = callers.address()
    gold, free = key_of(callers, "shop/acme"), key_of(callers, "shop/globex")
    until(lambda: ask(address, "/orders/1", gold, "PUT").status == 200, 2.0)
    until(lambda: ask(address, "/orders/1", free, "PUT").status == 403, 2.0)
    found = [ask(address, "/orders/1", free) for _ in range(8)]
    assert {answer.status for answer in found[:5]} == {200}
    assert found[-1].status == 429
    assert found[-1].headers["x-pointsman-limit"] == "shop/plans/plan"
    assert int(found[-1].headers["retry-after"]) == 1
    assert found[0].headers["ratelimit-limit"].startswith("5")
    assert [ask(address, "/orders/1", gold).status for _ in range(20)] == [200] * 20


@pytest.mark.xdist_group("tokens")
def test_tokens_of_the_gateway_open_what_their_scopes_say() -> None:
    port = free_port()
    with running(EXAMPLES / "tokens", "--echo", "--listen", f"8088={port}") as up:
        assert "warning" not in up.text
        # The example's issuer has its usual port; the host decides, whatever the port.
        host = {"host": "localhost:8088"}
        address = f"127.0.0.1:{port}"
        made = json.loads(up.command("key", "issue", "shop/reports", "--kind", "client", "--json"))
        pair = base64.b64encode(f"shop/reports:{made['secret']}".encode()).decode()
        form = {"content-type": "application/x-www-form-urlencoded"}
        sent = {**host, **form, "authorization": f"Basic {pair}"}
        answer = ask(address, "/oauth2/token", sent, "POST", body="grant_type=client_credentials")
        token = json.loads(answer.body)["access_token"]
        bearer = {**host, "authorization": f"Bearer {token}"}
        assert ask(address, "/orders/1", host).status == 401
        seen = ask(address, "/orders/1", bearer).seen["headers"]
        assert (seen["x-pointsman-consumer"], seen["x-user"]) == ("shop/reports", "shop/reports")
        assert ask(address, "/orders/1", bearer, "PUT").status == 403
