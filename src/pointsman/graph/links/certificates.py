"""Certificates that AWS or a pod kept, and where they are now.

App Mesh delivered what lay in AWS Certificate Manager to its proxies by itself. Manifests name
such certificates by ARN; the operator says which files, or which secrets of a local secret
service, have taken their place. Files that a pod has mounted may be in another folder here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, TypeVar

from pointsman.graph.spiffe import DEFAULT_TRUST_DOMAIN
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate

LONGEST_PATH: Final = 255
"""Characters of a path in a manifest."""

SourceT = TypeVar("SourceT")


@dataclass(frozen=True, slots=True)
class CertificateMap:
    """What stands for the ARNs and paths in manifests.

    Attributes:
        certificates: ARN of a certificate -> the certificate with its key.
        authorities: ARN of a certificate authority -> its certificate.
        signers: ARN of a certificate -> who signed it. By this, callers without a policy of their
            own verify the servers that show it, as App Mesh did for certificates of ACM.
        trust_domain: of the identities that the mesh's own authority issues.
        mounts: folder in manifests -> folder here, for certificates in files.
    """

    certificates: Mapping[str, FileCertificate | SdsCertificate] = field(default_factory=dict)
    authorities: Mapping[str, FileTrust | SdsCertificate] = field(default_factory=dict)
    signers: Mapping[str, FileTrust | SdsCertificate] = field(default_factory=dict)
    trust_domain: str = DEFAULT_TRUST_DOMAIN
    mounts: Mapping[str, str] = field(default_factory=dict)

    def placed(self, source: SourceT) -> SourceT:
        """A certificate, or whom to trust, with its files where they are here.

        A path that would become longer than 255 characters stays as it is.
        """
        if isinstance(source, FileCertificate):
            chain, key = self._place(source.certificate_chain), self._place(source.private_key)
            return type(source)(certificate_chain=chain, private_key=key)
        if isinstance(source, FileTrust):
            return type(source)(certificate_chain=self._place(source.certificate_chain))
        return source

    def _place(self, path: str) -> str:
        written = PurePosixPath(path)
        folders = [folder for folder in self.mounts if written.is_relative_to(folder)]
        if not folders:
            return path
        folder = max(folders, key=len)
        placed = str(PurePosixPath(self.mounts[folder]) / written.relative_to(folder))
        return placed if len(placed) <= LONGEST_PATH else path
