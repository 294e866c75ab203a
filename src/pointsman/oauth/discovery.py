"""What clients and resource servers can read without asking for it: metadata and the key set."""

from typing import Final

from pointsman.graph.model.authorization_server import AuthorizationServer
from pointsman.oauth.ask import Answer, json_answer
from pointsman.oauth.keys import CACHE_S, ServerKeys

_CACHED: Final = (("cache-control", f"public, max-age={CACHE_S}"),)
_BY_SECRET: Final = ["client_secret_basic", "client_secret_post"]


def metadata(server: AuthorizationServer) -> Answer:
    """RFC 8414, section 2; RFC 9207, section 3."""
    base = f"{server.issuer}/oauth2"
    grants = dict.fromkeys(grant for client in server.clients for grant in client.grants)
    body = {
        "issuer": server.issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "jwks_uri": f"{base}/jwks",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/introspect",
        "scopes_supported": [name for name, _ in server.scopes],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(grants),
        "token_endpoint_auth_methods_supported": [*_BY_SECRET, "none"],
        "revocation_endpoint_auth_methods_supported": [*_BY_SECRET, "none"],
        "introspection_endpoint_auth_methods_supported": _BY_SECRET,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    return json_answer(200, body, _CACHED)


def key_set(keys: ServerKeys) -> Answer:
    """RFC 7517, section 5."""
    headers = [("content-type", "application/jwk-set+json"), *_CACHED]
    return Answer(200, headers, keys.text)
