"""What beamlines call the columns of a scan."""

import re
import unicodedata
from collections.abc import Sequence

ENERGY = (
    "omega energyev energykev energy en ev kev photonenergy monoenergy hv e ee eev ekev energie "
    "energia nrj hnu mono monochromator"
)
"""Names of the energy, the most telling one first; all as `plain` gives them."""

MU = "mu xmu mue mux absorption absorbance intensity absorptioncoefficient abs mutot xanes"
NORMALISED = "norm normalised normalized flat munorm normmu xmunorm flattened nor"
I0 = "i0 io monitor mon incomingbeam izero i0eh1 ionchamber0 ic0"
TRANSMITTED = "it i1 itrans itr trans transmission i1trans ic1"
FLUORESCENCE = "if iff ifl ifluor ifluo fluor fluo fluorescence iy pips pipsdiode"
REFERENCE = "ir i2 iref irefer ref reference ic2"
MU_OF = {
    "transmission": "mutrans mutransmission mut lni0it lni0i1",
    "fluorescence": "mufluor mufluorescence muf ifi0 iffi0",
    "reference": "murefer muref murefence mur lnitir lni1i2",
}
"""Kind of a scan -> names of columns that hold its mu already."""

_CHANNEL = re.compile(
    r"(if|iff|ifl|ifch|ifluor|ifluo|fluor|fluo|fluorescence|flu|fl|fla|fluoch|sdd|mca|vortex|ge"
    r"|xmap)(\d{1,3})"
)
_NOT_THE_ENERGY = re.compile(r"step|shift|offset|edge|error|delta|relative|resol|width|loss")
_ACHIEVED = re.compile(
    r"readback|rbv|achiev|attain|actual|enc|feedback|fbk|observ|measured|real|(?<![a-z])rb(?![a-z])"
)
_WANTED = re.compile(
    r"request|set[_ ]?p|setpoint|(?<![a-z])(set|sp)(?![a-z])|target|nominal|desired|command|cmd"
    r"|demand|drive|calc"
)


def plain(name: str) -> str:
    """Return a name as it is compared: ``ln(I0/It)`` and ``LN_I0_IT`` are one."""
    letters = unicodedata.normalize("NFKD", name).lower()
    return re.sub(r"[^a-z0-9]", "", letters)


def is_energy(name: str) -> bool:
    """Tell the name of a column of energies, of whatever energy."""
    words = plain(name)
    return words in ENERGY.split() or ("energ" in words and not _NOT_THE_ENERGY.search(words))


def energy_rank(name: str) -> tuple[int, int]:
    """Return what sorts the names of energies: the achieved before the wanted, then by name."""
    known = ENERGY.split()
    words = plain(name)
    return 1 + is_wanted(name) - is_achieved(name), (
        known.index(words) if words in known else known.index("energy")
    )


def is_wanted(name: str) -> bool:
    """Tell the name of what was asked of a motor: a set point."""
    return bool(_WANTED.search(name.lower())) and not is_achieved(name)


def is_achieved(name: str) -> bool:
    """Tell the name of what a motor reached: a readback, an encoder."""
    return bool(_ACHIEVED.search(name.lower()))


def is_known(name: str) -> bool:
    """Tell a name of the usual columns of a scan."""
    words = plain(name)
    known = " ".join((MU, NORMALISED, I0, TRANSMITTED, FLUORESCENCE, REFERENCE, *MU_OF.values()))
    more = "k chi mu0 time t bkg angle theta preline postline pre post der sec"
    return words in f"{known} {more}".split() or is_energy(name) or bool(_CHANNEL.fullmatch(words))


def channels(names: Sequence[str]) -> list[int]:
    """Return the columns of the channels of one fluorescence detector: ``if1`` to ``if4``.

    They are the largest family of names that differ in their number alone, if there are at
    least two of them.
    """
    families: dict[str, list[int]] = {}
    for n, name in enumerate(names):
        if found := _CHANNEL.fullmatch(plain(name)):
            families.setdefault(found[1], []).append(n)
    largest = max(families.values(), key=len, default=[])
    return largest if len(largest) > 1 else []
