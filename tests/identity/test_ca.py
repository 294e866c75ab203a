"""What the authority issues, judged by OpenSSL and by the rules of X509-SVID."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pointsman.errors import IdentityError
from pointsman.identity import certificates
from pointsman.identity.ca import (
    CONTROL_CHANNEL_LIFETIME,
    MEMORY_ROOT_LIFETIME,
    SKEW,
    Authority,
    Issued,
)
from pointsman.identity.keys import PrivateKey
from pointsman.identity.verify import node_id_of
from tests.identity.intermediates import authority as other

NOW = datetime.now(UTC).replace(microsecond=0)
NODE = "mesh/shop/virtualNode/cart"
NAMES = ("Cart.Example.", "cart.example", "10.0.0.1")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.in_memory(NOW)


def leaf(issued: Issued) -> x509.Certificate:
    return certificates.read_certificates(issued.chain, "test")[0]


def judged(folder: Path, authority: Authority, issued: Issued, *options: str) -> str:
    """What OpenSSL says of an issued certificate."""
    (folder / "root.pem").write_bytes(authority.trust)
    (folder / "leaf.pem").write_bytes(issued.chain)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem"]
    result = subprocess.run(
        [*command, "-untrusted", "leaf.pem", *options, "leaf.pem"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    return result.stdout + result.stderr


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_openssl_believes_it(tmp_path: Path, authority: Authority, purpose: str) -> None:
    issued = authority.issue(NODE, NAMES, NOW)
    said = judged(tmp_path, authority, issued, "-purpose", purpose)
    assert "leaf.pem: OK" in said
    assert "OK" in judged(tmp_path, authority, issued, "-verify_hostname", "cart.example")
    assert "OK" in judged(tmp_path, authority, issued, "-verify_ip", "10.0.0.1")
    assert "mismatch" in judged(tmp_path, authority, issued, "-verify_hostname", "other.example")


def test_openssl_does_not_believe_it_of_another(tmp_path: Path, authority: Authority) -> None:
    issued = Authority.in_memory(NOW).issue(NODE, NAMES, NOW)
    assert "unable to get local issuer" in judged(tmp_path, authority, issued)


def test_a_leaf_is_an_x509_svid(authority: Authority) -> None:
    made = leaf(authority.issue(NODE, NAMES, NOW))
    assert certificates.uris(made) == ("spiffe://pointsman.local/mesh/shop/virtualNode/cart",)
    assert certificates.dns_names(made) == ("cart.example", "10.0.0.1")
    usage = made.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not usage.value.crl_sign
    extended = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(extended) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
    assert not certificates.is_authority(made)
    public = made.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert isinstance(public.curve, ec.SECP256R1)


def test_the_root_is_a_signing_certificate_of_its_trust_domain(authority: Authority) -> None:
    (root,) = authority.roots
    assert certificates.uris(root) == ("spiffe://pointsman.local",)
    assert certificates.is_authority(root)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert not usage.value.digital_signature
    assert root.not_valid_after_utc - NOW == MEMORY_ROOT_LIFETIME


def test_validity_begins_before_now_and_ends_with_the_lifetime(authority: Authority) -> None:
    later = NOW + timedelta(days=1)
    made = leaf(authority.issue(NODE, (), later))
    assert made.not_valid_before_utc == later - SKEW
    assert made.not_valid_after_utc == later + timedelta(hours=1)
    short = leaf(authority.issue(NODE, (), later, timedelta(minutes=5)))
    assert short.not_valid_after_utc == later + timedelta(minutes=5)


def test_nothing_is_valid_longer_than_what_signs_it(authority: Authority) -> None:
    end = authority.signer.end
    made = leaf(authority.issue(NODE, (), end - timedelta(minutes=10)))
    assert made.not_valid_after_utc == end
    first = leaf(authority.issue(NODE, (), authority.signer.begin))
    assert first.not_valid_before_utc == authority.signer.begin
    with pytest.raises(IdentityError, match="has expired"):
        authority.issue(NODE, (), end)
    with pytest.raises(IdentityError, match="not valid yet"):
        authority.issue(NODE, (), authority.signer.begin - timedelta(seconds=1))


def test_serial_numbers_and_keys_are_new_each_time(authority: Authority) -> None:
    made = [authority.issue(NODE, (), NOW) for _ in range(20)]
    assert len({leaf(issued).serial_number for issued in made}) == 20
    assert len({issued.key.pem() for issued in made}) == 20
    assert all(0 < leaf(issued).serial_number < 2**127 for issued in made)


@pytest.mark.parametrize("name", ["", "a b", "café.example"])
def test_names_a_certificate_cannot_hold_are_refused(authority: Authority, name: str) -> None:
    with pytest.raises(IdentityError, match="not a name"):
        authority.issue(NODE, (name,), NOW)


def test_control_channel_certificates_name_the_node_and_last_longer(authority: Authority) -> None:
    issued = authority.issue_for_control_channel(NODE, NOW)
    assert issued.end - NOW == CONTROL_CHANNEL_LIFETIME
    certificate = leaf(issued)
    for presented in (issued.chain, certificate.public_bytes(certificates.DER), issued.uri):
        assert node_id_of(presented) == NODE
    assert node_id_of(issued.uri.encode()) == NODE


def test_the_control_plane_is_no_node(tmp_path: Path, authority: Authority) -> None:
    issued = authority.issue_for_control_plane(["control.example", "127.0.0.1"], NOW)
    assert "OK" in judged(tmp_path, authority, issued, "-verify_hostname", "control.example")
    with pytest.raises(IdentityError, match="does not name a virtual node"):
        node_id_of(issued.chain)


def test_what_does_not_identify_a_proxy_is_refused(authority: Authority) -> None:
    with pytest.raises(IdentityError, match="signing certificate"):
        node_id_of(authority.trust)
    with pytest.raises(IdentityError, match="not a certificate"):
        node_id_of(b"\x30\x00rubbish")
    with pytest.raises(IdentityError, match="no certificates"):
        node_id_of(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(IdentityError, match=r"of trust domain pointsman\.local"):
        node_id_of(authority.issue(NODE, (), NOW).chain, "other.example")


def test_a_given_intermediate_signs_and_its_chain_is_sent(tmp_path: Path) -> None:
    root = other("root", NOW)
    middle = other("middle", NOW, root)
    low = other("low", NOW, middle, path_length=0)
    authority = Authority.given(low.pem + middle.pem, low.key.pem(), root.pem)
    assert authority.trust_domain == "mesh.example"
    issued = authority.issue(NODE, NAMES, NOW)
    assert len(certificates.read_certificates(issued.chain, "test")) == 3
    assert "leaf.pem: OK" in judged(tmp_path, authority, issued, "-purpose", "sslserver")
    # A root that stands in the chain, as many tools write it, is not sent.
    whole = Authority.given(low.pem + middle.pem + root.pem, low.key.pem(), root.pem)
    sent = certificates.read_certificates(whole.issue(NODE, (), NOW).chain, "test")
    assert len(sent) == 3


def test_a_given_authority_has_to_fit_together() -> None:
    root, stranger = other("root", NOW), other("root", NOW)
    low = other("low", NOW, root)
    narrow = other("narrow", NOW, path_length=0)
    below = other("below", NOW, narrow)
    issued = Authority.given(low.pem, low.key.pem(), root.pem).issue(NODE, (), NOW)
    key = low.key.pem()
    wrong = [
        (low.pem, PrivateKey.generate().pem(), root.pem, "does not belong to its certificate"),
        (low.pem, key, stranger.pem, "signed by none of the roots"),
        (issued.chain, issued.key.pem(), root.pem, "may not sign others"),
        (below.pem, below.key.pem(), narrow.pem, "CN=narrow allows fewer authorities"),
        (low.pem, b"nothing", root.pem, "holds no private key"),
        (low.pem, b"", root.pem, "holds no private key"),
        (b"", key, root.pem, "holds no certificates"),
        (low.pem + stranger.pem, key, root.pem, "not in order"),
    ]
    for chain, given_key, roots, reason in wrong:
        with pytest.raises(IdentityError, match=reason):
            Authority.given(chain, given_key, roots)
    with pytest.raises(IdentityError, match=r"of trust domain mesh\.example, not of other"):
        Authority.given(low.pem, key, root.pem, "other")


def test_the_same_roots_are_the_same_bytes_in_any_order() -> None:
    one, two = Authority.in_memory(NOW), Authority.in_memory(NOW)
    assert one.trusting(two.roots).trust == two.trusting(one.roots).trust
    assert one.trusting(one.roots).trust == one.trust
