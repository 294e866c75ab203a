from hypothesis import given
from hypothesis import strategies as st

from pointsman.envoy.sealed import CLUSTER, ENDPOINT, EXTENSION, ROUTE, VIRTUAL_HOST, Sealed
from pointsman.xds.order import ADDITIONS, REMOVALS
from pointsman.xds.plan import Plan, Plans
from pointsman.xds.snapshot import Snapshot
from tests.xds.simple import made, snapshot

NAMES = st.sampled_from(["a", "b", "c", "r/a", "r/b"])
VERSIONS = st.sampled_from(["1", "2"])


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    chosen = draw(st.dictionaries(st.sampled_from(ADDITIONS), st.dictionaries(NAMES, VERSIONS)))
    return Snapshot({t: {n: made(t, n, v) for n, v in held.items()} for t, held in chosen.items()})


@given(snapshots(), snapshots())
def test_a_plan_applied_to_the_old_gives_the_new(old: Snapshot, new: Snapshot) -> None:
    plan = Plan(old, new)
    held: dict[str, dict[str, Sealed]] = {t: dict(old.of(t)) for t in ADDITIONS}
    for type_url, step in plan.additions.items():
        assert len(step.names) == len(step.resources)
        held[type_url] |= {s.name: s for s in step.resources}
    assert {t: held[t] for t in REMOVALS} == {t: dict(plan.merged.of(t)) for t in REMOVALS}
    for type_url, names in plan.removals.items():
        for name in names:
            del held[type_url][name]
    assert {t: held[t] for t in REMOVALS} == {t: dict(new.of(t)) for t in REMOVALS}
    assert EXTENSION not in plan.removals
    assert list(plan.additions) == [t for t in ADDITIONS if t in plan.additions]
    assert list(plan.removals) == [t for t in REMOVALS if t in plan.removals]


@given(snapshots(), snapshots())
def test_every_cluster_sent_has_its_endpoints_beside_it(old: Snapshot, new: Snapshot) -> None:
    plan = Plan(old, new)
    if CLUSTER in plan.additions:
        companions = plan.additions[CLUSTER].names & new.of(ENDPOINT).keys()
        assert companions <= (plan.additions[ENDPOINT].names if companions else set())


def test_a_new_route_brings_hosts_the_proxy_was_sent_before() -> None:
    old = snapshot({VIRTUAL_HOST: "r/a q/a"})
    new = snapshot({VIRTUAL_HOST: "r/a q/a", ROUTE: "r"})
    assert Plan(old, new).additions[VIRTUAL_HOST].names == {"r/a"}


def test_a_plan_and_its_bytes_are_made_once() -> None:
    plans, old, new = Plans(), snapshot({}), snapshot({CLUSTER: "a"})
    first, second = plans.between(old, new), plans.between(old, new)
    assert first is second
    answer = first.additions[CLUSTER].delta_answers[0]
    assert answer.frame is second.additions[CLUSTER].delta_answers[0].frame
