"""An OpenID provider of others, of the npm package oidc-provider, and a browser that logs in."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.support.http1 import Answer, Client
from tests.support.peers import installed


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs.

    Attributes:
        port: where it listens, on 127.0.0.1.
        process: it.
    """

    port: int
    process: "subprocess.Popen[str]"

    @property
    def issuer(self) -> str:
        """What tokens have in `iss`."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def provider(*clients: Mapping[str, Any], ttl: int = 60) -> Iterator[Provider]:
    """Runs a provider.

    Args:
        clients: clients it knows, as RFC 7591 has them.
        ttl: seconds for which access and ID tokens are good.
    """
    folder = installed("oidc", "provider.js")
    process = subprocess.Popen(
        ["node", str(folder / "provider.js"), json.dumps({"clients": clients, "ttl": ttl})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    found = Provider(0, process)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the provider did not start"
        yield Provider(int(line), process)
    finally:
        found.stop()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@dataclass(slots=True)
class Browser:
    """Follows redirects and keeps cookies, of each host its own.

    It sends cookies that are marked as secure without TLS, too, as browsers do to their own
    machine.

    Attributes:
        ports: where hosts are, by name; all others are at the port of the address.
        cookies: by host and name.
        marks: the attributes each cookie came with, in lower case.
        visited: addresses, in order.
    """

    ports: dict[str, int]
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)

    async def step(
        self, url: str, form: Mapping[str, str] | None = None, *more: tuple[str, str]
    ) -> Answer:
        """Asks for an address, once."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        self.visited.append(url)
        jar = self.cookies.setdefault(host, {})
        headers = [("accept", "text/html,*/*"), *more]
        if jar:
            headers.append(("cookie", "; ".join(f"{k}={v}" for k, v in jar.items())))
        body = b""
        if form is not None:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
            body = urlencode(form).encode()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        async with Client(self.ports.get(host, parts.port or 80)) as client:
            method = "GET" if form is None else "POST"
            answer = await client.ask(method, target, parts.netloc, tuple(headers), body)
        for name, value in answer.headers:
            if name == "set-cookie":
                self._keep(jar, value)
        return answer

    def _keep(self, jar: dict[str, str], line: str) -> None:
        pair, _, marks = line.partition(";")
        name, _, value = pair.partition("=")
        self.marks[name.strip()] = marks.lower()
        gone = re.search(r"max-age=0|expires=thu, 01 jan 1970", marks.lower())
        if gone:
            jar.pop(name.strip(), None)
        else:
            jar[name.strip()] = value.strip()

    async def go(
        self, url: str, form: Mapping[str, str] | None = None, until: str | None = None
    ) -> Answer:
        """Asks for an address and follows redirects.

        Args:
            url: the address.
            form: what is posted to it.
            until: stops before an address that begins so, with the redirect to it.
        """
        answer = await self.step(url, form)
        for _ in range(12):
            location = answer.header("location")
            if answer.status not in (302, 303, 307) or location is None:
                return answer
            url = urljoin(url, location)
            if until is not None and url.startswith(until):
                return answer
            answer = await self.step(url)
        raise AssertionError(f"redirected for ever: {self.visited}")

    async def login(self, url: str, user: str, until: str | None = None) -> Answer:
        """Asks for an address and fills in the provider's pages, should they come."""
        answer = await self.go(url, until=until)
        for _ in range(3):
            found = re.search(rb'action="([^"]+)"', answer.body)
            prompt = re.search(rb'name="prompt" value="(\w+)"', answer.body)
            if found is None or prompt is None:
                return answer
            form = {"prompt": prompt[1].decode(), "login": user, "password": "x"}
            answer = await self.go(urljoin(self.visited[-1], found[1].decode()), form, until)
        return answer
