"""Steady load on a TCP address from threads, and what became of it."""

import contextlib
import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"served"
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


@contextmanager
def backend() -> Iterator[int]:
    """An application; gives its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Traffic:
    """Requests without a pause, on connections that are kept and on fresh ones.

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
        while not self._stop.is_set():
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
