"""Collecting garbage when nobody waits.

A configuration of ten thousand routes is a million objects that stay. The collector would walk
them again and again, for a third of the time a change takes; so it rests while a change is made,
and what a change left is set aside afterwards.
"""

import gc


def rest() -> None:
    """No collection until `tidy`."""
    gc.disable()


def tidy() -> None:
    """Collects what is garbage now, sets aside what is left, and lets the collector run again."""
    gc.collect()
    gc.freeze()
    gc.enable()
