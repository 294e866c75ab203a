"""Policies of requests do nothing for TCP, and say so."""

from typing import Final

from pointsman.graph.links import access_policy, hygiene_policy, rate_limit_policy, route_policy
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.resources.codes import notes
from pointsman.resources.key import Key

_KINDS: Final = (hygiene_policy.KIND, route_policy.KIND, access_policy.KIND, rate_limit_policy.KIND)


def report_tcp(context: Context, owner: Key, *targets: Target) -> None:
    """Says of the policies at a TCP route, service or listener that they do nothing there."""
    for kind in _KINDS:
        found = context.policies.effective(kind, targets)
        if found is not None:
            _report(context, found.origins[0], owner)


def _report(context: Context, attached: Attached, owner: Key) -> None:
    def build() -> Linked[None]:
        findings = Findings(attached.policy)
        findings.add(notes.NO_EFFECT, attached.path, f"{owner} carries TCP, which has no requests")
        return linked(None, findings.problems)

    context.memo.get(("policy for tcp", attached.policy, owner), (attached,), build)
