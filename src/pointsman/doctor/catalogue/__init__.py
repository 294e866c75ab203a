"""The catalogue: every kind of finding, with its explanation.

    Rxx  routes         requests go elsewhere, or nowhere
    Lxx  latency        requests take longer than they should, or make too many others
    Uxx  availability   nobody can be reached, or nobody is allowed to
    Dxx  delivery       rollouts that cannot do what they are for
    Cxx  configuration  what was written means something else, or gives too much away

One module a letter; `docs/doctor.md` has a table of `CHECKS`. Some show in configuration, others
only where something runs; a code is never reused.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from pointsman.doctor.catalogue import availability, configuration, delivery, latency, routes
from pointsman.doctor.check import Check

_MODULES: Final[tuple[ModuleType, ...]] = (
    routes,
    latency,
    availability,
    delivery,
    configuration,
)


def _collect(modules: tuple[ModuleType, ...]) -> Iterator[tuple[str, Check]]:
    found: dict[str, Check] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Check) and found.setdefault(value.code, value) is not value:
                raise ValueError(f"{value.code} is used twice")
    yield from found.items()


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(dict(_collect(_MODULES)))
"""All checks by code, by groups and in each group as written."""
