"""The catalogue of problems: every code Pointsman can report, with its explanation.

    PM00x  delivery    rollouts, and what keeps them from moving weights
    PM05x  versions    versions of APIs
    PM06x  telemetry   traces, and what is told to collectors
    PM1xx  reading     YAML, variables, documents, objects written twice
    PM2xx  fields      one object taken by itself: types, limits, rules between its fields
    PM3xx  references  objects that name each other, membership in meshes and gateways
    PM4xx  routing     what requests would meet
    PM50x  notes       accepted though foreign
    PM52x, PM53x
           enforcement accepted, but not enforced here
    PM6xx  envoy       what Envoy itself refuses, and ports
    PM7xx  registry    what registries of service instances say
    PM8xx  identity    certificates of the mesh's own authority
    PM9xx  access      who may call, and how often

One module each; `docs/problems.md` is generated from `CODES`. A number is never reused.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType

from pointsman.resources.codes import (
    access,
    delivery,
    enforcement,
    envoy,
    fields,
    identity,
    notes,
    reading,
    references,
    registry,
    routing,
    telemetry,
    versions,
)
from pointsman.resources.problem import Code

_MODULES: tuple[ModuleType, ...] = (
    delivery,
    versions,
    telemetry,
    reading,
    fields,
    references,
    registry,
    routing,
    notes,
    enforcement,
    envoy,
    identity,
    access,
)


def _collect(modules: tuple[ModuleType, ...]) -> Iterator[tuple[str, Code]]:
    found: dict[str, Code] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Code) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"{value.id} is used twice")
    yield from sorted(found.items())


CODES: Mapping[str, Code] = MappingProxyType(dict(_collect(_MODULES)))
"""All codes by id, in order."""
