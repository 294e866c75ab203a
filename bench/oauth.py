"""Tokens a second: client credentials through a gateway, signed by ES256.

    python -m bench.oauth

The example of tokens runs as `pointsman up` runs it, with everything on this machine: wrk, Envoy,
the control plane that answers, SQLite. A second row leaves Envoy and gRPC out, to tell what the
protocol, the look-up of the secret and the signature cost by themselves.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.support.oauth import MACHINE, SERVER, place

from bench.dataplane.run import CONNECTIONS, free_port, machine, spread
from pointsman.oauth.ask import Ask

EXAMPLE = Path(__file__).parent.parent / "examples" / "tokens"
HOST = "localhost:8088"
FORM = "application/x-www-form-urlencoded"
BODY = urlencode({"grant_type": "client_credentials"})
READY_S = 30


def through_the_gateway(rounds: int, seconds: int) -> list[float]:
    """Tokens a second, each round."""
    with tempfile.TemporaryDirectory(prefix="oauth-") as folder:
        port = free_port()
        run = Path(folder) / "run"
        run.mkdir(mode=0o700)
        environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(run),
            "XDG_STATE_HOME": f"{folder}/state",
        }
        command = [sys.executable, "-m", "pointsman.cli"]
        up = subprocess.Popen(
            [*command, "up", str(EXAMPLE), "--echo", "--listen", f"8088={port}"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_ready(up)
            made = subprocess.run(
                [*command, "key", "issue", "shop/reports", "--kind", "client", "--json"],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            script = Path(folder) / "token.lua"
            script.write_text(asking(json.loads(made)["secret"]))
            return [take_turn(port, script, seconds) for _ in range(rounds + 1)][1:]
        finally:
            up.terminate()
            up.communicate(timeout=20)


def wait_ready(up: "subprocess.Popen[str]") -> None:
    """Returns once it serves."""
    assert up.stderr is not None
    end = time.monotonic() + READY_S
    for line in up.stderr:
        if "Ctrl-C ends" in line:
            return
        if time.monotonic() > end:
            break
    sys.exit("pointsman up did not start")


def asking(secret: str) -> str:
    """The request, as wrk is told."""
    pair = base64.b64encode(f"shop%2Freports:{secret}".encode()).decode()
    headers = {"Host": HOST, "Content-Type": FORM, "Authorization": f"Basic {pair}"}
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    return "\n".join(['wrk.method = "POST"', f'wrk.body = "{BODY}"', *lines])


def take_turn(port: int, script: Path, seconds: int) -> float:
    """Tokens a second; ends the run if any request failed."""
    url = f"http://127.0.0.1:{port}/oauth2/token"
    told = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 20,
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if "Non-2xx" in told or rate is None:
        sys.exit(f"met errors:\n{told}")
    return float(rate[1])


async def by_itself(rounds: int, seconds: int) -> list[float]:
    """Tokens a second without a proxy, one after the other."""
    rates = []
    with tempfile.TemporaryDirectory(prefix="oauth-") as folder:
        async with place(f"sqlite:///{folder}/state.db") as at:
            headers = {"content-type": FORM, **at.basic(MACHINE)}
            ask = Ask("POST", "/shop/oauth2/token", "", headers, BODY.encode())
            for _ in range(rounds):
                count, start = 0, time.perf_counter()
                while time.perf_counter() - start < seconds:
                    answer = await at.oauth.answer(SERVER.path, ask)
                    assert answer.status == 200
                    count += 1
                rates.append(count / (time.perf_counter() - start))
    return rates


def main() -> int:
    parser = argparse.ArgumentParser(description="Count tokens by client credentials.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a round (default 2)")
    arguments = parser.parse_args()
    alone = asyncio.run(by_itself(arguments.rounds, arguments.seconds))
    behind = through_the_gateway(arguments.rounds, arguments.seconds)
    print(machine())
    print(f"{arguments.rounds} rounds of {arguments.seconds} s; median (min-max)\n")
    print("| Client credentials, ES256 | Tokens/s |\n|---|---|")
    print(f"| without a proxy, one after the other | {spread(alone, 0)} |")
    print(f"| through a gateway, {CONNECTIONS} connections | {spread(behind, 0)} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
