"""Rollouts that hold no route, and why; those that do are carried out in `rollout`."""

from typing import Any

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.rollout_target import NoHold, holds_of
from pointsman.resources.codes import delivery
from pointsman.resources.key import Key


def check_rollouts(context: Context) -> None:
    """Reports rollouts whose route is missing, not theirs, or another one's."""
    for key, hold in holds_of(context.resources).items():
        if isinstance(hold, (NoHold, Key)):
            _report(context, key, hold)


def _report(context: Context, key: Key, why: NoHold | Key) -> None:
    def build() -> Linked[Any]:
        findings = Findings(key)
        if isinstance(why, NoHold):
            path = why.path
            if key.kind == "Canary" and path[-1] in ("stable", "candidate"):
                path = ("spec", "targetRef")
            findings.add(delivery.NO_ROUTE, path, why.message, why.hint)
        else:
            path = ("spec", "targetRef")
            findings.add(delivery.SHARED_ROUTE, path, f"{why} moves the weights of this route")
        return linked(None, findings.problems)

    context.memo.get(("rollout", key), (why,), build)
