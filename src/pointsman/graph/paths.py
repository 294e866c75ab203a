"""What happens to a path before it is matched and when it is rewritten.

Envoy's connection manager is told to normalise paths and to merge slashes, so the graph's
explanations have to do the same (Envoy docs: "HTTP header sanitizing", `normalize_path`,
`merge_slashes`; the rules are those of Chromium's URL canonicaliser).
"""

import re

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SLASHES = re.compile(r"/{2,}")


def split_query(target: str) -> tuple[str, str]:
    """A request target as path and query; the query keeps its `?`."""
    path, mark, query = target.partition("?")
    return path, mark + query


def normalize(path: str) -> str:
    """The path as Envoy matches it: unreserved escapes decoded, dots resolved, slashes merged."""
    decoded = _ESCAPE.sub(_decode_unreserved, path.replace("\\", "/"))
    kept: list[str] = []
    segments = decoded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", "..") and (not kept or kept[-1] != ""):
        kept.append("")
    return _SLASHES.sub("/", "/" + "/".join(kept))


def _decode_unreserved(escape: re.Match[str]) -> str:
    value = int(escape.group(1), 16)
    return chr(value) if value in _UNRESERVED else escape.group(0)


def replace_prefix(path: str, prefix: str, value: str) -> str:
    """The path with its matched prefix replaced.

    When the value ends with a slash and the rest starts with one, there is one slash: App Mesh's
    second pass merged them (`/chapter/page` under `/chapter` becomes `/page`).
    """
    rest = path[len(prefix) :]
    return value + (rest[1:] if value.endswith("/") and rest.startswith("/") else rest)
