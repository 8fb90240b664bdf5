"""Bodies of requests, multipart or JSON -> jobs."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from cgxas.limits import SERIES, UPLOAD, UPLOADED, Limit
from cgxas.serve import schemas
from cgxas.serve.files import Upload
from cgxas.serve.jobs import Job

T = TypeVar("T", bound=schemas.Request)
_MULTIPART, _JSON = "multipart/form-data", "application/json"
_FEW = 30  # fields of a form that are no files


class BadRequest(Exception):
    """A body that is not what the interface takes; its text is one sentence."""

    def __init__(self, detail: str, status: int = 422) -> None:
        super().__init__(detail)
        self.status = status


async def predict_job(request: Request) -> Job:
    """Return what a request for predictions asks.

    Raises:
        BadRequest: it is not understood.
    """
    if _kind(request) == _JSON:
        body = await _json(request)
        if isinstance(body, dict) and "text" in body:
            one = _checked(schemas.PredictOne, body)
            words = _words(one, *schemas.CrystalText.model_fields)
            return Job("predict", _of_texts([one]), (), words)
        asked = _checked(schemas.PredictRequest, body)
        return Job("predict", _of_texts(asked.crystals), (), _words(asked, "crystals"))
    fields, files = await _form(request, ("crystals",))
    return Job("predict", files["crystals"], (), _words(_checked(schemas.Asked, fields)))


async def measure_job(request: Request) -> Job:
    """Return what a request to read a measured file asks; errors as of `predict_job`."""
    if _kind(request) == _JSON:
        raise BadRequest(f"a scan is sent as {_MULTIPART}, in the field 'scan'", 415)
    fields, files = await _form(request, ("scan",))
    return Job("measure", (), files["scan"][:1], _words(_checked(schemas.Measured, fields)))


async def compare_job(request: Request) -> Job:
    """Return what a request for a comparison asks; errors as of `predict_job`."""
    if _kind(request) == _JSON:
        asked = _checked(schemas.CompareRequest, await _json(request))
        return Job("compare", (), (), _words(asked))
    fields, files = await _form(request, ("crystal", "scan"))
    words = _words(_checked(schemas.CompareFiles, fields))
    return Job("compare", files["crystal"][:1], files["scan"][:1], words)


async def match_job(request: Request) -> Job:
    """Return what a request to rank crystals asks; errors as of `predict_job`."""
    if _kind(request) == _JSON:
        asked = _checked(schemas.MatchRequest, await _json(request))
        crystals = _of_texts(asked.crystals)
        return Job("match", crystals, (), _words(asked, "crystals"))
    fields, files = await _form(request, ("scan", "crystals"))
    words = _words(_checked(schemas.MatchFiles, fields))
    return Job("match", files["crystals"], files["scan"][:1], words)


async def mix_job(request: Request) -> Job:
    """Return what a request for fractions asks; errors as of `predict_job`."""
    if _kind(request) == _JSON:
        raise BadRequest(f"scans are sent as {_MULTIPART}, in the field 'scans'", 415)
    fields, files = await _form(request, ("scans",), ("references", "axis_table"))
    words = _words(_checked(schemas.MixFiles, fields))
    return Job("mix", (), files["scans"], words, files["references"], files["axis_table"][:1])


def multipart_body(
    model: type[schemas.Request],
    files: Mapping[str, bool],
    others: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """Return the OpenAPI schema of a form.

    Args:
        model: its fields that are no files.
        files: name of each field of files -> whether it takes several.
        others: likewise of the fields of files that may be left out.
    """
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    binary = {"type": "string", "format": "binary"}
    for name, is_many in {**files, **(others or {})}.items():
        many = {"type": "array", "items": binary, "minItems": 1}
        schema["properties"][name] = many if is_many else binary
    schema["required"] = [*schema.get("required", []), *files]
    if "ranges" in schema["properties"]:
        schema["properties"]["ranges"] = {
            "type": "string",
            "description": "JSON object of pre1, pre2, npre, norm1, norm2, nnorm",
        }
    return {_MULTIPART: {"schema": schema}}


def _kind(request: Request) -> str:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in (_MULTIPART, _JSON):
        raise BadRequest(f"a request is sent as {_MULTIPART} or {_JSON}", 415)
    return kind


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is no JSON document", 400) from error


async def _form(
    request: Request, wanted: tuple[str, ...], others: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, tuple[Upload, ...]]]:
    """Return the fields of a form, and its files by name, of those wanted at least one each."""

    async def body() -> AsyncGenerator[bytes, None]:
        yield await request.body()

    most = UPLOADED.value + SERIES.value
    parser = MultiPartParser(request.headers, body(), max_files=most + 1, max_fields=_FEW)
    parser.spool_max_size = UPLOAD.value + 1  # in memory: nothing is written to a disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(f"the form cannot be read: {error.message}", 400) from error
    try:
        return await _sorted(form, wanted, others)
    finally:
        await form.close()


async def _sorted(
    form: FormData, wanted: tuple[str, ...], others: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, tuple[Upload, ...]]]:
    files: dict[str, list[Upload]] = {name: [] for name in (*wanted, *others)}
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name not in files:
                raise BadRequest(f"files are sent in the field {' and '.join(files)}")
            files[name].append(Upload(value.filename or "", await value.read()))
        elif name in files:
            raise BadRequest(f"the field {name} holds a text, where a file with a name is wanted")
        elif name in fields:
            earlier = fields[name]
            fields[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        elif value:
            fields[name] = value
    for name in wanted:
        if not files[name]:
            raise BadRequest(f"a file is missing in the field {name}")
    series = len(files.get("scans", []))
    _refuse_many(series, SERIES)
    _refuse_many(sum(map(len, files.values())) - series, UPLOADED)
    if "ranges" in fields:
        fields["ranges"] = _ranges(fields["ranges"])
    return fields, {name: tuple(found) for name, found in files.items()}


def _ranges(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest("ranges are a JSON object such as those of an answer") from error


def _refuse_many(count: int, limit: Limit) -> None:
    if count > limit.value:
        raise BadRequest(
            f"the request holds {count:,} files, more than the {limit.value:,} that are taken; "
            f"set {limit.variable} where the server starts to take more",
            413,
        )


def _of_texts(crystals: Sequence[schemas.CrystalText]) -> tuple[Upload, ...]:
    _refuse_many(len(crystals), UPLOADED)
    return tuple(_of_text(each, n) for n, each in enumerate(crystals, start=1))


def _of_text(crystal: schemas.CrystalText, number: int) -> Upload:
    suffix = crystal.format.lstrip(".") or "cif"
    usual = suffix if suffix.isupper() else f"crystal{number}.{suffix}"
    return Upload(crystal.name or usual, crystal.text.encode("utf-8", "replace"))


def _checked(model: type[T], value: Any) -> T:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(each) for each in first["loc"]) or "the body"
        raise BadRequest(f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error


def _words(asked: schemas.Request, *without: str) -> dict[str, Any]:
    words = asked.model_dump(exclude={*without}, exclude_none=True)
    if words.get("format") == "json":
        del words["format"]
    return words
