"""A front of one's own: it listens where PORT says, and calls color through its proxy.

urllib takes the proxy from HTTP_PROXY, as most HTTP clients do, so nothing here knows of a mesh.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import urlopen

COLOR = "http://color.shop.svc.cluster.local:8080/"


class Front(BaseHTTPRequestHandler):
    """Answers with what color said."""

    def do_GET(self) -> None:
        """Asks color, and passes its answer on."""
        try:
            with urlopen(COLOR, timeout=5) as answer:
                status, body = answer.status, answer.read()
        except HTTPError as error:
            status, body = error.code, error.read()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    ThreadingHTTPServer(("127.0.0.1", port), Front).serve_forever()
