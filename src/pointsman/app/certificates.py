"""What stands for certificates of AWS, as the command line and a file say it.

    certificates:
      arn:aws:acm:eu-west-1:1:certificate/a: {chain: /tls/chain.pem, key: /tls/key.pem}
      arn:aws:acm:eu-west-1:1:certificate/b: {secret: web, authority: /tls/ca.pem}
    authorities:
      arn:aws:acm-pca:eu-west-1:1:certificate-authority/c: /tls/ca.pem
      arn:aws:acm-pca:eu-west-1:1:certificate-authority/d: {secret: mesh-ca}

Paths are those of the proxy's machine. `authority` says who signed the certificate, so that
callers without a policy of their own verify the server as App Mesh had them do.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError, model_validator

from pointsman.errors import SourceError, UsageError
from pointsman.graph.links.certificates import CertificateMap
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate

_STRICT = ConfigDict(extra="forbid", frozen=True)
FilePath = Annotated[StrictStr, Field(min_length=1, max_length=255)]


class _Secret(BaseModel):
    model_config = _STRICT
    secret: Annotated[StrictStr, Field(min_length=1, max_length=255)]


Authority = FilePath | _Secret


class _Certificate(BaseModel):
    model_config = _STRICT
    chain: FilePath | None = None
    key: FilePath | None = None
    secret: StrictStr | None = None
    authority: Authority | None = None

    @model_validator(mode="after")
    def one_source(self) -> "_Certificate":
        """Chain and key, or a secret."""
        files = self.chain is not None and self.key is not None
        if files == (self.secret is not None) or (self.chain is None) != (self.key is None):
            raise ValueError("wants chain and key, or secret")
        return self


class _File(BaseModel):
    model_config = _STRICT
    certificates: dict[StrictStr, _Certificate] = Field(default_factory=dict)
    authorities: dict[StrictStr, Authority] = Field(default_factory=dict)


def read_certificates(
    file: str | None, certificates: Iterable[str] = (), authorities: Iterable[str] = ()
) -> CertificateMap:
    """What stands for ARNs; what is said on the command line comes before the file.

    Args:
        file: path of a YAML file; None for none.
        certificates: `ARN=CHAIN,KEY` each.
        authorities: `ARN=FILE` each.

    Raises:
        SourceError: the file cannot be read.
        UsageError: one of them is not of its form.
    """
    written = _read(file) if file is not None else _File()
    by_certificate = {arn: _certificate(item) for arn, item in written.certificates.items()}
    by_authority = {arn: _authority(item) for arn, item in written.authorities.items()}
    for entry in certificates:
        arn, _, paths = entry.partition("=")
        chain, _, key = paths.partition(",")
        if not (arn and chain and key):
            raise UsageError(
                f"--certificate {entry}: not of the form ARN=CHAIN,KEY",
                hint="for example --certificate arn:aws:acm:...=/tls/chain.pem,/tls/key.pem",
            )
        by_certificate[arn] = FileCertificate(certificate_chain=chain, private_key=key)
    for entry in authorities:
        arn, _, path = entry.partition("=")
        if not (arn and path):
            raise UsageError(
                f"--authority {entry}: not of the form ARN=FILE",
                hint="for example --authority arn:aws:acm-pca:...=/tls/ca.pem",
            )
        by_authority[arn] = FileTrust(certificate_chain=path)
    signers = {
        arn: _authority(item.authority)
        for arn, item in written.certificates.items()
        if item.authority is not None
    }
    return CertificateMap(by_certificate, by_authority, signers)


def _read(file: str) -> _File:
    try:
        tree = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--certificates {file}: {error}") from None
    try:
        return _File.model_validate({} if tree is None else tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"--certificates {file}: {place}: {first['msg']}") from None


def _certificate(item: _Certificate) -> FileCertificate | SdsCertificate:
    if item.secret is not None:
        return SdsCertificate(secret_name=item.secret)
    return FileCertificate(certificate_chain=item.chain or "", private_key=item.key or "")


def _authority(item: "str | _Secret") -> FileTrust | SdsCertificate:
    if isinstance(item, _Secret):
        return SdsCertificate(secret_name=item.secret)
    return FileTrust(certificate_chain=item)
