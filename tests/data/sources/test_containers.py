import gzip
import io
import json
import tarfile

import pytest

from cgxas.data.sources.containers import document_files, documents
from cgxas.data.sources.item import LeftOut

FIRST, SECOND = {"a": 1}, {"b": [1.5, None]}
LINES = json.dumps(FIRST) + "\n\n" + json.dumps(SECOND) + "\n"


def tar_of(text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("inside/xas.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "stem"),
    [
        ("x.jsonl", LINES.encode(), "x"),
        ("x.ndjson", LINES.encode(), "x"),
        ("x.json.gz", gzip.compress(LINES.encode(), mtime=0), "x"),
        ("x.json", json.dumps([FIRST, SECOND]).encode(), "x"),
        ("x.json", json.dumps([FIRST, SECOND], indent=1).encode(), "x"),
        ("x.json", gzip.compress(json.dumps([FIRST, SECOND]).encode(), mtime=0), "x"),
        ("x.tgz", tar_of(LINES), "xas"),
    ],
)
def test_several_documents_of_a_file(tmp_path, name, content, stem):
    (tmp_path / name).write_bytes(content)
    assert list(documents(tmp_path / name)) == [(f"{stem}:0", FIRST), (f"{stem}:1", SECOND)]


@pytest.mark.parametrize("indent", [None, 1])
def test_document_alone_has_the_name_of_its_file(tmp_path, indent):
    (tmp_path / "mp-1.json").write_text(json.dumps(FIRST, indent=indent))
    assert list(documents(tmp_path / "mp-1.json")) == [("mp-1", FIRST)]


def test_folder_is_read_in_order_of_names(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.json", "a.JSON", "below/c.json"):
        (tmp_path / name).write_text(json.dumps({"name": name}))
    (tmp_path / "notes.txt").write_text("nothing")
    names = [content["name"] for _, content in documents(tmp_path)]
    assert names == ["a.JSON", "b.json", "below/c.json"]
    assert document_files(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (b"", ["file is not readable"]),
        (b"{ not json", ["document is not readable JSON"]),
        (b"[" * 100_000, ["document is not readable JSON"]),
        (b"\xff\xfe\x00", ["document is not readable JSON"]),
        (b"17", ["document is not readable JSON"]),
        (b"[17]", ["document is not a JSON object"]),
        (gzip.compress(LINES.encode(), mtime=0)[:-12], ["file is not readable"]),
    ],
)
def test_what_is_no_document_is_told(tmp_path, content, reasons):
    (tmp_path / "x.json").write_bytes(content)
    found = list(documents(tmp_path / "x.json"))
    assert [each.reason for each in found if isinstance(each, LeftOut)] == reasons


def test_one_broken_line_does_not_stop_the_others(tmp_path):
    (tmp_path / "x.jsonl").write_text(f"{json.dumps(FIRST)}\n{{broken\n{json.dumps(SECOND)}\n")
    broken = LeftOut("x:1", "document is not readable JSON")
    assert list(documents(tmp_path / "x.jsonl")) == [("x:0", FIRST), broken, ("x:2", SECOND)]


def test_missing_file_is_told(tmp_path):
    assert list(documents(tmp_path / "x.json")) == [LeftOut("x.json", "file is not readable")]
