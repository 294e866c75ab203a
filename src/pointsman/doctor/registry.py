"""What looks for findings: the finders of every group, in one table."""

from collections.abc import Callable, Iterator
from typing import Final

from pointsman.doctor.checks.shadowing import hidden_routes
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding

Finder = Callable[[Evidence], Iterator[Finding]]

FINDERS: Final[tuple[Finder, ...]] = (hidden_routes,)
"""Whatever looks for findings of its own; what problems tell is in `told.py`."""
