"""What rollouts ask of others: webhooks, a Prometheus, and who is told of events."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import httpx2
import structlog

from pointsman.resources.key import Key
from pointsman.rollout.plan import Alert, Hook, Plan, Query, Webhook
from pointsman.rollout.state import Event, State
from pointsman.rollout.store import event_json

log = structlog.get_logger(__name__)

_ALERT_S: Final = 10.0
_APPROVES: Final = range(200, 203)
_LEVELS: Final = ("info", "warn", "error")


async def ask_hooks(plan: Plan, hook: Hook, rollout: Key, state: State, revision: str) -> bool:
    """Whether all webhooks of a kind approve; of those that roll back, whether one says so."""
    asked = [item for item in plan.webhooks if item.hook is hook]
    body = {
        "name": rollout.name,
        "namespace": rollout.namespace,
        "phase": str(state.phase),
        "checksum": revision,
    }
    async with httpx2.AsyncClient() as client:
        if hook is Hook.ROLLBACK:
            return any([await _approves(client, item, body) for item in asked])
        for item in asked:
            if not await _approves(client, item, body):
                return False
    return True


async def _approves(client: httpx2.AsyncClient, hook: Webhook, body: Mapping[str, Any]) -> bool:
    content = {**body, "metadata": dict(hook.metadata)}
    for _ in range(hook.retries + 1):
        try:
            answer = await client.post(hook.url, json=content, timeout=hook.timeout_s)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            log.warning("a webhook does not answer", name=hook.name, reason=str(error))
            continue
        return answer.status_code in _APPROVES
    return False


async def query_values(queries: Iterable[Query]) -> Mapping[str, float | None]:
    """What each query gives; None for anything but one value."""
    async with httpx2.AsyncClient(timeout=_ALERT_S) as client:
        return {query.name: await _value(client, query) for query in queries}


async def _value(client: httpx2.AsyncClient, query: Query) -> float | None:
    address = f"{query.address.rstrip('/')}/api/v1/query"
    try:
        answer = await client.get(address, params={"query": query.query})
        data = answer.json()["data"]
        found = data["result"] if data["resultType"] == "scalar" else _only(data)
        value = float(found[1])
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
        log.warning("a query has no value", name=query.name, reason=str(error))
        return None
    return value if math.isfinite(value) else None


def _only(data: Mapping[str, Any]) -> Any:
    if data["resultType"] != "vector" or len(data["result"]) != 1:
        raise ValueError(f"{len(data['result'])} series of {data['resultType']}, not one value")
    return data["result"][0]["value"]


async def tell(plan: Plan, rollout: Key, event: Event) -> None:
    """Tells alerts and webhooks of an event; who does not listen is logged."""
    async with httpx2.AsyncClient(timeout=_ALERT_S) as client:
        for alert in plan.alerts:
            if _LEVELS.index(event.level) >= _LEVELS.index(alert.level):
                await _send(client, alert.url, _alert(alert, rollout, event))
        body = {"name": rollout.name, "namespace": rollout.namespace, **event_json(event)}
        for hook in plan.webhooks:
            if hook.hook in (Hook.EVENT, event.tells):
                await _send(client, hook.url, {**body, "metadata": dict(hook.metadata)})


def _alert(alert: Alert, rollout: Key, event: Event) -> Mapping[str, Any]:
    if alert.format == "slack":
        return {"text": f"{rollout}: {event.text} ({event.phase}, {event.weight} %)"}
    return {"rollout": str(rollout), **event_json(event)}


async def _send(client: httpx2.AsyncClient, url: str, body: Mapping[str, Any]) -> None:
    try:
        answer = await client.post(url, json=body)
        if not answer.is_success:
            log.warning("nobody was told of a rollout", url=url, status=answer.status_code)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        log.warning("nobody was told of a rollout", url=url, reason=str(error))
