"""The interface: what is under /api, described by OpenAPI, and the page at the root."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from cgxas.serve import forms, schemas
from cgxas.serve.guard import RETRY, Guard
from cgxas.serve.jobs import Answer, Job, Refusal
from cgxas.serve.queue import Busy, Queue
from cgxas.serve.settings import ServerSettings

PAGE = Path(__file__).parent / "page"
_FAILED = {"Unexpected": 500}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Problem, "description": description}
    for status, description in {
        400: "The body cannot be read.",
        401: "The token is missing or wrong.",
        403: "The request comes from elsewhere.",
        408: "The request came too slowly.",
        413: "The request is too large.",
        415: "The body is of another type.",
        422: "Refused, in one sentence that tells the cure.",
        503: "Too many wait, or the model is being loaded: try again after Retry-After.",
    }.items()
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
api = APIRouter(prefix="/api", responses=_PROBLEMS)


def create_app(
    settings: ServerSettings, on_failure: Callable[[str], None] = lambda _: None
) -> FastAPI:
    """Return the application.

    Args:
        settings: of the server.
        on_failure: called with the reason where the model cannot be loaded.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.queue = Queue(settings, on_failure)
        yield
        await app.state.queue.close()

    app = FastAPI(
        title="cgxas",
        version=version("cgxas"),
        summary="Crystal structure in, K-edge XANES out, calibrated to measurement.",
        docs_url=None,  # those pages fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(api)
    app.add_exception_handler(forms.BadRequest, _bad_request)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Busy, _busy)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    app.add_middleware(Guard, token=settings.token)
    return app


def _body(form: dict[str, Any], *kinds: type[schemas.Request]) -> dict[str, Any]:
    """Return the description of a body that comes as a form, or as JSON of some kinds."""
    content = dict(form)
    if kinds:
        each = [k.model_json_schema(ref_template="#/components/schemas/{model}") for k in kinds]
        for schema in each:
            schema.pop("$defs", None)
        content["application/json"] = {"schema": each[0] if len(each) == 1 else {"anyOf": each}}
    return {"requestBody": {"required": True, "content": content}}


@api.post(
    "/predict",
    response_model=schemas.PredictReply,
    responses=_FILE,
    openapi_extra=_body(
        forms.multipart_body(schemas.Asked, {"crystals": True}),
        schemas.PredictRequest,
        schemas.PredictOne,
    ),
)
async def predict(request: Request) -> Response:
    """Predict the K-edge XANES of crystals: as JSON, or as a file of the wanted format.

    What cannot be answered is named under `failures`; if that is all, or a file is wanted, the
    request is refused.
    """
    return await _asked(request, await forms.predict_job(request))


@api.post(
    "/measure",
    response_model=schemas.MeasureReply,
    responses=_FILE,
    openapi_extra=_body(forms.multipart_body(schemas.Measured, {"scan": False})),
)
async def measure(request: Request) -> Response:
    """Read a measured spectrum, and normalise it."""
    return await _asked(request, await forms.measure_job(request))


@api.post(
    "/compare",
    response_model=schemas.CompareReply,
    openapi_extra=_body(
        forms.multipart_body(schemas.CompareFiles, {"crystal": False, "scan": False}),
        schemas.CompareRequest,
    ),
)
async def compare(request: Request) -> Response:
    """Compare a prediction with a measurement, before and after a shift and a broadening.

    Both come as files, or as curves, which takes milliseconds.
    """
    return await _asked(request, await forms.compare_job(request))


@api.post(
    "/match",
    response_model=schemas.MatchReply,
    responses=_FILE,
    openapi_extra=_body(
        forms.multipart_body(schemas.MatchFiles, {"scan": False, "crystals": True}),
        schemas.MatchRequest,
    ),
)
async def match(request: Request) -> Response:
    """Rank crystals by how likely a scan is theirs, and tell how likely it is none of them.

    Crystals without the absorber stand under `absent`, those that cannot be answered under
    `failures`.
    """
    return await _asked(request, await forms.match_job(request))


@api.post(
    "/mix",
    response_model=schemas.MixReply,
    responses=_FILE,
    openapi_extra=_body(
        forms.multipart_body(
            schemas.MixFiles, {"scans": True}, {"references": True, "axis_table": False}
        ),
    ),
)
async def mix(request: Request) -> Response:
    """Explain scans, one or a series, by fractions of references, crystals or scans.

    Without references a series is parted into components of its own. Scans that are none are
    named under `left_out`.
    """
    return await _asked(request, await forms.mix_job(request))


@api.get("/elements", response_model=list[schemas.Element])
async def elements(request: Request) -> Response:
    """Tell how far each element can be trusted as an absorber."""
    return await _asked(request, Job("elements"))


@api.get("/models", response_model=list[schemas.KnownModel])
async def models(request: Request) -> Response:
    """Tell which model answers, and which others are bundled."""
    return await _asked(request, Job("models"))


@api.get("/health", response_model=schemas.Status)
async def health() -> Response:
    """Tell that the server lives."""
    return JSONResponse({"status": "alive"})


@api.get("/ready", response_model=schemas.Status)
async def ready(request: Request) -> Response:
    """Tell whether the model is loaded: 200 if it is, 503 before."""
    state = request.app.state.queue.state
    if state == "ready":
        return JSONResponse({"status": state})
    return _problem(503, "NotReady", state)


@api.get("/version", response_model=schemas.Version)
async def version_told() -> Response:
    """Tell which cgxas this is."""
    return JSONResponse({"cgxas": version("cgxas")})


async def _asked(request: Request, job: Job) -> Response:
    queue: Queue = request.app.state.queue
    answer = await _while_there(request, queue.ask(job))
    if answer is None:
        return Response(status_code=499)  # which nobody reads
    if isinstance(answer, Refusal):
        return _problem(_FAILED.get(answer.error, 422), answer.error, answer.detail)
    attached = {"content-disposition": f'attachment; filename="{answer.name}"'}
    headers = attached if answer.name else None
    return Response(answer.data, media_type=answer.media_type, headers=headers)


async def _while_there(request: Request, asked: Coroutine[Any, Any, Answer]) -> Answer | None:
    """Wait for an answer as long as somebody waits for it; None where nobody does any more."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answer, leaving = asyncio.create_task(asked), asyncio.create_task(gone())
    try:
        await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
        return await answer if answer.done() else None
    finally:
        leaving.cancel()
        answer.cancel()


def _problem(status: int, error: str, detail: str) -> Response:
    headers = {"retry-after": RETRY} if status == 503 else None
    return JSONResponse({"error": error, "detail": detail}, status, headers)


Handler = Callable[[Request, Exception], Awaitable[Response]]


async def _bad_request(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, forms.BadRequest) else 422
    return _problem(status, "BadRequest", str(error))


async def _invalid(_: Request, error: Exception) -> Response:
    return _problem(422, "BadRequest", "the request is not understood")


async def _http(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    detail = str(error.detail) if isinstance(error, HTTPException) else str(error)
    return _problem(status, "NotFound" if status == 404 else "BadRequest", detail)


async def _busy(_: Request, error: Exception) -> Response:
    return _problem(503, "Busy", f"too many wait already: try again in {RETRY} seconds")
