"""Where models are: the bundled ones by name, others by path."""

from importlib import resources
from pathlib import Path

from cgxas.arguments import shown
from cgxas.errors import CheckpointNotFound
from cgxas.model.container import SUFFIX

CALIBRATED, SIMULATED = "calibrated", "universal"
"""The models that answer where none is named: as measured, or as a theory that is asked for."""


def usual(fidelity: str | None) -> str:
    """Return the name of the model that answers where none is named."""
    return CALIBRATED if fidelity is None else SIMULATED


def bundled() -> tuple[str, ...]:
    """Return the names of the models that come with the package."""
    folder = resources.files("cgxas") / "model" / "weights"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(n.removesuffix(SUFFIX) for n in names if n.endswith(SUFFIX)))


def located(model: str | Path) -> Path:
    """Return the file of a bundled model by name, or a path as it is.

    Raises:
        CheckpointNotFound: there is no such model.
    """
    if isinstance(model, str) and model in bundled():
        return Path(str(resources.files("cgxas") / "model" / "weights" / f"{model}{SUFFIX}"))
    try:
        path = Path(model)
        if path.is_dir():
            raise CheckpointNotFound(f"{path} is a folder; name a model file (*{SUFFIX})")
        if not path.exists():
            names = ", ".join(bundled()) or "none"
            raise CheckpointNotFound(f"no model {str(model)!r}: not a file, nor bundled ({names})")
        if not path.is_file():
            raise CheckpointNotFound(f"{path} is not a regular file; name a model file")
    except CheckpointNotFound:
        raise
    except TypeError as error:
        raise CheckpointNotFound(
            f"a model is the name of a bundled one or a path, not {shown(model)}"
        ) from error
    except (OSError, ValueError) as error:  # a name that is too long, or has a null character
        reason = getattr(error, "strerror", None) or error
        raise CheckpointNotFound(f"{model} cannot be read: {reason}") from error
    return path
