"""What `explain` says, word for word; `pytest --refresh` rewrites the pairs."""

import json
import shlex
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import Golden

FOLDER = Path(__file__).parents[1] / "golden" / "explain"

GRPC = "-H 'content-type: application/grpc'"


def _token(client: str, scope: str) -> str:
    parts = (
        {"alg": "RS256"},
        {"iss": "https://idp.example", "client_id": client, "scope": scope},
    )
    shown = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join((*shown, "c2ln"))


TOKEN = _token("acme-app", "read")
STRANGER = _token("other", "read")
UNSCOPED = _token("acme-app", "write")
CASES = {
    "two-stages": "colors.yaml GET http://localhost:8088/paths/red?x=1",
    "normalized": "colors.yaml get '/paths//x/../%72ed'",
    "malformed": "colors.yaml GET /paths/%00",
    "malformed-grpc": f"colors.yaml GET /paths/%00 {GRPC}",
    "climbing": "colors.yaml GET /paths..",
    "weights": "colors.yaml POST /paths/mixed -H 'color: 7'",
    "header-fails": "colors.yaml POST /paths/mixed -H 'color: seven'",
    "no-gateway-route": "colors.yaml GET /elsewhere",
    "no-route": "colors.yaml GET /paths/pink",
    "broken-route": "colors.yaml GET /broken/x",
    "host": "colors.yaml GET 'http://shop.example.com/shop/7?page' -H 'tenant: a'",
    "host-header": "colors.yaml GET /paths/red -H 'Host: shop.example.com:8088'",
    "no-endpoints": "colors.yaml GET /away",
    "resolved": "colors.yaml GET /away --resolve away.local:8080=127.0.0.1:9001",
    "split": "split.yaml GET /api/orders?v=2",
    "no-weight": "split.yaml GET /paused",
    "grpc": f"grpc.yaml POST http://x:9000/color.ColorService/GetColor --gateway front {GRPC} "
    "--resolve color.local:8080=[::1]:9001",
    "grpc-unimplemented": f"grpc.yaml POST /color.ColorService/SetColor --gateway grpc/front "
    f"--port 9000 {GRPC}",
    "grpc-unavailable": f"grpc.yaml POST /color.ColorService/GetColor --gateway grpc/front "
    f"--port 9000 {GRPC}",
    "policies": "policies.yaml GET /cart",
    "fault": "policies.yaml GET /stock",
    "access-none": "access.yaml GET /cart",
    "access-login": "access-servers.yaml GET /page -H 'accept: text/html'",
    "access-no-page": "access-servers.yaml POST /page -H 'accept: text/html'",
    "access-opaque": "access-servers.yaml GET /page -H 'authorization: Bearer abc'",
    "oauth": "oauth.yaml POST https://login.example.com/tenant/oauth2/token --port 8088",
    "oauth-elsewhere": "oauth.yaml POST https://www.example.com/tenant/oauth2/token --port 8088",
    "access-key": "access.yaml GET /cart?key=pm_1",
    "access-token": f"access.yaml GET /cart -H 'authorization: Bearer {TOKEN}'",
    "access-stranger": f"access.yaml GET /cart -H 'authorization: Bearer {STRANGER}'",
    "access-scope": f"access.yaml GET /cart -H 'authorization: Bearer {UNSCOPED}'",
    "access-denied": f"access.yaml GET /cart/secret/1 -H 'authorization: Bearer {TOKEN}'",
    "limits-token": f"access.yaml limits.yaml POST /cart -H 'authorization: Bearer {TOKEN}'",
    "limits-key": "access.yaml limits.yaml GET /cart?key=pm_1",
    "limits-none": "access.yaml limits.yaml GET /cart",
    "hygiene-method": "access.yaml DELETE /stock/1",
    "hygiene-body": "access.yaml GET /stock -H 'content-length: 101'",
    "hygiene-schema": "access.yaml PUT /stock/1",
    "hygiene-slash": "access.yaml GET /stock%2f1",
    "no-host": "grpc.yaml GET https://x.example.com/ --gateway mesh/grpc/virtualGateway/side_grpc",
    "from-service": "mesh.yaml GET http://prices.shop.local:8080//vip/7 --from front",
    "from-no-route": "mesh.yaml GET http://prices.shop.local:8080/ --from shop/front",
    "from-malformed": "mesh.yaml GET http://prices.shop.local:8080/%00 --from front",
    "from-unknown-host": "mesh.yaml GET http://prices:8080/vip --from front_shop",
    "from-unknown-port": "mesh.yaml GET http://prices.shop.local/vip --from front",
    "from-tcp": "mesh.yaml GET http://whoever:5432/ --from mesh/shop/virtualNode/front_shop",
    "from-open": "open-mesh.yaml GET http://example.com:8080/vip --from front",
    "from-aws": "mesh.yaml GET https://s3.eu-west-1.amazonaws.com/ --from front",
    "from-open-port": "open-mesh.yaml GET /x --port 9000 --from front",
}


@pytest.mark.parametrize("case", CASES)
def test_explains_for_people(
    case: str, run: Run, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    ended = run("explain", *shlex.split(CASES[case]))
    assert (ended.status, ended.err) == (0, "")
    golden.check(FOLDER / f"{case}.txt", ended.out)


@pytest.mark.parametrize("case", CASES)
def test_explains_for_machines(
    case: str, run: Run, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FOLDER)
    ended = run("explain", *shlex.split(CASES[case]), "--json")
    assert (ended.status, ended.err) == (0, "")
    json.loads(ended.out)
    golden.check(FOLDER / f"{case}.json", ended.out)


def test_every_golden_file_belongs_to_a_case() -> None:
    written = {file.stem for file in FOLDER.iterdir() if file.suffix in (".txt", ".json")}
    assert written == set(CASES)
