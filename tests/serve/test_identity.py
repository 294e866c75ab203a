"""With TLS on, a proxy gets only the node it has proved to be, and both sides say why."""

from pathlib import Path

import grpc
import pytest

from tests.serve.test_app_mesh_image import SIGV4
from tests.support.ads_client import CLUSTER, ads_stream
from tests.support.pem_files import Authority, Pair
from tests.support.serve import GATEWAY, Shop, events, is_ready, proxying, serving, wait_ready
from tests.support.up import Up, command, free_port, until

pytestmark = pytest.mark.envoy

DOMAIN = "spiffe://pointsman.local/"
OTHER = "mesh/shop/virtualGateway/back_shop"


class Tls:
    """Certificates of a control plane and its proxies."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.server = self.authority.issue("server", "127.0.0.1", "localhost")
        self.xds = f"127.0.0.1:{free_port()}"

    @property
    def serve(self) -> list[str]:
        """Options of `serve`."""
        pair = self.server
        return [f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}"]

    @property
    def proven(self) -> list[str]:
        """Options of `serve` that wants certificates."""
        return [*self.serve, f"--client-ca={self.authority.file}"]

    def proxy(self, pair: Pair | None) -> list[str]:
        """Options of `proxy`."""
        own = [] if pair is None else [f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}"]
        return [f"--tls-ca={self.authority.file}", *own]

    def credentials(self) -> object:
        """Of a client without a certificate."""
        return grpc.ssl_channel_credentials(self.authority.file.read_bytes())


@pytest.fixture
def tls(folder: Path) -> Tls:
    return Tls(folder)


def test_a_certificate_gives_the_node_it_names_and_no_other(shop: Shop, tls: Tls) -> None:
    right = tls.authority.issue("right", DOMAIN + GATEWAY)
    wrong = tls.authority.issue("wrong", DOMAIN + OTHER)
    alien = tls.authority.issue("alien", "spiffe://elsewhere/" + GATEWAY)
    with (
        serving(shop, tls.xds, *tls.proven) as control,
        proxying(tls.xds, *tls.proxy(wrong)) as other,
        proxying(tls.xds, *tls.proxy(alien)) as stranger,
        proxying(tls.xds, *tls.proxy(right)) as proxy,
    ):
        wait_ready(proxy)
        assert shop.answers()
        other.says(f"closed: 7, not authorised: this is {OTHER}, which may not be {GATEWAY}")
        stranger.says(
            "closed: 16, no credentials: spiffe://elsewhere/.* is of trust domain elsewhere"
        )
        assert not is_ready(other)
        assert not is_ready(stranger)
        reasons = {event["reason"] for event in events(control, "proxy refused")}
        assert len(reasons) == 2
        assert f"not authorised: this is {OTHER}, which may not be {GATEWAY}" in reasons
        assert_no_keys(control, *tls.authority.file.parent.glob("*.key"))


def test_a_join_token_gives_the_node_it_was_made_for(shop: Shop, tls: Tls, folder: Path) -> None:
    authority, token = folder / "identity", folder / "token"
    assert command("identity", "init", authority).returncode == 0

    def make(node: str, lifetime: str) -> None:
        made = command("identity", "token", authority, node, "--lifetime", lifetime)
        assert made.returncode == 0, made.stderr
        token.write_text(made.stdout, encoding="utf-8")

    make(GATEWAY, "1s")
    with (
        serving(shop, tls.xds, *tls.serve, f"--identity={authority}") as control,
        proxying(tls.xds, *tls.proxy(None)) as bare,
        proxying(tls.xds, *tls.proxy(None), f"--token-file={token}") as proxy,
    ):
        bare.says(f"closed: 16, no credentials: no bearer token proves that this is {GATEWAY}")
        proxy.says("closed: 16, no credentials: the join token expired")
        make(OTHER, "1h")
        proxy.says(f"closed: 7, not authorised: this is {OTHER}, which may not be {GATEWAY}")
        make(GATEWAY, "1h")
        wait_ready(proxy)
        assert shop.answers()
        assert token.read_text(encoding="utf-8").strip() not in proxy.text + control.text


def test_an_expired_or_missing_certificate_is_refused(shop: Shop, tls: Tls) -> None:
    expired = tls.authority.issue("expired", DOMAIN + GATEWAY, hours=-1)
    with (
        serving(shop, tls.xds, *tls.proven) as control,
        proxying(tls.xds, *tls.proxy(expired)) as late,
        proxying(tls.xds, *tls.proxy(None)) as bare,
    ):
        late.says("certificate of this proxy ended")
        control.says("CERTIFICATE_VERIFY_FAILED: certificate has expired")
        control.says("PEER_DID_NOT_RETURN_A_CERTIFICATE")
        for proxy in (late, bare):
            proxy.says("pointsman_xds closed")
            assert not is_ready(proxy)
        assert control.status().proxies == ()


def test_a_control_plane_under_another_name_is_not_believed(shop: Shop, tls: Tls) -> None:
    tls.server = tls.authority.issue("server", DOMAIN + OTHER)  # another proxy, say
    with (
        serving(shop, tls.xds, *tls.serve, "--any-node"),
        proxying(tls.xds, *tls.proxy(None)) as doubtful,
        proxying(tls.xds, *tls.proxy(None), f"--tls-name={DOMAIN}{OTHER}") as proxy,
    ):
        wait_ready(proxy)
        doubtful.says("verify SAN list|CERTIFICATE_VERIFY_FAILED", 20)
        assert not is_ready(doubtful)


def test_a_signature_for_aws_is_no_token_and_does_no_harm(shop: Shop, tls: Tls) -> None:
    with (
        serving(shop, tls.xds, *tls.serve, "--any-node"),
        ads_stream(tls.xds, tls.credentials(), {"authorization": SIGV4}) as stream,
    ):
        stream.send({"node": {"id": GATEWAY}, "typeUrl": CLUSTER})
        assert stream.answer().type_url == CLUSTER


def test_renewed_certificates_are_used_on_both_sides(shop: Shop, tls: Tls) -> None:
    own = tls.authority.issue("own", DOMAIN + GATEWAY)
    with (
        serving(shop, tls.xds, *tls.proven, "--max-stream-age=2") as control,
        proxying(tls.xds, *tls.proxy(own)) as proxy,
    ):
        wait_ready(proxy)
        # Both sides move to another authority, and nothing is restarted.
        fresh = Authority(tls.authority.file.parent, "fresh")
        fresh.issue("own", DOMAIN + GATEWAY)
        fresh.issue("server", "127.0.0.1")
        fresh.file.replace(tls.authority.file)
        until(lambda: events(control, "certificates renewed"), 20)
        renewed = len(events(control, "proxy connected"))
        until(lambda: len(events(control, "proxy connected")) > renewed + 1, 20)
        until(lambda: [p.state for p in control.status().proxies] == ["synced"])
        assert shop.answers()


def assert_no_keys(run: Up, *keys: Path) -> None:
    """Nothing of the keys was written where people look."""
    for key in keys:
        secret = key.read_text(encoding="utf-8").splitlines()[1]
        assert secret not in run.text
