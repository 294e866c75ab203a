"""Collecting garbage when nobody waits.

A configuration of ten thousand routes is a million objects that stay. The collector would walk
them again and again, for a third of the time a change takes; so it rests while a change is made,
and what a change left is set aside afterwards.
"""

import gc
from typing import Final

OBJECTS: Final = 100_000
"""Objects that are made between two looks. Python's own number is 700, and the modules of a command
make a million objects that stay: it would look for garbage for a tenth of the time of a start."""


def patient() -> None:
    """Looks for garbage less often, from the start of a process on."""
    gc.set_threshold(OBJECTS, 20, 50)


def keep() -> None:
    """Sets aside what modules are made of, without a look: once, when they are loaded."""
    gc.freeze()


def rest() -> None:
    """No collection until `tidy`."""
    gc.disable()


def tidy() -> None:
    """Collects what is garbage now, sets aside what is left, and lets the collector run again."""
    gc.collect()
    gc.freeze()
    gc.enable()
