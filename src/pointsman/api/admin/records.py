"""Tokens of administrators, and the audit log, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import AuditAnswer, IssuedToken, Limit, Page, TokenAnswer, TokenBody
from pointsman.api.admin.who import Admin
from pointsman.api.pages import USUAL_ITEMS
from pointsman.state.audit import read_audit

router = APIRouter(tags=["administration"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_]{1,63}$")]


@router.get("/tokens")
async def list_tokens(
    request: Request,
    _who: Admin,
    cursor: Annotated[str, Query(pattern=r"^[A-Za-z0-9_]{0,63}$")] = "",
    limit: Limit = USUAL_ITEMS,
) -> Page[TokenAnswer]:
    """Tokens of administrators, by id."""
    instance: Administered = request.app.state.instance
    found = await (await instance.open()).tokens.list(cursor, limit + 1)
    page = found[:limit]
    return Page[TokenAnswer](
        items=[TokenAnswer.of(item) for item in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.post("/tokens", status_code=201)
async def issue_token(request: Request, who: Admin, body: TokenBody) -> IssuedToken:
    """Issues a token to an administrator."""
    instance: Administered = request.app.state.instance
    stored = await instance.open()
    ends = body.ends(stored.database.clock())
    token, secret = await stored.tokens.issue(body.name, body.role, who.name, ends)
    return IssuedToken(token=TokenAnswer.of(token), secret=secret.text)


@router.post("/tokens/{token}/revoke")
async def revoke_token(request: Request, who: Admin, token: Id) -> TokenAnswer:
    """Ends a token now."""
    instance: Administered = request.app.state.instance
    return TokenAnswer.of(await (await instance.open()).tokens.revoke(token, who.name))


@router.get("/audit")
async def read(
    request: Request,
    _who: Admin,
    cursor: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Limit = USUAL_ITEMS,
    name: Annotated[str | None, Query(alias="object", max_length=512)] = None,
) -> Page[AuditAnswer]:
    """Changes, the newest first."""
    instance: Administered = request.app.state.instance
    database = (await instance.open()).database
    found = await read_audit(database, before=cursor, limit=limit + 1, name=name)
    page = found[:limit]
    return Page[AuditAnswer](
        items=[
            AuditAnswer(
                id=item.id,
                at=item.at,
                actor=item.actor,
                action=item.action,
                kind=item.kind,
                object=item.name,
                detail=item.detail,
            )
            for item in page
        ],
        next=str(page[-1].id) if len(found) > limit else None,
    )
