"""What the bundled examples promise in their comments holds when they are served."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.up import Up, ask, command, running

EXAMPLES = Path(__file__).parents[2] / "examples"
ALL = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
REQUESTS = 600

pytestmark = [pytest.mark.envoy]


def bounds(share: float) -> tuple[float, float]:
    """Where a share of REQUESTS lies in all but one of 10 million runs (5.3 standard deviations)."""
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


@pytest.mark.xdist_group("quickstart")
class TestQuickstart:
    @pytest.fixture(scope="class")
    def up(self) -> Iterator[Up]:
        with running(EXAMPLES / "quickstart", "--echo", "--listen", "8088=0") as up:
            yield up

    def test_it_has_no_problems_and_says_what_to_try(self, up: Up) -> None:
        assert "error" not in up.text
        assert "warning" not in up.text
        path = up.says(r"try it: +curl http://[0-9.:]+(/\S+)").group(1)
        assert ask(up.address(), path).status == 200

    def test_the_catalog_sees_the_path_without_the_prefix(self, up: Up) -> None:
        answer = ask(up.address(), "/catalog/shoes?size=43")
        assert answer.status == 200
        assert answer.seen["path"] == "/shoes?size=43"
        assert answer.seen["namespace"] == "shop"
        assert answer.seen["authority"] == "catalog.shop.svc.cluster.local"

    def test_the_basket_sees_the_path_as_it_came(self, up: Up) -> None:
        answer = ask(up.address(), "/basket/7")
        assert (answer.node, answer.seen["path"]) == ("basket", "/basket/7")

    def test_testers_see_version_2(self, up: Up) -> None:
        nodes = {ask(up.address(), "/catalog/", {"x-tester": "1"}).node for _ in range(40)}
        assert nodes == {"catalog-v2"}

    def test_everybody_else_does_in_one_case_of_ten(self, up: Up) -> None:
        seen = split(up.address(), "/catalog")
        low, high = bounds(0.1)
        assert low < seen["catalog-v2"] < high
        assert seen["catalog-v1"] + seen["catalog-v2"] == REQUESTS

    def test_anything_else_is_not_found(self, up: Up) -> None:
        assert ask(up.address(), "/elsewhere").status == 404


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
