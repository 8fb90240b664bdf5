import pytest

from cgxas.crystals.io.cif.text import decoded
from cgxas.errors import UnreadableCrystal


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding):
    assert decoded("data_a\r\n_b 1\r".encode(encoding), "a") == "data_a\n_b 1\n"


def test_latin_letters_and_what_word_processors_make():
    assert decoded("\u00c5 \u00fc".encode("latin-1"), "a") == "\u00c5 \u00fc"
    assert decoded("\u2018P \u22121\u2019\u00a0\u201cx\u201d".encode(), "a") == "'P -1' \"x\""


def test_what_is_no_text_is_refused():
    with pytest.raises(UnreadableCrystal, match="not a text"):
        decoded(b"\x7fELF\x00\x01\x01\x00abcdefgh", "a")
