"""TLS blocks of manifests: what a listener shows and asks for, and what a caller wants.

Whether a caller then speaks TLS to a given server is decided in `graph.tls`. What cannot be had
is never left out in silence: a listener without its certificate has none to serve with, and a
policy without its authorities is refused as a whole, so that nothing falls back to plaintext.
"""

from enum import Enum

from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.links.linked import Findings
from pointsman.graph.model.tls import ClientTls, ServerTls, Trust
from pointsman.resources.codes import enforcement
from pointsman.resources.kinds import tls as kinds
from pointsman.resources.origin import FieldPath


class Refused(Enum):
    """A policy that cannot be followed: what it is for must not be called at all."""

    REFUSED = "refused"


REFUSED = Refused.REFUSED


def known_tls(certificates: CertificateMap, block: kinds.ListenerTls | None) -> ServerTls | None:
    """TLS of a listener as its callers know it; None for plaintext.

    Args:
        certificates: what stands for ARNs. A certificate that is not in it is None in the result.
        block: `listeners[].tls`.
    """
    if block is None or block.mode == "DISABLED":
        return None
    source, check = block.certificate, block.validation
    arn = source.acm.certificate_arn if source.acm is not None else ""
    return ServerTls(
        mode=block.mode,
        certificate=certificates.placed(source.file)
        or source.sds
        or certificates.certificates.get(arn),
        trust=certificates.placed(check.trust.file or check.trust.sds) if check else None,
        names=_names(check),
        authority=certificates.signers.get(arn),
    )


def server_tls(
    certificates: CertificateMap,
    block: kinds.ListenerTls | None,
    path: FieldPath,
    findings: Findings,
) -> ServerTls | None:
    """TLS of a listener that is to be served; None for plaintext.

    One whose certificate is None cannot be served: it must be left out.

    Args:
        certificates: what stands for ARNs.
        block: `listeners[].tls`.
        path: where the block stands.
        findings: takes the problem of a certificate that is not there.
    """
    tls = known_tls(certificates, block)
    if tls is not None and tls.certificate is None and block and block.certificate.acm:
        arn = block.certificate.acm.certificate_arn
        findings.add(
            enforcement.CERTIFICATE_UNMAPPED,
            (*path, "certificate", "acm"),
            f"the certificate {arn} is with AWS, so the listener is not served",
            f"say which files stand for it: --certificate {arn}=CHAIN.pem,KEY.pem",
        )
    return tls


def client_tls(
    certificates: CertificateMap,
    policy: kinds.ClientPolicy | None,
    path: FieldPath,
    findings: Findings,
) -> ClientTls | Refused | None:
    """What a caller wants of connections to its backends; None leaves it to the servers.

    Args:
        certificates: what stands for ARNs.
        policy: `clientPolicy`.
        path: where the policy stands.
        findings: takes the problem of authorities that are not there.
    """
    if policy is None or policy.tls is None:
        return None
    block = policy.tls
    trust = _trust(certificates, block.validation.trust, (*path, "tls"), findings)
    if trust is None:
        return REFUSED
    shown = block.certificate
    return ClientTls(
        enforce=block.enforce,
        ports=block.ports,
        certificate=certificates.placed(shown.file or shown.sds) if shown is not None else None,
        trust=trust,
        names=_names(block.validation),
    )


def _trust(
    certificates: CertificateMap, block: kinds.Trust, path: FieldPath, findings: Findings
) -> Trust | None:
    if block.acm is None:
        return certificates.placed(block.file or block.sds)
    arns = block.acm.certificate_authority_arns
    where = (*path, "validation", "trust", "acm")
    unmapped = [arn for arn in arns if arn not in certificates.authorities]
    if unmapped:
        findings.add(
            enforcement.AUTHORITY_UNMAPPED,
            where,
            f"the authority {', '.join(unmapped)} is with AWS, so its backends are not called",
            f"say which file stands for it: --authority {unmapped[0]}=CA.pem",
        )
        return None
    found = {certificates.authorities[arn]: arn for arn in arns}
    if len(found) > 1:
        findings.add(
            enforcement.AUTHORITIES_APART,
            where,
            "its authorities are in several files, so its backends are not called",
            "put their certificates into one file, and give that for each of the ARNs",
        )
        return None
    return next(iter(found))


def _names(check: kinds.TlsValidation | None) -> tuple[str, ...]:
    names = check.subject_alternative_names if check is not None else None
    return names.match.exact if names is not None else ()
