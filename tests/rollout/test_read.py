"""Manifests as plans: Flagger's defaults and names, and the Rollout's own."""

from pathlib import Path

from pointsman.graph.rollout_target import Hold, holds_of
from pointsman.resources.key import Key
from pointsman.resources.resource_set import ResourceSet
from pointsman.resources.store import Store
from pointsman.rollout.plan import Criteria, Hook, Manner, Plan, Stage
from pointsman.rollout.read_rollout import read_plan, revision_of
from tests.rollout.live import shop

GOLDEN = Path(__file__).parents[1] / "golden" / "rollouts"


def read(*texts: str) -> ResourceSet:
    store = Store()
    for number, text in enumerate(texts):
        store.replace(f"{number}.yaml", text)
    return store.resources()


def plan_of(resources: ResourceSet, kind: str, name: str) -> Plan:
    (found,) = [r for key, r in resources.of(kind).items() if key.name == name]
    return read_plan(found)


def test_a_canary_of_flagger() -> None:
    base = (GOLDEN / "base.yaml").read_text()
    resources = read(base, (GOLDEN / "canary" / "in.yaml").read_text())
    plan = plan_of(resources, "Canary", "cart")
    assert plan.manner is Manner.FLAGGER
    assert [stage.weight for stage in plan.stages] == list(range(5, 51, 5))
    assert (plan.interval_s, plan.threshold, plan.deadline_s) == (60.0, 5, 60.0)
    assert plan.criteria == Criteria(success=0.99, latency_ms=500, plain=True)
    assert [(hook.hook, hook.timeout_s) for hook in plan.webhooks] == [(Hook.CONFIRM_ROLLOUT, 5.0)]
    assert holds_of(resources)[Key("Canary", "default", "cart")] == Hold(
        Key("VirtualRouter", "default", "cart"),
        "all",
        Key("VirtualNode", "default", "cart-primary"),
        Key("VirtualNode", "default", "cart-canary"),
    )


def test_a_rollout_in_blue_and_green() -> None:
    plan = plan_of(read(shop({"blueGreen": {"mirror": 30, "watch": 2}}, {})), "Rollout", "cart")
    assert plan.stages == (
        Stage(0, checks=3, mirror=30),
        Stage(100, checks=2, gate=Hook.CONFIRM_PROMOTION),
    )
    assert plan.gate is None


def test_steps_that_lead_beyond_the_most_end_there() -> None:
    strategy = {"canary": {"stepWeight": 20, "maxWeight": 50, "mirror": 10}}
    plan = plan_of(read(shop(strategy, {})), "Rollout", "cart")
    assert [(stage.weight, stage.mirror) for stage in plan.stages] == [
        (0, 10),
        (20, 0),
        (40, 0),
        (60, 0),
    ]


def test_what_makes_another_revision() -> None:
    def revision(text: str) -> str:
        resources = read(text)
        rollout = resources.get(Key("Rollout", "shop", "cart"))
        candidate = resources.get(Key("VirtualNode", "shop", "v2"))
        assert rollout is not None
        assert candidate is not None
        return revision_of(rollout, candidate)

    strategy = {"canary": {"stepWeight": 10}}
    first = revision(shop(strategy, {}))
    assert revision(shop({"canary": {"stepWeight": 20}}, {"minRequests": 5})) == first
    assert revision(shop(strategy, {}, revision="2")) != first
    assert revision(shop(strategy, {}).replace("v2.shop.svc", "v2b.shop.svc")) != first
