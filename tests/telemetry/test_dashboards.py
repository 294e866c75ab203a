"""Dashboards ask for names and labels that Prometheus is really given."""

import re

import pytest

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.exposition import render
from pointsman.telemetry.own import OwnCounts
from pointsman.telemetry.prometheus import traffic_families
from pointsman.telemetry.window import Subject, Window
from tests.support.dashboards import Question, choices, questions

NOW = 1_800_000_000.0
EDGE, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")
ALL = [*questions()]
ELSEWHERE = {"pointsman_metrics_reports_total": {""}, "pointsman_window_series": {""}}
"""What `app.telemetry` adds; the dashboards' test with a real Prometheus has them."""


@pytest.fixture(scope="module")
def given() -> dict[str, set[str]]:
    """Labels by name, of everything that can be counted."""
    window, connections, own = Window(), Connections(), OwnCounts()
    service = Key("VirtualService", "shop", "cart")
    subjects = {
        Scope.PROXY: Subject(Scope.PROXY, EDGE),
        Scope.NODE: Subject(Scope.NODE, EDGE, CART, service),
        Scope.ROUTE: Subject(Scope.ROUTE, EDGE, service=service, route="shop/a"),
        Scope.CONSUMER: Subject(Scope.CONSUMER, EDGE, consumer="shop/acme"),
    }
    for subject in subjects.values():
        for measure in Measure:
            window.add(subject, measure, 1, NOW)
        window.add_latencies(subject, {len(BUCKETS_MS): 1}, 9, NOW)
    some = {subjects[Scope.PROXY]: 1, subjects[Scope.NODE]: 1}
    connections.report("a", EDGE, some, NOW)
    own.pushed(0.1)
    own.translations.add(0.1)
    own.rejections["cluster"] += 1
    own.resources = {"VirtualNode": 1}
    families = (*traffic_families(window, connections, NOW), *own.families({EDGE: 1}))
    found = {name: {*labels} for name, labels in ELSEWHERE.items()}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", render(families), re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize("question", ALL, ids=str)
def test_names_and_labels_are_given(question: Question, given: dict[str, set[str]]) -> None:
    assert question.metrics
    assert question.metrics <= given.keys()
    known = set.union(*(given[name] for name in question.metrics))
    assert question.labels <= known


def test_variables_have_values(given: dict[str, set[str]]) -> None:
    found = [*choices()]
    assert found
    for metric, label in found:
        assert label in given[metric]
