"""The energy windows of the 48 absorbers: 100 points over 55 eV on FEFF's energy scale.

First energies in eV, as in the CGXAS authors' data preparation (github.com/Cestkey/CGXAS, MIT
licence). A checkpoint carries its own grids; these are what new models and imported ones start
from.
"""

from typing import Final

from cgxas.spectra.spectrum import EnergyGrid

_FIRST_ENERGIES: Final = """
Li:55 Be:114 B:189 C:276 N:396 O:526 F:675
Na:1072 Mg:1302 Al:1560 Si:1838 P:2140 S:2465 Cl:2815
K:3609 Ca:4040 Sc:4493 Ti:4970 V:5466 Cr:5991 Mn:6546 Fe:7112 Co:7717 Ni:8338 Cu:8985 Zn:9664
Ga:10374 Ge:11109 As:11871 Se:12659 Br:13476
Rb:15210 Sr:16118 Y:17051 Zr:18011 Nb:18999 Mo:20018 Tc:21062 Ru:22135 Rh:23239 Pd:24371 Ag:25539
Cd:26739 In:27969 Sn:29231 Sb:30523 Te:31847 I:33203
"""
_WIDTH: Final = 55.0
_POINTS: Final = 100

WINDOWS: Final[dict[str, EnergyGrid]] = {
    symbol: EnergyGrid(float(first), float(first) + _WIDTH, _POINTS)
    for symbol, first in (word.split(":") for word in _FIRST_ENERGIES.split())
}
