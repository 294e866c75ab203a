"""Certificates as secrets of Envoy, and their way into a snapshot.

The names are the same for every proxy: whose identity it is follows from whose snapshot it is in.
"""

from collections.abc import Iterable

from pointsman.envoy import pb
from pointsman.envoy.names import IDENTITY, TRUST
from pointsman.envoy.seal import seal
from pointsman.envoy.sealed import SECRET, Sealed
from pointsman.identity.ca import Authority, Issued
from pointsman.resources.key import Key
from pointsman.xds.snapshot import Snapshot


def identity_secret(issued: Issued, keys: Iterable[Key] = ()) -> Sealed:
    """A certificate with its key, as `pointsman_identity`.

    Args:
        issued: the certificate.
        keys: objects it was made for, so that a rejection can name them.
    """
    secret = pb.Secret(name=IDENTITY)
    secret.tls_certificate.certificate_chain.inline_bytes = issued.chain
    secret.tls_certificate.private_key.inline_bytes = issued.key.pem()
    return seal(secret, keys)


def trust_secret(authority: Authority) -> Sealed:
    """The roots of an authority, as `pointsman_trust`."""
    secret = pb.Secret(name=TRUST)
    secret.validation_context.trusted_ca.inline_bytes = authority.trust
    return seal(secret)


def with_secrets(snapshot: Snapshot, secrets: Iterable[Sealed]) -> Snapshot:
    """The snapshot with these secrets in it.

    All other types stay the same objects, so that a push after a rotation carries secrets only.
    """
    added = {secret.name: secret for secret in secrets}
    return Snapshot({**snapshot.resources, SECRET: {**snapshot.of(SECRET), **added}})
