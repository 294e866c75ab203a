"""Why a request failed, as a check, an object and a sentence.

Envoy tells by response flags, by details of the response code, and by what went wrong with the
connection to the backend (Envoy's manual, "Access logging" and "HTTP response code details").
What the flags mean in general is `observe.causes`; in `blames` they meet the objects of the mesh.
"""

from collections.abc import Callable
from typing import Final

from pointsman.doctor.blamed import Blame
from pointsman.doctor.blames import answers, connections, refusals, times
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.failures import Failure

_Judge = Callable[[Evidence, Failure], Blame | None]


def blame(evidence: Evidence, failure: Failure) -> Blame | None:
    """Why a request failed; None for what is nobody's fault here."""
    for flag in failure.request.flags:
        judge = _BY_FLAG.get(flag)
        if judge is not None:
            return judge(evidence, failure)
    return answers.answered(evidence, failure)


_BY_FLAG: Final[dict[str, _Judge]] = {
    "FI": refusals.on_purpose,
    "UF": connections.unconnected,
    "DF": connections.no_address,
    "UH": connections.no_endpoint,
    "UC": connections.cut,
    "UR": connections.cut,
    "UPE": connections.garbled,
    "UO": connections.full,
    "NC": connections.missing,
    "NR": answers.lost,
    "UT": times.late,
    "UMSDR": times.late,
    "DT": times.late,
    "SI": times.idle,
    "LR": times.reset_here,
    "DPE": refusals.not_http,
    "OM": refusals.overloaded,
    "RL": refusals.limited,
    "RLSE": refusals.limits_away,
    "UAEX": refusals.denied,
    "DC": connections.left,
    "DR": connections.left,
}
"""Who judges a request with a flag; the first flag of a record that is here counts."""
