"""The pages people see. They work without scripts, and no other page may frame them."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import urlsplit

from pointsman.oauth.ask import Answer

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}"
    "h1{font-size:1.3rem}label{display:block;margin:.8rem 0}"
    "input{display:block;width:100%;box-sizing:border-box;padding:.5rem;font:inherit}"
    "button{padding:.5rem 1rem;font:inherit;margin:.8rem .5rem 0 0}"
    ".wrong{border-left:.3rem solid;padding-left:.6rem}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def login_page(
    action: str, token: str, client: str, *, status: int = 200, wrong: str = "", user: str = ""
) -> Answer:
    """Asks for user name and password.

    Args:
        action: where the form goes.
        token: see `login.form_token`.
        client: who wants to know.
        status: HTTP status.
        wrong: what was wrong with the last try.
        user: the user name of the last try.
    """
    told = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    body = f"""<h1>Log in</h1>
<p><strong>{escape(client)}</strong> wants to know who you are.</p>{told}
<form method="post" action="{escape(action)}">
<input type="hidden" name="form" value="{escape(token)}">
<label>User name <input name="user" value="{escape(user)}" autocomplete="username" required></label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>"""
    return _page(status, "Log in", body, "'self'")


def consent_page(
    action: str,
    token: str,
    *,
    client: str,
    user: str,
    scopes: Iterable[tuple[str, str]],
    audience: str,
    redirect_uri: str,
) -> Answer:
    """Asks for consent.

    Args:
        action: where the form goes.
        token: see `login.form_token`.
        client: who is to get a token.
        user: who is logged in.
        scopes: (name, what it allows) of what is asked for.
        audience: what the token is for.
        redirect_uri: where the browser goes then.
    """
    items = "".join(
        f"<li><strong>{escape(name)}</strong> {escape(text)}</li>" for name, text in scopes
    )
    asked = f"<p>It will be allowed:</p><ul>{items}</ul>" if items else ""
    body = f"""<h1>Allow {escape(client)}?</h1>
<p>You are <strong>{escape(user)}</strong>. <strong>{escape(client)}</strong> wants to act for you
at <strong>{escape(audience)}</strong>.</p>
{asked}<p>You will be sent to <strong>{escape(_origin(redirect_uri))}</strong>.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="form" value="{escape(token)}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
<button name="decision" value="leave">Log in as somebody else</button>
</form>"""
    # Browsers hold the page to its form's targets even after a redirect.
    return _page(200, "Allow?", body, f"'self' {_form_target(redirect_uri)}")


def error_page(status: int, error: str, description: str) -> Answer:
    """Tells what is wrong, where nobody can be sent on."""
    body = f"""<h1>This does not work</h1>
<p class="wrong">{escape(description or error)}</p>
<p>Go back to the application, and try again. Its makers will want to know: <code>{escape(error)}
</code></p>"""
    return _page(status, "This does not work", body, "'none'")


def _origin(uri: str) -> str:
    """Scheme, host and port; of a native application its scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _form_target(uri: str) -> str:
    """The origin as policies of content name it, which have no words for IPv6 addresses."""
    parts = urlsplit(uri)
    return f"{parts.scheme}:" if "[" in parts.netloc else _origin(uri)


def _page(status: int, title: str, body: str, forms: str) -> Answer:
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>
<body>{body}</body></html>
"""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action {forms}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ]
    return Answer(status, headers, text)
