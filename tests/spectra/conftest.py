"""What several tests of spectra need."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference values; its README tells where they come from."""
    return Path(__file__).parents[1] / "golden" / "data"
