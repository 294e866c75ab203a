"""Lengths of time as Go writes them, `1m30s`, which Flagger's manifests use."""

import re
from typing import Final

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def go_seconds(text: str | None) -> float | None:
    """The seconds of a length of time; None for what is none."""
    if not text or not re.fullmatch(f"(?:{_PART.pattern})+", text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
