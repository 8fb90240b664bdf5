"""A model asked about any number of crystals: in worker processes, resumable, on clusters."""

from cgxas.screening.asked import Asked
from cgxas.screening.progress import Progress
from cgxas.screening.rows import Rows
from cgxas.screening.run import Screened, screen
from cgxas.screening.trajectory import average
from cgxas.screening.where import Where
from cgxas.screening.work import answers

__all__ = ["Asked", "Progress", "Rows", "Screened", "Where", "answers", "average", "screen"]
