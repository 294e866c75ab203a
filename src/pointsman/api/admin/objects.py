"""How far objects are, over HTTP: whether they are in force, and with how many proxies."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Body, Limit, Namespace, Page
from pointsman.api.admin.who import Viewer
from pointsman.api.pages import USUAL_ITEMS
from pointsman.observe.objects import ObjectStatus
from pointsman.resources.key import Key

router = APIRouter(tags=["objects"])


class ObjectAnswer(Body):
    """How far an object is.

    Attributes:
        kind: its kind.
        namespace: its namespace; "" for none.
        name: its name.
        origin: `file:line:column` where it was written.
        state: `refused`, `unresolved`, `waiting`, `programmed`, or `accepted` without proxies.
        accepted: whether it is in force as it was written.
        resolved: whether all that it names is there.
        proxies: how many connected proxies it concerns.
        programmed: how many of them have accepted it.
        reason: the first thing that is wrong; "" for nothing.
    """

    kind: str
    namespace: str
    name: str
    origin: str
    state: str
    accepted: bool
    resolved: bool
    proxies: int
    programmed: int
    reason: str


@router.get("/objects")
async def list_objects(
    request: Request,
    _who: Viewer,
    kind: Annotated[str | None, Query(pattern=r"^[A-Za-z]{1,63}$")] = None,
    namespace: Namespace | None = None,
    cursor: Annotated[str, Query(max_length=400)] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[ObjectAnswer]:
    """Objects, by kind, namespace and name."""
    instance: Administered = request.app.state.instance
    chosen = [
        (key, status)
        for key, status in instance.objects().items()
        if _path(key) > cursor and kind in (None, key.kind) and namespace in (None, key.namespace)
    ]
    page = chosen[:limit]
    return Page[ObjectAnswer](
        items=[_answer(instance, key, status) for key, status in page],
        next=_path(page[-1][0]) if len(chosen) > limit else None,
    )


def _path(key: Key) -> str:
    # A space sorts before whatever stands in names, so that texts sort as keys do.
    return " ".join(key)


def _answer(instance: Administered, key: Key, status: ObjectStatus) -> ObjectAnswer:
    return ObjectAnswer(
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        origin=instance.place(key),
        state=status.state,
        accepted=status.accepted,
        resolved=status.resolved,
        proxies=status.proxies,
        programmed=status.programmed,
        reason=status.reason,
    )
