"""Problems that are findings: what reading and linking say already is not worked out again.

`TOLD` says which check a problem belongs to, `LEFT_OUT` which problems are none and why. Each code
that files alone can give is in one of the two; a test sees to that.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pointsman.doctor.catalogue import availability, configuration, delivery, latency, routes
from pointsman.doctor.check import Check
from pointsman.doctor.finding import Finding, Place
from pointsman.resources.problem import Problem

_BY_CHECK: Final[Mapping[Check, tuple[str, ...]]] = {
    routes.TWINS: ("PM416",),
    routes.NO_WEIGHT: ("PM407",),
    routes.NO_TARGET: ("PM307", "PM310", "PM403", "PM404", "PM409"),
    routes.OUTSIDE: ("PM308", "PM309"),
    routes.PORTS_DIFFER: ("PM401", "PM402"),
    routes.PROTOCOLS_DIFFER: ("PM405", "PM406", "PM410", "PM417"),
    routes.NOTHING_LEFT: ("PM408",),
    routes.NO_HOST: ("PM212", "PM220", "PM224"),
    routes.NO_CERTIFICATE: ("PM529", "PM530", "PM531", "PM541", "PM604"),
    routes.STALE: ("PM110", "PM111", "PM312", "PM601", "PM602"),
    routes.NOT_ATTACHED: ("PM301", "PM302", "PM304", "PM305"),
    routes.SAME_CLAIM: ("PM050", "PM107", "PM311", "PM313"),
    latency.RETRIES_DO_NOT_FIT: ("PM415",),
    availability.CHECK_FAILS: ("PM414",),
    availability.PORT_CLASH: ("PM411", "PM418", "PM419", "PM424", "PM603"),
    availability.NO_ENDPOINT: ("PM702", "PM703"),
    availability.EXPIRED: ("PM801", "PM802"),
    availability.USED_UP: ("PM906", "PM921", "PM922"),
    availability.NOBODY_PASSES: (
        *("PM901", "PM902", "PM903", "PM904", "PM905", "PM912", "PM913", "PM914"),
        *("PM930", "PM932", "PM933", "PM940"),
    ),
    availability.NO_PREFLIGHT: ("PM421",),
    delivery.STUCK: ("PM001", "PM002", "PM005", "PM006"),
    configuration.NOT_ENFORCED: ("PM003", "PM061", "PM062", "PM063", "PM422", "PM504"),
    configuration.NOT_READ: (
        *("PM101", "PM102", "PM103", "PM104", "PM105", "PM106", "PM108", "PM109"),
        *("PM201", "PM202", "PM203", "PM204", "PM205", "PM206", "PM207", "PM208", "PM209"),
        *("PM210", "PM211", "PM213", "PM214", "PM215", "PM216", "PM217", "PM218", "PM219"),
        *("PM222", "PM223"),
    ),
    configuration.GIVEN_AWAY: ("PM911",),
}

TOLD: Final[Mapping[str, Check]] = MappingProxyType(
    {code: check for check, codes in _BY_CHECK.items() for code in codes}
)
"""Which check a problem belongs to, by the problem's code."""

_REASONS: Final[Mapping[str, tuple[str, ...]]] = {
    "nothing that serves requests depends on it": ("PM060",),
    "it is how the instance was started": ("PM007", "PM605", "PM606", "PM701", "PM803"),
    "it is how things are meant to be, or only a matter of where they come from": (
        *("PM004", "PM008", "PM009", "PM412", "PM420", "PM423", "PM501", "PM502", "PM503"),
        *("PM523", "PM525", "PM527", "PM540", "PM910", "PM920", "PM931"),
    ),
    "it says what was assumed, and the assumption is nearly always right": ("PM303", "PM306"),
    "endpoints of Cloud Map are known to a running instance": ("PM413",),
    "names with a dot do no harm but in v1beta1": ("PM221",),
}

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {code: reason for reason, codes in _REASONS.items() for code in codes}
)
"""Why a problem is no finding, by its code."""


def told(problems: Iterable[Problem]) -> Iterator[Finding]:
    """Problems as findings, each of the severity it has as a problem."""
    for problem in problems:
        check = TOLD.get(problem.code.id)
        if check is not None:
            place = Place(problem.key, problem.path, problem.origin, problem.at)
            severity = problem.code.severity
            yield Finding(
                check,
                place,
                problem.message,
                severity,
                advice=problem.hint,
                problem=problem.code.id,
            )
