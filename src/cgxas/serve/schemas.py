"""What the interface takes and gives, described for OpenAPI."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Format = Literal["json", "xdi", "csv", "prj", "nxs", "parquet", "png", "svg", "pdf", "zip"]
Drawing = Literal["json", "csv", "parquet", "png", "svg", "pdf"]
Symbol = Annotated[str, Field(min_length=1, max_length=8)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Values = Annotated[list[Number], Field(min_length=2, max_length=100_000)]
Short = Annotated[str, Field(max_length=200)]


class Request(BaseModel):
    """A request; what is not known is refused, so that no wish is passed over."""

    model_config = ConfigDict(extra="forbid", strict=False)


class CrystalText(Request):
    """A crystal as text.

    Attributes:
        text: of the file.
        format: as a suffix, such as "cif", or a name such as "POSCAR".
        name: of the file, for answers and messages.
    """

    text: str
    format: Short = "cif"
    name: Short = ""


class OrderWanted(Request):
    """What is done with disordered crystals.

    Attributes:
        disorder: "refuse", "majority", "sample" or "sample:N", of shared or partly empty sites.
        seed: of the sample.
    """

    disorder: Short = "refuse"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0


class Question(OrderWanted):
    """What every prediction is asked.

    Attributes:
        absorber: symbol of the absorbing element, or several, or "all".
    """

    absorber: Symbol | Annotated[list[Symbol], Field(min_length=1, max_length=110)] = "all"


class Asked(Question):
    """What predictions are asked, and in what form.

    Attributes:
        format: of the answer; other than JSON: a file.
    """

    format: Format = "json"


class PredictRequest(Asked):
    """Crystals as text, and what is asked of them."""

    crystals: Annotated[list[CrystalText], Field(min_length=1)]


class PredictOne(CrystalText, Question):
    """One crystal as text, and what is asked of it; the answer is JSON."""


class RangesWanted(Request):
    """Ranges of the normalisation in eV from e0, and degrees of its fits."""

    pre1: Number
    pre2: Number
    npre: Annotated[int, Field(ge=0, le=1)] = 1
    norm1: Number
    norm2: Number
    nnorm: Annotated[int, Field(ge=0, le=2)] = 1


class Reading(Request):
    """How a measured file is read.

    Attributes:
        element: the absorber; what the file states, or a guess by the energy, otherwise.
        edge: K, L1, L2 or L3; likewise.
        group: of an Athena project or NeXus file, or number of a scan in a text.
        energy: column of the energy.
        mu: column of mu, or a formula such as "(if1+if2)/i0".
        ranges: of the normalisation; chosen by how far the scan reaches otherwise.
    """

    element: Symbol | None = None
    edge: Short | None = None
    group: Short | None = None
    energy: Short | None = None
    mu: Short | None = None
    ranges: RangesWanted | None = None


class Measured(Reading):
    """How a measured file is read, and in what form it is answered.

    Attributes:
        format: of the answer; other than JSON: a file.
    """

    format: Format = "json"


class Fitted(Request):
    """How a prediction is laid over a measurement.

    Attributes:
        shift: eV added to the predicted energies, or "fit".
        broaden: full width at half maximum of a Gaussian in eV, or "fit".
    """

    shift: Literal["fit"] | Annotated[Number, Field(ge=-1000, le=1000)] = "fit"
    broaden: Literal["fit"] | Annotated[Number, Field(ge=0, le=100)] = "fit"


class CompareFiles(Measured, Fitted, OrderWanted):
    """A crystal and a scan as files, and how they are compared.

    Attributes:
        absorber: the element; that of the scan otherwise.
    """

    absorber: Symbol | None = None


class Curve(Request):
    """A normalised curve: energies in eV, increasing."""

    absorber: Symbol
    edge: Short = "K"
    energy: Values
    norm: Values


class MeasuredCurve(Curve):
    """A measured curve; `flat` is what is laid over, where it is given."""

    flat: Values | None = None
    energy_shift: Number = 0.0


class CompareRequest(Fitted):
    """Two curves, and how they are compared."""

    predicted: Curve
    measured: MeasuredCurve


class MatchWishes(OrderWanted):
    """What is asked of crystals that are ranked against a scan.

    Attributes:
        absorber: the element; that of the scan otherwise.
        format: of the answer: JSON, all candidates as a table, or the first three as a figure.
    """

    absorber: Symbol | None = None
    format: Drawing = "json"


class MatchFiles(MatchWishes, Reading):
    """A scan and crystals as files, and how the scan is read."""


class MatchRequest(MatchWishes):
    """A measured curve, and crystals as text."""

    measured: MeasuredCurve
    crystals: Annotated[list[CrystalText], Field(min_length=1)]


class MixFiles(Request):
    """Scans and references as files, and how the scans are explained.

    Attributes:
        absorber: the element; what the scans state, or a guess by the energy, otherwise.
        edge: K, L1, L2 or L3; likewise.
        axis: what a series is laid along: "order", "time", a column of the scans, or a column of
            the table that is sent in the field `axis_table`.
        shift: of the references: "none", "shared", "free", or eV; shared where a reference is
            predicted, none otherwise.
        first: begin of the fit, eV from the edge; -20 otherwise.
        last: its end; 80 otherwise.
        most: references that explain one scan at most; all otherwise.
        components: how many there are, without references; as many as the series carries
            otherwise.
        energy: column of the energy.
        mu: column of mu, or a formula.
        columns: of a text that are scans, each of its own: "mu*", "2-30".
        format: of the answer: JSON, a row per scan as a table, or a figure.
    """

    absorber: Symbol | None = None
    edge: Short | None = None
    axis: Short | None = None
    shift: Literal["none", "shared", "free"] | Number | None = None
    first: Number | None = None
    last: Number | None = None
    most: Annotated[int, Field(ge=1, le=100)] | None = None
    components: Annotated[int, Field(ge=2, le=20)] | None = None
    energy: Short | None = None
    mu: Short | None = None
    columns: Short | None = None
    format: Drawing = "json"


class Reply(BaseModel):
    """An answer; further fields may come with later versions."""

    model_config = ConfigDict(extra="allow")


class PredictReply(Reply):
    """Spectra, what was drawn of the crystals, and which crystals could not be answered."""

    spectra: list[dict[str, Any]]
    crystals: list[dict[str, Any]]
    failures: list[dict[str, str]]


class Overlay(Reply):
    """Two curves over the range where both are known, and how far they are apart."""

    rse: float | None
    pcc: float | None
    half_step_difference: float | None
    shift: float | None
    gaussian: float | None
    lorentzian: float | None
    energy: list[float]
    measured: list[float]
    predicted: list[float]


class CompareReply(Reply):
    """A comparison before and after shift and broadening."""

    absorber: str
    edge: str
    before: Overlay
    after: Overlay


class MeasureReply(Reply):
    """A measured spectrum as given and normalised."""

    scan: str
    absorber: str
    edge: str
    energy: list[float]
    mu: list[float]
    norm: list[float]


class Matched(Reply):
    """One candidate: its probability, how near it comes, and its curve as it was fitted."""

    crystal: str
    formula: str
    score: float
    rse: float | None
    misfit: float | None
    shift_ev: float
    broadening_ev: float
    on_bound: bool
    bounds_ev: dict[str, float]
    trust: str | None
    predicted: list[float] | None


class MatchReply(Reply):
    """Crystals ranked against a scan, the likeliest first, and the scan where they are compared."""

    absorber: str
    edge: str
    model: str
    none_fits: bool
    none: float
    energy: list[float]
    norm: list[float]
    matches: list[Matched]
    absent: list[str]
    failures: list[dict[str, str]]
    warnings: list[str]


class MixReply(Reply):
    """Scans as fractions of references; `shown` are the numbers of the rows that have curves."""

    element: str
    edge: str
    axis: str
    references: list[dict[str, Any]]
    components: dict[str, Any]
    warnings: list[str]
    left_out: list[dict[str, str]]
    scans: list[dict[str, Any]]
    shown: list[int]
    energy: list[float]
    norm: list[list[float]]
    fitted: list[list[float]]


class Element(Reply):
    """How far an element can be trusted as an absorber."""

    symbol: str
    number: int
    measured: int
    simulated: int
    rse_simulated: float | None


class KnownModel(Reply):
    """A model."""

    name: str
    answers: bool


class Status(Reply):
    """How the server is."""

    status: str


class Version(Reply):
    """What the server is."""

    cgxas: str


class Problem(BaseModel):
    """Why a request was refused, in one sentence that tells the cure."""

    error: str
    detail: str
