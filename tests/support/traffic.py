"""Steady load on a TCP address from threads, and what became of it."""

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.up import until

_PAUSE_S = 0.005


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        if isinstance(server, _HeldServer):
            server.asked.set()
            server.go.wait(30)
        body = b"served"
        self.send_response(int(self.headers.get("x-status", "200")))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class _HeldServer(ThreadingHTTPServer):
    """Answers once it may.

    Attributes:
        asked: a request has come.
        go: it may be answered.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Backend)
        self.asked = threading.Event()
        self.go = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def held_backend() -> Iterator[_HeldServer]:
    """An application that lets its clients wait."""
    with _HeldServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.go.set()
            server.shutdown()
            thread.join()


@contextmanager
def backend() -> Iterator[int]:
    """An application; gives its port."""
    with held_backend() as server:
        server.go.set()
        yield server.port


class Traffic:
    """Requests one after the other, on connections that are kept and on fresh ones.

    Between two of them is a moment for the processes that are being tested: without it the load
    takes the processors from them, and a test takes several times as long.

    Attributes:
        seen: results as `STATUS BODY`, or the error.
    """

    def __init__(self, port: int, path: str) -> None:
        self.seen: Counter[str] = Counter()
        self._port = port
        self._path = path
        self._stop = threading.Event()

    def ask(self, *, keep: bool) -> None:
        """Asks until it is stopped."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        while not self._stop.wait(_PAUSE_S):
            try:
                connection.request("GET", self._path)
                response = connection.getresponse()
                self.seen[f"{response.status} {response.read().decode()}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[repr(error)] += 1
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    def stop(self) -> None:
        """Ends it after the requests that are on their way."""
        self._stop.set()


@contextmanager
def traffic(port: int, path: str = "/") -> Iterator[Counter[str]]:
    """Load while inside; gives the results as they come."""
    load = Traffic(port, path)
    threads = [
        threading.Thread(target=load.ask, kwargs={"keep": keep}, daemon=True)
        for keep in (True, True, False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load.seen
    finally:
        load.stop()
        for thread in threads:
            with contextlib.suppress(RuntimeError):
                thread.join(15)


def goes_on(seen: Counter[str], requests: int = 100) -> None:
    """Waits for so many more results."""
    before = seen.total()
    until(lambda: seen.total() >= before + requests, 30, "more requests")
