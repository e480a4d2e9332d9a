"""The web application: pages and JSON to read, a stream of what changes, and nothing to write."""

import asyncio
import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from host_tools.serve.guard import Guard

_PAGE = Path(__file__).parent / "page"
_LOOK_S = 0.5
_ALIVE_S = 15


def application(live, token=None):
    """Return the application over a Live; with a token, whoever reads must show it too."""

    async def fleet(_):
        return JSONResponse(await asyncio.to_thread(live.fleet))

    async def board(request):
        return _found(await asyncio.to_thread(live.board, **request.path_params))

    async def verdict(request):
        return _found(await asyncio.to_thread(live.verdict, **request.path_params))

    async def changes(request):
        return StreamingResponse(_changes(live, request), media_type="text/event-stream")

    routes = [
        Route("/api/fleet", fleet),
        Route("/api/boards/{site}/{device}", board),
        Route("/api/boards/{site}/{device}/verdict", verdict),
        Route("/api/changes", changes),
        Mount("/", StaticFiles(directory=_PAGE, html=True)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token)])


def _found(value):
    if value is None:
        return JSONResponse({"error": "nothing is known of this", "advice": "The fleet table has the names."}, 404)
    return JSONResponse(value)


async def _changes(live, request):
    """Yield a line whenever something is new, and now and then one that says that nothing is."""
    told, quiet_s = None, 0
    while not await request.is_disconnected():
        state = live.change, live.trouble
        if state != told or quiet_s >= _ALIVE_S:
            told, quiet_s = state, 0
            yield "data: " + json.dumps({"change": state[0], "trouble": state[1]}) + "\n\n"
        await asyncio.sleep(_LOOK_S)
        quiet_s += _LOOK_S
