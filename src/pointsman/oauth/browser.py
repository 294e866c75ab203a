"""The authorization endpoint: a browser comes, logs in, consents, and is sent back.

It is sent on to addresses of this server, and to those that a client has registered; where neither
will do, it gets a page that says what is wrong.
"""

from collections.abc import Callable
from typing import Final

from authlib.oauth2 import OAuth2Error

from pointsman.oauth import login, pages
from pointsman.oauth.ask import Answer, Ask, parameters
from pointsman.oauth.protocol import Request, Server, User
from pointsman.oauth.work import Work

_LOGIN: Final = "login"
_AUTHORIZE: Final = "authorize"


def authorize(work: Work, ask: Ask) -> Answer:
    """Who is asked, for what, and what they say to it."""
    return _with_grant(work, ask, _authorize)


def log_in(work: Work, ask: Ask) -> Answer:
    """The page that asks who somebody is, and what they send with it."""
    return _with_grant(work, ask, _log_in)


def _with_grant(
    work: Work, ask: Ask, then: Callable[[Server, Request, object, Ask], Answer]
) -> Answer:
    """Goes on with a request for consent that is good; both pages are for such requests only."""
    server = Server(work)
    request = Request(ask.method, f"{work.server.issuer}{ask.path}", parameters(ask.query))
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        answer = server.refused(request, error)
        if answer.location is not None:
            return answer
        return pages.error_page(400, str(error.error), str(error.description))
    return then(server, request, grant, ask)


def _authorize(server: Server, request: Request, grant: object, ask: Ask) -> Answer:
    work = server.work
    user = login.logged_in(work, ask)
    if user is None:
        return _to(work, _LOGIN, ask)
    if ask.method != "POST":
        return _consent(server, request, ask, user)
    form = ask.form()
    cookie = ask.cookie(login.COOKIE) or ""
    if not login.is_own_form(work, cookie, _AUTHORIZE, ask.query, form.get("form", "")):
        return _not_ours()
    if form.get("decision") == "leave":
        login.log_out(work, ask)
        return _to(work, _LOGIN, ask)
    allowed = User(user) if form.get("decision") == "allow" else None
    answer: Answer = server.create_authorization_response(request, allowed, grant)
    return answer


def _consent(server: Server, request: Request, ask: Ask, user: str) -> Answer:
    work = server.work
    told = dict(work.server.scopes)
    return pages.consent_page(
        _place(work, _AUTHORIZE, ask),
        login.form_token(work, ask.cookie(login.COOKIE) or "", _AUTHORIZE, ask.query),
        client=request.client.id,
        user=user,
        scopes=[(name, told.get(name, "")) for name in (request.scope or "").split()],
        audience=request.audience,
        redirect_uri=request.payload.redirect_uri,
    )


def _log_in(server: Server, request: Request, _grant: object, ask: Ask) -> Answer:
    work = server.work
    cookie = ask.cookie(login.COOKIE)
    if ask.method != "POST":
        fresh = cookie or login.new_cookie()
        answer = _login_page(work, request, ask, fresh)
        if cookie is None:
            answer.headers.append(login.cookie_header(fresh))
        return answer
    form = ask.form()
    if not login.is_own_form(work, cookie or "", _LOGIN, ask.query, form.get("form", "")):
        return _not_ours()
    user = form.get("user", "").strip()[:255]
    wait = login.wait_s(work, ask, user)
    if wait:
        wrong = f"Too many logins have failed. Try again in {wait} seconds."
        answer = _login_page(work, request, ask, cookie or "", 429, wrong, user)
        answer.headers.append(("retry-after", str(wait)))
        return answer
    session = login.log_in(work, user, form.get("password", ""))
    if session is None:
        login.failed(work, ask, user)
        wrong = "User name and password do not go together."
        return _login_page(work, request, ask, cookie or "", 403, wrong, user)
    login.succeeded(work, ask, user)
    login.log_out(work, ask)
    answer = _to(work, _AUTHORIZE, ask)
    # Another cookie than before: whoever planted that one is not logged in with it.
    answer.headers.append(login.cookie_header(session))
    return answer


def _login_page(
    work: Work,
    request: Request,
    ask: Ask,
    cookie: str,
    status: int = 200,
    wrong: str = "",
    user: str = "",
) -> Answer:
    token = login.form_token(work, cookie, _LOGIN, ask.query)
    place = _place(work, _LOGIN, ask)
    return pages.login_page(place, token, request.client.id, status=status, wrong=wrong, user=user)


def _not_ours() -> Answer:
    message = "The form is not one that this browser was given."
    return pages.error_page(403, "not_our_form", message)


def _place(work: Work, endpoint: str, ask: Ask) -> str:
    return f"{work.server.front.base}{endpoint}?{ask.query}"


def _to(work: Work, endpoint: str, ask: Ask) -> Answer:
    """Sends the browser to another page of this server, with the same request."""
    headers = [("location", _place(work, endpoint, ask)), ("cache-control", "no-store")]
    return Answer(303, headers)
