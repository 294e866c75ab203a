"""An application that knows nothing of proxies, in a namespace of its own.

The file is the program: `application.py OPTIONS`, in JSON. It uses the standard library only. What
it calls, and when, it is told over a Unix socket, which works across network namespaces: one
JSON object a connection, answered by one.
"""

import hashlib
import http.client
import json
import socket
import socketserver
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 5.0
PAUSE_S = 0.002


class _DualStack(ThreadingHTTPServer):
    """Takes IPv4 and IPv6, and leaves nobody waiting in its queue."""

    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)


class _Web(BaseHTTPRequestHandler):
    """Says who answers, and what came; `/held` is never answered."""

    protocol_version = "HTTP/1.1"
    name = ""

    def do_GET(self) -> None:
        if self.path == "/held":
            self.close_connection = True
            self.connection.recv(1)  # until the client gives up
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = {"app": self.name, "client": self.client_address[0], "headers": headers}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class _Greeting(socketserver.StreamRequestHandler):
    """Speaks first, then waits for the client's end."""

    name = ""

    def handle(self) -> None:
        self.wfile.write(f"{self.name} greets\n".encode())
        self.rfile.read()


def ask(
    host: str,
    port: int,
    path: str = "/",
    headers: dict[str, str] | None = None,
    pair: list[str] | None = None,
    tls: bool = False,
) -> dict[str, Any]:
    """One request on a connection of its own; `pair` is a certificate to show."""
    connection = _connection(host, port, tls, pair)
    try:
        answer = _answer(connection, path, headers)
        if isinstance(connection.sock, ssl.SSLSocket):
            shown = connection.sock.getpeercert(binary_form=True) or b""
            answer["shown"] = hashlib.sha256(shown).hexdigest()
        return answer
    except (OSError, http.client.HTTPException) as error:
        return {"error": repr(error)}
    finally:
        connection.close()


def greet(host: str, port: int, sni: str | None = None) -> dict[str, Any]:
    """What a server says that speaks first; over TLS if there is a name to ask for."""
    try:
        with socket.create_connection((host, port), PATIENCE_S) as plain:
            if sni is None:
                return {"said": plain.makefile().readline().strip()}
            with _trusting().wrap_socket(plain, server_hostname=sni) as secure:
                return {"said": secure.makefile().readline().strip()}
    except OSError as error:
        return {"error": repr(error)}


def _connection(
    host: str, port: int, tls: bool, pair: list[str] | None = None
) -> http.client.HTTPConnection:
    if tls:
        context = _trusting(pair)
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=PATIENCE_S)


def _answer(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str] | None
) -> dict[str, Any]:
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    body = response.read().decode()
    answer: dict[str, Any] = {"status": response.status, "body": body}
    with suppress(ValueError):
        answer["body"] = json.loads(body)
    return answer


def _trusting(pair: list[str] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if pair:
        context.load_cert_chain(*pair)
    return context


class _Load:
    """Steady requests, on a connection that is kept and on fresh ones, and what became of them."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, threads: int = 2, **call: Any) -> dict[str, int]:
        self._seen, self._stop = Counter(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, kwargs={"keep": bool(n % 2), **call}, daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()
        return {}

    def seen(self) -> dict[str, int]:
        return dict(self._seen)

    def stop(self) -> dict[str, int]:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return dict(self._seen)

    def _run(
        self,
        keep: bool,
        host: str,
        port: int,
        path: str = "/",
        headers: dict[str, str] | None = None,
        tls: bool = False,
    ) -> None:
        connection = _connection(host, port, tls)
        while not self._stop.wait(PAUSE_S):
            try:
                answer = _answer(connection, path, headers)
                body = answer["body"]
                found = body["app"] if isinstance(body, dict) else body
                self._seen[f"{answer['status']} {found}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self._seen[repr(error)] += 1
                connection.close()
            if not keep:
                connection.close()
        connection.close()


class _Control(socketserver.StreamRequestHandler):
    """Does what it is told."""

    commands: dict[str, Callable[..., dict[str, Any]]] = {}

    def handle(self) -> None:
        told = json.loads(self.rfile.readline())
        answer = self.commands[told.pop("do")](**told)
        self.wfile.write(json.dumps(answer).encode())


class _ControlServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _GreetingServer(_DualStack):
    """Greets, over TLS if it has a certificate."""

    certificate: list[str] = []

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            with suppress(OSError):
                request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)
            return
        with suppress(OSError):
            super().finish_request(request, client_address)


def main(options: dict[str, Any]) -> None:
    """Serves until it is killed."""
    name = options["name"]
    web = type("Web", (_Web,), {"name": name})
    greeting = type("Greeting", (_Greeting,), {"name": name})
    servers: list[socketserver.BaseServer] = [
        _DualStack(("::", port), web) for port in options.get("web", ())
    ]
    servers += [_GreetingServer(("::", port), greeting) for port in options.get("greeting", ())]
    for port in options.get("tls", ()):
        secure = _GreetingServer(("::", port), greeting)
        secure.certificate = options["certificate"]
        servers.append(secure)
    load = _Load()
    _Control.commands = {
        "ask": ask,
        "greet": greet,
        "load": load.start,
        "seen": load.seen,
        "stop": load.stop,
    }
    servers.append(_ControlServer(options["control"], _Control))
    for server in servers:
        threading.Thread(target=partial(server.serve_forever, 0.5), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
