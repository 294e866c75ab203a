"""Logins of browsers: `oauth2`, one filter for each policy that has one.

The filter speaks the code flow with PKCE and keeps the session in cookies, signed and encrypted.
What the ID token says is not its business: it hands the token on in its cookie to the filter of
signed tokens. Then the cookies of sessions are taken out of the request, so that no backend has
them.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from pointsman.envoy import names, pb
from pointsman.envoy.actions import duration
from pointsman.envoy.config_source import ADS
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.outside import outside_cluster_name
from pointsman.graph.model.methods import LOGIN_COOKIES, LoginMethod

NAME: Final = "pointsman.login"
SESSION: Final = "pointsman.session"
COOKIES: Final = "pointsman.session_cookies"
_METADATA: Final = "pointsman.session"
_REST: Final = "cookie"
_EXCHANGE_MS: Final = 5_000
_ON: Final = pb.pack(pb.FilterConfig(config={}))
_COOKIES: Final = {
    "bearer_token": "access",
    "oauth_hmac": "sign",
    "oauth_expires": "until",
    "id_token": "id",
    "refresh_token": "refresh",
    "oauth_nonce": "state",
    "code_verifier": "verifier",
}
"""Envoy's names, and ours behind the prefix."""


def name(method: LoginMethod) -> str:
    """Name of the filter."""
    return f"{NAME}/{method.token.name}"


def login_filters(methods: Iterable[LoginMethod], wire: Wire) -> list[Fields]:
    """Their filters, which rows of the route table switch on."""
    ordered = sorted(methods, key=lambda method: method.token.name)
    return [
        {"name": name(method), "disabled": True, "typed_config": pb.pack(_config(method, wire))}
        for method in ordered
    ]


def secrets(method: LoginMethod) -> Iterator[pb.Message]:
    """The `Secret`s it names: files that the proxy reads."""
    for file in (method.client_secret, method.cookie_secret):
        yield pb.Secret(name=names.file_secret(file), generic_secret={"secret": {"filename": file}})


def _config(method: LoginMethod, wire: Wire) -> pb.Message:
    origin = method.origin or "%REQ(x-forwarded-proto)%://%REQ(:authority)%"
    exchange = {
        "uri": method.exchange,
        "cluster": outside_cluster_name(method.exchange, method.ca_file),
        "timeout": duration(_EXCHANGE_MS),
    }
    config: Fields = {
        "token_endpoint": exchange,
        "authorization_endpoint": method.authorize,
        "redirect_uri": f"{origin}{method.redirect_path}",
        "redirect_path_matcher": _path(method.redirect_path),
        "signout_path": _path(method.logout_path),
        "credentials": {
            "client_id": method.client_id,
            "token_secret": _secret(method.client_secret, wire),
            "hmac_secret": _secret(method.cookie_secret, wire),
            "cookie_names": {field: f"{method.cookies}-{ours}" for field, ours in _COOKIES.items()},
        },
        "auth_scopes": list(method.scopes),
        "auth_type": "URL_ENCODED_BODY" if method.in_body else "BASIC_AUTH",
        "forward_bearer_token": method.keep,
        "use_refresh_token": {"value": method.refresh},
        "deny_redirect_matcher": list(_NO_BROWSERS),
        "cookie_configs": {f"{field}_cookie_config": _LAX for field in _COOKIES},
        "stat_prefix": method.token.name.replace("/", "."),
    }
    if method.end_session is not None:
        config["end_session_endpoint"] = method.end_session
    return pb.OAuth2(config=config)


_LAX: Final[Fields] = {"same_site": "LAX"}
"""Not STRICT: the request that comes back from the provider comes from another site."""


def _unless(header: str, match: Fields) -> Fields:
    return {
        "name": header,
        "string_match": match,
        "invert_match": True,
        "treat_missing_header_as_empty": True,
    }


_NO_BROWSERS: Final[tuple[Fields, ...]] = (
    _unless("accept", {"contains": "text/html"}),
    _unless(":method", {"safe_regex": {"regex": "GET|HEAD"}}),
    {"name": "x-requested-with", "present_match": True},
)
"""Requests that cannot be sent to a page: scripts, and what would lose its body."""


def _path(path: str) -> Fields:
    return {"path": {"exact": path}}


def _secret(file: str, wire: Wire) -> Fields:
    fields: Fields = {"name": names.file_secret(file)}
    if wire != "static":
        fields["sds_config"] = ADS
    return fields


def session_filter() -> Fields:
    """Finds the cookies that are not a session's."""
    return {"name": SESSION, "disabled": True, "typed_config": pb.pack(pb.HeaderToMetadata())}


def cookies_filter() -> Fields:
    """Writes them back."""
    value = f"%DYNAMIC_METADATA({_METADATA}:{_REST})%"
    header = {"key": "cookie", "value": value}
    changes: list[Fields] = [
        {"remove": "cookie"},
        {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}},
    ]
    config = pb.HeaderMutation(mutations={"request_mutations": changes})
    return {"name": COOKIES, "disabled": True, "typed_config": pb.pack(config)}


def cookies_of_host() -> dict[str, pb.Message]:
    """What a virtual host with logins takes out of all of its requests.

    Browsers send cookies to all paths of a host. What no policy guards must not have them either:
    a backend could show them at the gateway, and be taken for the user.
    """
    pattern = rf"(?:^|;\s*){quoted(LOGIN_COOKIES)}[^;]*"
    rewrite = {"pattern": {"regex": pattern}, "substitution": ""}
    value = {"metadata_namespace": _METADATA, "key": _REST, "regex_value_rewrite": rewrite}
    found = pb.HeaderToMetadata(request_rules=[{"header": "cookie", "on_header_present": value}])
    return {SESSION: pb.pack(found), COOKIES: _ON}


def quoted(text: str) -> str:
    """A text as an expression of RE2 that matches nothing else."""
    return "".join(c if c.isalnum() or c in "_-" else f"\\{c}" for c in text)
