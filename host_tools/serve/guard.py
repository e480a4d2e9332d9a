"""Let nobody write, and, where there is a token, nobody without it read. Every answer says what a browser may do."""

import hmac
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse

_COOKIE = "evenkeel_token"
_HEADERS = (
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """ASGI middleware. The token comes as `Authorization: Bearer`, as a cookie, or once as /?token=, which sets it."""

    def __init__(self, app, token=None):
        self._app = app
        self._token = token

    async def __call__(self, scope, receive, send):
        """Pass on what may be answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        answer = refusal or self._app

        async def send_with(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await answer(scope, receive, send_with)

    def _refusal(self, scope):
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("This page only shows; nothing can be written.\n", 405, {"Allow": "GET, HEAD"})
        if self._token is None:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if given and self._same(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(_COOKIE, given, httponly=True, samesite="strict", path="/")
            return answer
        if any(map(self._same, _shown(scope["headers"]))):
            return None
        return PlainTextResponse("A token is needed: open /?token=..., with the token that `serve` was given.\n", 401)

    def _same(self, given):
        return hmac.compare_digest(given.encode("latin-1", "replace"), self._token.encode())


def _shown(headers):
    for name, value in headers:
        text = value.decode("latin-1")
        if name == b"authorization" and text.startswith("Bearer "):
            yield text[7:]
        if name == b"cookie":
            for part in text.split(";"):
                key, _, given = part.strip().partition("=")
                if key == _COOKIE:
                    yield given
