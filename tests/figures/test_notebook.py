import base64
import re
from dataclasses import replace

from cgxas.spectra.compare import compare
from cgxas.spectra.measurement import Measurement


def test_a_spectrum_shows_itself_without_obeying_its_names(spectrum):
    html = replace(spectrum, source="<script>alert(1)</script>")._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "m1" in html and f"{spectrum.e0:.2f} eV" in html
    data = re.search(r"base64,([^']+)", html)[1]
    assert base64.b64decode(data).startswith(b"\x89PNG")


def test_a_comparison_shows_itself(spectrum):
    mu = spectrum.norm
    measured = Measurement(
        spectrum.energy + 1.0, mu, mu, "Fe", "K", "normalised", "XDI", "a.xdi", "", 1.0
    )
    html = compare(spectrum, measured, shift=1.0, broaden=0.0)._repr_html_()
    assert "+1.00 eV" in html and "a.xdi" in html
