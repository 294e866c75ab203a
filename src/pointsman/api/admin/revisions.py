"""What manifests said, over HTTP: every revision, what differs, and going back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Body, Page
from pointsman.api.admin.who import Editor, Viewer
from pointsman.control.history import Revision
from pointsman.observe.revisions import difference

router = APIRouter(tags=["revisions"])
_MOST = 2**31
Number = Annotated[int, Path(ge=1, le=_MOST)]


class RevisionAnswer(Body):
    """A revision.

    Attributes:
        number: from 1.
        at: since when it counts, or counted, in seconds since the epoch.
        by: `files`, or who asked for an earlier one.
        changed: sources that differ from the revision before.
        again: the revision that it repeats, if it does.
    """

    number: int
    at: float
    by: str
    changed: list[str]
    again: int | None

    @classmethod
    def of(cls, found: Revision) -> "RevisionAnswer":
        """What is shown of one."""
        return cls(
            number=found.number,
            at=found.at,
            by=found.by,
            changed=list(found.changed),
            again=found.again,
        )


class Difference(Body):
    """What differs between two revisions.

    Attributes:
        diff: a unified diff; "" for nothing.
    """

    diff: str


@router.get("/revisions")
async def list_revisions(request: Request, _who: Viewer) -> Page[RevisionAnswer]:
    """Revisions that are remembered, the newest first, which counts; all of them at once."""
    found = _instance(request).revisions.history.revisions
    return Page[RevisionAnswer](items=[RevisionAnswer.of(item) for item in reversed(found)])


@router.get("/revisions/{number}/diff")
async def compare_revisions(
    request: Request,
    _who: Viewer,
    number: Number,
    to: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
) -> Difference:
    """What changed from a revision to another one, or to the one that counts."""
    history = _instance(request).revisions.history
    after = history.current if to is None else history.get(to)
    return Difference(diff=difference(history.get(number).texts, after.texts))


@router.post("/revisions/{number}/rollback")
async def go_back(request: Request, who: Editor, number: Number) -> RevisionAnswer:
    """Makes an earlier revision count again; what files say waits until it is released."""
    revisions = _instance(request).revisions
    await revisions.go_back(number, who.name)
    return RevisionAnswer.of(revisions.history.current)


@router.post("/revisions/{number}/release")
async def release(request: Request, who: Editor, number: Number) -> RevisionAnswer:
    """Makes files count again, if the revision of that number is the one that counts."""
    revisions = _instance(request).revisions
    revisions.history.expect(number)
    await revisions.release(who.name)
    return RevisionAnswer.of(revisions.history.current)


def _instance(request: Request) -> Administered:
    instance: Administered = request.app.state.instance
    return instance
