"""Shared limits over HTTP: how they stand, and quotas that begin anew."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Limit, Page, QuotaAnswer, QuotaName, QuotaReset
from pointsman.api.admin.who import Editor, Viewer
from pointsman.api.pages import USUAL_ITEMS
from pointsman.errors import RefusedError

router = APIRouter(tags=["quotas"])


@router.get("/quotas")
async def list_quotas(
    request: Request,
    _who: Viewer,
    of: Annotated[str, Query(max_length=512)] = "",
    consumer: Annotated[str, Query(max_length=512)] = "",
    cursor: Annotated[str, Query(max_length=1024)] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[QuotaAnswer]:
    """Shared limits that somebody has used, by key; `of` is how the limit's name begins."""
    instance: Administered = request.app.state.instance
    who = {"consumer": consumer} if consumer else {}
    found = [item for item in await instance.limits.usage(of, **who) if item.key > cursor]
    page = found[:limit]
    return Page[QuotaAnswer](
        items=[QuotaAnswer.of(item) for item in page],
        next=page[-1].key if len(found) > limit else None,
    )


@router.post("/quotas/reset")
async def reset_quota(request: Request, who: Editor, body: QuotaName) -> QuotaReset:
    """Forgets what was used of a quota; what proxies may admit by their leases goes on to count."""
    instance: Administered = request.app.state.instance
    count = await instance.limits.reset(body.limit, **body.who)
    if not count:
        raise RefusedError(f"nothing is counted of {body.limit} for them", status=404)
    detail = {"who": body.who, "count": count}
    async with (await instance.open()).database.changing(who.name) as change:
        await change.audit("reset", "Quota", body.limit, detail)
    return QuotaReset(count=count)
