"""What every request passes: the right host and token, a body within bounds, safe headers."""

import asyncio
import hmac
import json
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cgxas.limits import SECONDS, UPLOAD
from cgxas.serve.settings import LOOPBACK

OPEN = ("/api/health", "/api/version")
"""Answered without a token: whether it lives, and what it is."""

RETRY = "2"
"""Seconds after which a caller should try again where too many wait."""

MOST_HELD = 10
"""Bodies of the largest size that are held at once."""

_PASSED_OVER = 10
"""As many times as much as is taken is read of a body, so that its sender hears why it is not."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """Refuses, before anything is read or computed, what is not wanted here.

    A server without a token answers this machine alone. That its name is one of this machine keeps
    out pages that point a name of theirs to 127.0.0.1; that a request comes from no other page
    keeps out those that send forms to it.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Stand before an application.

        Args:
            app: the application.
            token: what callers of the interface must know; empty: they must be on this machine.
        """
        self._app, self._token = app, token
        self._held = 0  # bytes of bodies that arrive or are worked on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/api/"):
                    headers["cache-control"] = "no-store"
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(send_safely, *refused)
        elif scope["method"] != "POST":
            await self._app(scope, receive, send_safely)
        else:
            await self._posted(scope, headers, receive, send_safely)

    async def _posted(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Take the body, and pass the request on; whoever sends one must not wait for another."""
        body = bytearray()
        held = 0

        def hold(part: bytes) -> bool:
            nonlocal held
            body.extend(part)
            self._held, held = self._held + len(part), held + len(part)
            return self._held <= MOST_HELD * UPLOAD.value

        try:
            status = await _taken(headers, receive, hold)
            if status:
                await _answer(send, status, _TOLD[status]())
            else:
                whole = bytes(body)
                body.clear()
                await self._app(scope, _replayed(whole, receive), send)
        finally:
            self._held -= held

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = _host(f"//{headers.get('host', '')}")
        if not self._token and host not in LOOPBACK:
            return 403, "it answers this machine alone; start it with a token to be reached by name"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return 403, "it answers its own page alone, not those of others"
        is_open = not scope["path"].startswith("/api/") or scope["path"] in OPEN
        if self._token and not is_open:
            given = headers.get("authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._token.encode()):
                return 401, "this needs the token: send it as 'Authorization: Bearer TOKEN'"
        return None


_TOLD = {
    408: lambda: (
        f"the request did not arrive within the {SECONDS.value:,} seconds that are given to it"
    ),
    413: lambda: (
        f"the request holds more than the {UPLOAD.value:,} bytes that are taken; set "
        f"{UPLOAD.variable} where the server starts to take more"
    ),
    503: lambda: f"too much is being sent at once: try again in {RETRY} seconds",
}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


async def _taken(headers: Headers, receive: Receive, hold: Callable[[bytes], bool]) -> int:
    """Have each part of a body held; return 0, or the status of its refusal.

    Args:
        headers: of the request.
        receive: gives the parts.
        hold: takes one, and tells whether there is room for more.
    """
    most = UPLOAD.value
    length = headers.get("content-length", "")
    is_large = length.isdecimal() and int(length[:18]) > most
    if is_large and "expect" in headers:
        return 413  # it waits to hear that before it sends
    size = 0
    try:
        async with asyncio.timeout(SECONDS.value):
            while size <= _PASSED_OVER * most:
                message = await receive()
                if message["type"] != "http.request":
                    return 408
                part = message.get("body", b"")
                size += len(part)
                is_large = is_large or size > most
                if not is_large and not hold(part):
                    return 503
                if not message.get("more_body"):
                    break
    except TimeoutError:
        return 408
    return 413 if is_large else 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then whatever comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"error": "Refused", "detail": detail}).encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *([(b"www-authenticate", b"Bearer")] if status == 401 else []),
        *([(b"retry-after", RETRY.encode())] if status == 503 else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
