"""What happens to a path before it is matched and when it is rewritten.

Envoy's connection manager is told to normalise paths and to merge slashes, so the graph's
explanations have to do the same (Envoy docs: "HTTP header sanitizing", `normalize_path`,
`merge_slashes`; the rules are those of Chromium's URL canonicaliser).
"""

import re

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_LONE_PERCENT = "\0"
_NESTED_ESCAPE = re.compile(_LONE_PERCENT + "(?=[0-9A-Fa-f]{2})")
_TO_ESCAPE = str.maketrans({char: f"%{ord(char):02X}" for char in '"<>^`{|}'})
_DOTS_WITH_PARAMETERS = re.compile(r"(?<=/)(\.\.?);[^/]*")
_DOTS = (".", "..")


def split_query(target: str) -> tuple[str, str]:
    """A request target as path and query; the query keeps its `?`."""
    path, mark, query = target.partition("?")
    return path, mark + query


def normalize(path: str) -> str | None:
    """The path as Envoy matches it, or None for one it refuses with status 400.

    Unreserved escapes are decoded, delimiters escaped, dots resolved and slashes merged.
    """
    if not path.startswith("/") or "#" in path or "%00" in path or not path.isascii():
        return None
    clean = _DOTS_WITH_PARAMETERS.sub(r"\1", path).replace("\\", "/").translate(_TO_ESCAPE)
    return _merge_slashes(_resolve_dots(_decode(clean)))


def _decode(path: str) -> str:
    """Decodes unreserved characters; a percent sign that would come to escape is escaped."""
    decoded = _NESTED_ESCAPE.sub("%25", _PERCENT.sub(_decode_one, path))
    return decoded.replace(_LONE_PERCENT, "%")


def _decode_one(escape: re.Match[str]) -> str:
    if escape.group(1) is None:
        return _LONE_PERCENT
    value = int(escape.group(1), 16)
    return chr(value) if value in _UNRESERVED else escape.group(0)


def _resolve_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment not in _DOTS:
            kept.append(segment)
        elif segment == ".." and kept:
            kept.pop()
    if segments[-1] in _DOTS:
        kept.append("")
    return "/" + "/".join(kept)


def _merge_slashes(path: str) -> str:
    """One slash for many, except that nothing but slashes becomes two of them, as in Envoy."""
    if "//" not in path:
        return path
    inner = "/".join(segment for segment in path.split("/") if segment)
    return f"/{inner}/" if path.endswith("/") else f"/{inner}"


def eats_slash(prefix: str, value: str) -> bool:
    """Whether a slash that follows the prefix is swallowed by the one that ends its new value.

    App Mesh's second pass merged them: `/chapter/page` under `/chapter` becomes `/page`.
    """
    return value.endswith("/") and not prefix.endswith("/")


def replace_prefix(path: str, prefix: str, value: str) -> str:
    """The path with its matched prefix replaced."""
    rest = path[len(prefix) :]
    return value + (rest[1:] if eats_slash(prefix, value) and rest.startswith("/") else rest)


def climbs(path: str, prefix: str, value: str) -> bool:
    """Whether replacing the prefix might leave a dot segment, as `/chapter../page` would.

    Without `/chapter` it is `/../page`, which a backend may resolve to something that neither the
    gateway route nor the router meant to open. App Mesh resolved it before the router looked.
    Any dot right behind the prefix counts: a regex that tells `/chapter.page` apart would cost
    every route 4 kB and twice the time in Envoy, for paths that become `/.page`.
    """
    return eats_slash(prefix, value) and path.startswith(f"{prefix}.")
