"""A routing decision in one line."""

from pointsman.graph.intent import Intent, Share
from pointsman.graph.request import Request
from pointsman.observe.explain import client_status, overall_status, percent


def intent_line(intent: Intent, request: Request) -> str:
    """`GATEWAY_ROUTE [ROUTE] => HOST/PATH @ NODE:PORT SHARE`, or the status Envoy answers with.

    Shares are left out where one node gets everything; several services are joined by ` | `.
    """
    status, grpc_status = client_status(overall_status(intent), request)
    own = "" if status is None else f"{status}"
    own += "" if grpc_status is None else f" grpc-status {grpc_status}"
    rule = "" if intent.rule is None else intent.rule.key.path
    if not intent.shares:
        return " ".join(filter(None, (own, rule)))
    shares = " | ".join(_share(share) for share in intent.shares)
    return " ".join(filter(None, (own, rule, shares)))


def _share(share: Share) -> str:
    if share.route is None:
        return f"=> {share.request.authority}{share.request.target} no route"
    targets = ", ".join(
        f"{item.cluster.node.path}:{item.cluster.port}{_percent(percent(share, item))}"
        for item in share.targets
        if item.weight
    )
    name = f"[{share.route.name}] " if share.route.name else ""
    return f"{name}=> {share.request.authority}{share.request.target} @ {targets or 'nobody'}"


def _percent(value: float) -> str:
    return "" if value == 100 else f" {value:g} %"
