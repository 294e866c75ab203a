"""Who sits at the browser: passwords, sessions, and patience with those who guess."""

import ipaddress
import secrets
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from pointsman.access.proof import is_good, proves_password
from pointsman.oauth.ask import Ask
from pointsman.oauth.schema import FAILURE, SESSION
from pointsman.oauth.work import Work

COOKIE: Final = "__Host-pm-oauth"
"""The browser's cookie; proxies keep all cookies that begin so from backends."""
FREE: Final = 5
"""Logins of a user that may fail in a row before the next one has to wait."""
FREE_OF_ADDRESS: Final = 20
"""The same of an address, whoever it says to be."""
_LONGEST_S: Final = 300
_FORGOTTEN: Final = timedelta(hours=1)


def new_cookie() -> str:
    """A value nobody guesses."""
    return secrets.token_urlsafe(32)


def cookie_header(value: str) -> tuple[str, str]:
    """Sets the cookie.

    Browsers send it back to this host only, over TLS or to their own machine, and with forms of
    this host only.
    """
    return "set-cookie", f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"


def form_token(work: Work, cookie: str, purpose: str, query: str) -> str:
    """What a form has to bring back: bound to the browser, to what it is for and to its request."""
    text = "\n".join(("oauth form", work.server.key.path, purpose, cookie, query))
    return work.master.digest(text).hex()


def is_own_form(work: Work, cookie: str, purpose: str, query: str, given: str) -> bool:
    """Whether a form is one that this browser was given."""
    if not cookie or not given.isascii():
        return False
    return secrets.compare_digest(form_token(work, cookie, purpose, query), given)


def logged_in(work: Work, ask: Ask) -> str | None:
    """Who is logged in at a browser."""
    cookie = ask.cookie(COOKIE)
    if not cookie:
        return None
    query = sa.select(SESSION).where(
        SESSION.c.digest.in_(work.master.digests(cookie)),
        SESSION.c.server == work.server.key.path,
        SESSION.c.expires_at > work.now,
    )
    row: Any = work.connection.execute(query).first()
    if row is None or not work.is_known(row.subject):
        return None
    return str(row.subject) if is_good(work.connection, row.credential, work.now) else None


def log_in(work: Work, user: str, password: str) -> str | None:
    """The cookie of a new session; None when it is not the user's password."""
    namespace = work.server.key.namespace
    found = proves_password(work.connection, work.master, user, password, namespace, work.now)
    if found is None or found not in work.consumers:
        return None
    cookie = new_cookie()
    row = {
        "digest": work.master.digest(cookie),
        "server": work.server.key.path,
        "subject": found.path,
        "credential": user,
        "expires_at": work.now + timedelta(seconds=work.server.session_s),
    }
    work.connection.execute(SESSION.insert(), row)
    return cookie


def log_out(work: Work, ask: Ask) -> None:
    """Ends the session of a browser."""
    digests = work.master.digests(ask.cookie(COOKIE) or "")
    work.connection.execute(SESSION.delete().where(SESSION.c.digest.in_(digests)))


def wait_s(work: Work, ask: Ask, user: str) -> int:
    """Seconds until another login may be tried; 0 for now."""
    names = [digest for digest, _ in _names(work, ask, user)]
    query = sa.select(sa.func.max(FAILURE.c.until)).where(FAILURE.c.name.in_(names))
    until = work.connection.execute(query).scalar()
    if until is None or until <= work.now:
        return 0
    return int((until - work.now).total_seconds()) + 1


def failed(work: Work, ask: Ask, user: str) -> None:
    """Notes a login that failed; each one beyond those that are free doubles the wait."""
    for name, free in _names(work, ask, user):
        query = sa.select(FAILURE.c.count, FAILURE.c.expires_at).where(FAILURE.c.name == name)
        row: Any = work.connection.execute(query.with_for_update()).first()
        count = 1 if row is None or row.expires_at <= work.now else row.count + 1
        wait = min(_LONGEST_S, 2 ** min(count - free, 16)) if count >= free else 0
        values = {
            "count": count,
            "until": work.now + timedelta(seconds=wait),
            "expires_at": work.now + _FORGOTTEN,
        }
        if row is None:
            work.connection.execute(FAILURE.insert(), {"name": name, **values})
        else:
            update = FAILURE.update().where(FAILURE.c.name == name)
            work.connection.execute(update.values(**values))


def succeeded(work: Work, ask: Ask, user: str) -> None:
    """Forgets the failures of a user; those of an address may be of somebody else."""
    (name, _), *_ = _names(work, ask, user)
    work.connection.execute(FAILURE.delete().where(FAILURE.c.name == name))


def _network(address: str) -> str:
    """An address; of IPv6 what one customer has, who may take any address of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _names(work: Work, ask: Ask, user: str) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
    """What failures are counted by, and how many are free."""
    of_user = work.master.digest(f"login user {work.server.key.path} {user}")
    of_address = work.master.digest(f"login address {_network(ask.address)}")
    return (of_user, FREE), (of_address, FREE_OF_ADDRESS)
