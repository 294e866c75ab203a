"""SPIFFE ids of proxies, and the way back from them to node ids.

    mesh/shop/virtualNode/cart_shop  ->  spiffe://pointsman.local/mesh/shop/virtualNode/cart_shop

Source: SPIFFE-ID of the SPIFFE project. A path segment may hold letters, digits, `.`, `-` and `_`
only; percent-encoding is forbidden. Node ids may hold more, such as the `@` of a shared mesh, so
every other byte of a segment becomes two dots and its two hexadecimal digits:

    mesh/shop@123456789012/…         ->  …/mesh/shop..40123456789012/…

A dot stays itself unless another dot, an escaped byte or the end of the segment follows. Two dots
therefore stand for an escape only, and the mapping can be turned back: different node ids never
have one SPIFFE id.
"""

import re
from typing import Final

from pointsman.errors import IdentityError

DEFAULT_TRUST_DOMAIN: Final = "pointsman.local"
_SCHEME: Final = "spiffe://"
_LONGEST: Final = 2048
_LONGEST_DOMAIN: Final = 255

_DOMAIN = re.compile(r"[a-z0-9._-]+\Z")
_NODE = re.compile(r"mesh/[^/\s]+/(?:virtualNode|virtualGateway)/[^/\s]+\Z")
_SEGMENT = re.compile(r"(?:\.\.[0-9A-F]{2}|\.(?=[A-Za-z0-9_-])|[A-Za-z0-9_-])+\Z")
_ESCAPED = re.compile(r"\.\.([0-9A-F]{2})")
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def check_trust_domain(name: str) -> str:
    """The name itself.

    Raises:
        IdentityError: it is not the name of a trust domain.
    """
    if len(name) > _LONGEST_DOMAIN or not _DOMAIN.match(name):
        raise IdentityError(
            f"{name!r} is not a trust domain",
            hint=f"it has lower-case letters, digits, `.`, `-` and `_`: {DEFAULT_TRUST_DOMAIN}",
        )
    return name


def spiffe_id(node_id: str, trust_domain: str = DEFAULT_TRUST_DOMAIN) -> str:
    """The SPIFFE id of a node id.

    Args:
        node_id: `mesh/MESH/virtualNode/NODE` or `mesh/MESH/virtualGateway/GATEWAY`.
        trust_domain: whose id it is.

    Raises:
        IdentityError: this is no node id, or too long for a SPIFFE id.
    """
    if not _NODE.match(node_id):
        raise IdentityError(
            f"{node_id!r} is not a node id",
            hint="for example mesh/shop/virtualNode/cart_shop, as the proxy's node.id",
        )
    made = f"{trust_domain_id(trust_domain)}/{'/'.join(map(_escape, node_id.split('/')))}"
    if len(made) > _LONGEST:
        raise IdentityError(f"the SPIFFE id of {node_id!r} has more than {_LONGEST} bytes")
    return made


def trust_domain_id(trust_domain: str) -> str:
    """The SPIFFE id of a trust domain's authority: `spiffe://TRUST_DOMAIN`."""
    return _SCHEME + check_trust_domain(trust_domain)


def trust_domain_of(uri: str) -> str:
    """The trust domain of a SPIFFE id.

    Raises:
        IdentityError: this is no SPIFFE id.
    """
    if not uri.startswith(_SCHEME):
        raise IdentityError(f"{uri!r} is not a SPIFFE id")
    return check_trust_domain(uri.removeprefix(_SCHEME).partition("/")[0])


def node_id(uri: str, trust_domain: str = DEFAULT_TRUST_DOMAIN) -> str:
    """The node id of a SPIFFE id.

    Raises:
        IdentityError: it is not one this module makes, or of another trust domain.
    """
    found = trust_domain_of(uri)
    if found != trust_domain:
        raise IdentityError(f"{uri} is of trust domain {found}, not of {trust_domain}")
    segments = uri.removeprefix(f"{_SCHEME}{found}").removeprefix("/").split("/")
    if all(map(_SEGMENT.match, segments)):
        named = "/".join(map(_unescape, segments))
        # Only what this module makes is believed, so that no node id has two SPIFFE ids.
        if _NODE.match(named) and spiffe_id(named, trust_domain) == uri:
            return named
    raise IdentityError(f"{uri} does not name a virtual node or a virtual gateway")


def _escape(segment: str) -> str:
    raw = segment.encode()
    made = []
    for index, byte in enumerate(raw):
        following = raw[index + 1 : index + 2]
        kept = byte in _PLAIN or (byte == ord(".") and following and following[0] in _PLAIN)
        made.append(chr(byte) if kept else f"..{byte:02X}")
    return "".join(made)


def _unescape(segment: str) -> str:
    raw = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), segment).encode("latin-1")
    return raw.decode("utf-8", errors="replace")
