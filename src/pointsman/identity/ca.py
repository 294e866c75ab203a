"""The built-in certificate authority: who signs, whom to trust, and what is issued.

An authority is a value: nothing in it changes, and the time comes as an argument. It is made in
memory, kept in a folder (`folder.py`), or given as an intermediate with the roots above it. When
it is renewed is decided in `rotation.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography.hazmat.primitives import hashes

from pointsman.errors import IdentityError
from pointsman.graph import spiffe
from pointsman.identity import certificates
from pointsman.identity.certificates import Certificate
from pointsman.identity.keys import PrivateKey

LIFETIME: Final = timedelta(hours=1)
"""How long a proxy's certificate is valid, unless configured."""
CONTROL_CHANNEL_LIFETIME: Final = timedelta(hours=24)
"""A certificate in a file is not pushed anew: it must outlive an absence of its control plane."""
SKEW: Final = timedelta(seconds=60)
"""How far clocks may be apart: certificates are valid that long before they are issued."""
ROOT_LIFETIME: Final = timedelta(days=3652)
"""Ten years, for a root that is kept."""
MEMORY_ROOT_LIFETIME: Final = timedelta(days=30)
"""For a root that lives as long as its process, which renews it in good time."""
CONTROL_PLANE: Final = "control-plane"
"""Path of the control plane's own SPIFFE id."""


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs.

    Attributes:
        chain: the signing certificate, then those above it without the root; a root is alone.
        key: the signing certificate's key.
    """

    chain: tuple[Certificate, ...]
    key: PrivateKey

    @property
    def certificate(self) -> Certificate:
        """The signing certificate."""
        return self.chain[0]

    @property
    def begin(self) -> datetime:
        """From when the whole chain is valid."""
        return max(item.not_valid_before_utc for item in self.chain)

    @property
    def end(self) -> datetime:
        """Until when the whole chain is valid."""
        return min(item.not_valid_after_utc for item in self.chain)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key.

    Attributes:
        uri: its SPIFFE id.
        chain: PEM of the certificate and of the intermediates above it.
        key: its private key.
        begin: from when it is valid.
        end: until when.
    """

    uri: str
    chain: bytes = field(repr=False)
    key: PrivateKey
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of one trust domain.

    Attributes:
        signer: what signs now.
        roots: whom proxies trust; two or more while one takes the other's place.
        trust_domain: whose SPIFFE ids are issued.
        token_key: signs join tokens (`tokens.py`).
        lifetime: of the certificates of proxies.
        renews: whether it lives in memory only, so that it makes its own successor.
        coming: the signer that will be next; its root is trusted already.
    """

    signer: Signer
    roots: tuple[Certificate, ...]
    trust_domain: str
    token_key: PrivateKey
    lifetime: timedelta = LIFETIME
    renews: bool = False
    coming: Signer | None = field(default=None)

    @classmethod
    def in_memory(
        cls,
        now: datetime,
        trust_domain: str = spiffe.DEFAULT_TRUST_DOMAIN,
        lifetime: timedelta = LIFETIME,
    ) -> "Authority":
        """A new authority that is gone with the process.

        Raises:
            IdentityError: the trust domain has no valid name.
        """
        signer = new_root(trust_domain, now, MEMORY_ROOT_LIFETIME)
        return cls(signer, signer.chain, trust_domain, PrivateKey.generate(), lifetime, renews=True)

    @classmethod
    def given(
        cls,
        chain: bytes,
        key: bytes,
        roots: bytes,
        trust_domain: str | None = None,
        *,
        token_key: PrivateKey | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> "Authority":
        """An authority made elsewhere: an intermediate, or a root that is alone.

        Args:
            chain: PEM of the signing certificate, then those above it; the root may be left out.
            key: PEM of the signing certificate's key.
            roots: PEM of whom to trust.
            trust_domain: by default that of the signing certificate's SPIFFE id.
            token_key: signs join tokens; a new one by default.
            lifetime: of the certificates of proxies.

        Raises:
            IdentityError: these do not belong together, or may not sign.
        """
        trusted = certificates.read_certificates(roots, "the trust bundle")
        links = certificates.read_certificates(chain, "the chain of the authority")
        signing = PrivateKey.read(key, "the key of the authority")
        signer = Signer(_checked(links, signing, trusted), signing)
        domain = _trust_domain(signer.certificate, trust_domain)
        return cls(signer, trusted, domain, token_key or PrivateKey.generate(), lifetime)

    @property
    def trust(self) -> bytes:
        """PEM of whom to trust; the same bytes for the same roots in any order."""
        unique = {item.fingerprint(hashes.SHA256()): item for item in self.roots}
        return certificates.to_pem(item for _, item in sorted(unique.items()))

    def trusting(self, roots: Iterable[Certificate]) -> "Authority":
        """The same authority, whose proxies trust these roots besides."""
        return replace(self, roots=(*self.roots, *(r for r in roots if r not in self.roots)))

    def issue(
        self,
        node_id: str,
        dns_names: Iterable[str],
        now: datetime,
        lifetime: timedelta | None = None,
    ) -> Issued:
        """A certificate for the proxies of a node, with a key of its own.

        Args:
            node_id: whose proxies: `mesh/MESH/virtualNode/NODE`, or `…/virtualGateway/…`.
            dns_names: names by which others call it; App Mesh compares them with the name of
                service discovery.
            now: the time.
            lifetime: how long it is valid; never longer than what signs it.

        Raises:
            IdentityError: the names cannot be certified, or the authority is not valid now.
        """
        uri = spiffe.spiffe_id(node_id, self.trust_domain)
        return self._issue(uri, dns_names, now, lifetime or self.lifetime)

    def issue_for_control_channel(self, node_id: str, now: datetime) -> Issued:
        """A certificate by which a proxy shows the control plane who it is.

        Raises:
            IdentityError: see `issue`.
        """
        return self.issue(node_id, (), now, CONTROL_CHANNEL_LIFETIME)

    def issue_for_control_plane(self, names: Iterable[str], now: datetime) -> Issued:
        """The control plane's own certificate, for the names and addresses it is reached by.

        Raises:
            IdentityError: see `issue`.
        """
        uri = f"{spiffe.trust_domain_id(self.trust_domain)}/{CONTROL_PLANE}"
        return self._issue(uri, names, now, CONTROL_CHANNEL_LIFETIME)

    def _issue(
        self, uri: str, dns_names: Iterable[str], now: datetime, lifetime: timedelta
    ) -> Issued:
        signer = self.signer
        if not signer.begin <= now < signer.end:
            when = "has expired" if now >= signer.end else "is not valid yet"
            raise IdentityError(
                f"the certificate authority {when}: it is valid from {signer.begin:%Y-%m-%d} "
                f"to {signer.end:%Y-%m-%d}"
            )
        key = PrivateKey.generate()
        begin = max(now - SKEW, signer.begin).replace(microsecond=0)
        end = min(now + lifetime, signer.end).replace(microsecond=0)
        leaf = certificates.make_leaf(
            key, uri, dns_names, signer.certificate, signer.key, begin, end
        )
        above = (item for item in signer.chain if item not in self.roots)
        return Issued(uri, certificates.to_pem((leaf, *above)), key, begin, end)


def new_root(
    trust_domain: str, now: datetime, lifetime: timedelta, key: PrivateKey | None = None
) -> Signer:
    """A new self-signed root.

    Raises:
        IdentityError: the trust domain has no valid name.
    """
    key = key or PrivateKey.generate()
    uri = spiffe.trust_domain_id(trust_domain)
    begin = (now - SKEW).replace(microsecond=0)
    end = (now + lifetime).replace(microsecond=0)
    return Signer((certificates.make_root(key, uri, begin, end),), key)


def _checked(
    links: tuple[Certificate, ...], key: PrivateKey, roots: tuple[Certificate, ...]
) -> tuple[Certificate, ...]:
    """The chain without its root, once it is known to lead from the key to a root."""
    if links[0].public_key() != key.signing.public_key():
        raise IdentityError("the key of the authority does not belong to its certificate")
    chain = links if len(links) == 1 else tuple(item for item in links if item not in roots)
    for item in (*chain, *roots):
        if not certificates.is_authority(item):
            name = item.subject.rfc4514_string() or "a certificate"
            raise IdentityError(f"{name} may not sign others: it is no CA certificate")
    for item, issuer in pairwise(chain):
        if not certificates.is_issued_by(item, issuer):
            raise IdentityError(
                "the chain of the authority is not in order",
                hint="the signing certificate comes first, then the one that signed it",
            )
    top = chain[-1]
    above = [root for root in roots if certificates.is_issued_by(top, root)]
    if top not in roots and not above:
        raise IdentityError("the authority is signed by none of the roots to trust")
    for depth, item in enumerate(chain if top in roots else (*chain, above[0])):
        if not certificates.allows_below(item, depth):
            name = item.subject.rfc4514_string()
            raise IdentityError(
                f"{name} allows fewer authorities below it (path length constraint)"
            )
    return chain


def _trust_domain(certificate: Certificate, wanted: str | None) -> str:
    found = [spiffe.trust_domain_of(uri) for uri in certificates.uris(certificate)]
    if found and wanted is not None and wanted not in found:
        raise IdentityError(f"the authority is of trust domain {found[0]}, not of {wanted}")
    return spiffe.check_trust_domain(wanted or (found or [spiffe.DEFAULT_TRUST_DOMAIN])[0])
