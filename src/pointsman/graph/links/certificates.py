"""Certificates that AWS kept, and where they are now.

App Mesh delivered what lay in AWS Certificate Manager to its proxies by itself. Manifests name
such certificates by ARN; the operator says which files, or which secrets of a local secret
service, have taken their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.graph.spiffe import DEFAULT_TRUST_DOMAIN
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate


@dataclass(frozen=True, slots=True)
class CertificateMap:
    """What stands for the ARNs in manifests.

    Attributes:
        certificates: ARN of a certificate -> the certificate with its key.
        authorities: ARN of a certificate authority -> its certificate.
        signers: ARN of a certificate -> who signed it. By this, callers without a policy of their
            own verify the servers that show it, as App Mesh did for certificates of ACM.
        trust_domain: of the identities that the mesh's own authority issues.
    """

    certificates: Mapping[str, FileCertificate | SdsCertificate] = field(default_factory=dict)
    authorities: Mapping[str, FileTrust | SdsCertificate] = field(default_factory=dict)
    signers: Mapping[str, FileTrust | SdsCertificate] = field(default_factory=dict)
    trust_domain: str = DEFAULT_TRUST_DOMAIN
