"""The master key over HTTP: everything it closes is closed anew when there is another one."""

from fastapi import APIRouter, Request

from pointsman.api.admin.kept import Administered
from pointsman.api.admin.models import Body
from pointsman.api.admin.who import Admin
from pointsman.oauth.keys import Keys

router = APIRouter(tags=["master key"])


class Rewrapped(Body):
    """What was closed anew.

    Attributes:
        master_key: id of the master key that closes everything now.
        credentials: how many credentials were closed by another one.
        keys: how many keys of authorization servers.
    """

    master_key: str
    credentials: int
    keys: int


@router.post("/master-key/rewrap")
async def rewrap(request: Request, who: Admin) -> Rewrapped:
    """Closes everything by the master key in use, so that older ones can go."""
    instance: Administered = request.app.state.instance
    stored = await instance.open()
    credentials = await stored.credentials.rewrap(who.name)
    keys = await Keys(stored.database, stored.master).rewrap(who.name)
    instance.poke()
    return Rewrapped(master_key=stored.master.id, credentials=credentials, keys=keys)
