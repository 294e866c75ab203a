"""U12: certificates that end: of the mesh's own authority, the authority itself, and in files."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pointsman.doctor.catalogue.availability import EXPIRED
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, Place, fact
from pointsman.resources.problem import Severity
from pointsman.resources.words import span

LAST_PART: Final = 1 / 6
"""Part of a certificate's life in which it should have been replaced: that is due at a third."""
FILE_NOTICE_S: Final = 7 * 86_400
"""Seconds before the end of a certificate in a file of which nobody knows who renews it."""
NOTICE_S: Final = 14 * 86_400
"""Seconds before the end of an authority from which on it is told."""


def ending_certificates(evidence: Evidence) -> Iterator[Finding]:
    """Certificates that were not renewed in time, and an authority that has to be replaced."""
    live = evidence.live
    for key, (begin, end) in live.certificates.items():
        left = end - live.now
        if left < (end - begin) * LAST_PART:
            yield _ending(
                left,
                Place(key),
                f"the certificate of its proxies {_when(left)}, and there is no new one",
                "see pointsman status and the log of the instance for what keeps it from issuing",
                fact(f"it was good for {span(end - begin)}"),
            )
    end_of_all = live.authority_end
    if end_of_all is not None and end_of_all - live.now < NOTICE_S:
        left = end_of_all - live.now
        yield _ending(
            left,
            Place(),
            f"the certificate authority of the mesh {_when(left)}",
            "put a new one beside it in the folder of --identity: docs/identity.md",
        )


def ending_files(evidence: Evidence) -> Iterator[Finding]:
    """Certificates in files that nobody has renewed in time, as the proxies that use them say."""
    now = evidence.live.now
    for key, files in evidence.live.files.items():
        for file, expiry in files.items():
            left = expiry.end - now
            last_part = (expiry.end - expiry.first) * LAST_PART
            if left < (last_part if expiry.renewed else FILE_NOTICE_S):
                told = _ending(
                    left,
                    Place(key),
                    f"the certificate in {file} {_when(left)}",
                    "put a new one there; proxies notice by themselves",
                    fact(f"a proxy of {key} has it"),
                )
                # It may be one of a short life that somebody renews in time, as they do by then.
                is_new = expiry.end - expiry.first < FILE_NOTICE_S and left > last_part
                yield replace(told, severity=Severity.NOTE) if is_new else told


def _ending(left: float, place: Place, message: str, advice: str, *facts: Fact) -> Finding:
    severity = Severity.ERROR if left <= 0 else Severity.WARNING
    return Finding(EXPIRED, place, message, severity, facts, advice)


def _when(left: float) -> str:
    return f"ends in {span(left)}" if left > 0 else f"has ended {span(-left)} ago"
