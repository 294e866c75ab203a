"""Numbers of traffic as people read them: three digits at most, and never a zero that is none."""


def rate(value: float) -> str:
    """A number a second."""
    return f"{value:.0f}" if value >= 100 or not value else f"{value:.3g}"


def share(part: int, whole: int) -> str:
    """A percentage that is 0 only for none and 100 only for all."""
    if not part or not whole:
        return "-"
    percent = 100 * part / whole
    if part < whole and percent > 99.9:
        return ">99.9%"
    return "<0.1%" if percent < 0.1 else f"{percent:.3g}%"


def time(ms: float | None) -> str:
    """Milliseconds, or seconds where there are thousands."""
    if ms is None:
        return "-"
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"
