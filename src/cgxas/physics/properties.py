"""Elements in a few smooth numbers: what makes one neighbour act like another."""

from typing import Final

import numpy as np

from cgxas.elements import MAX_ATOMIC_NUMBER, period
from cgxas.typing import FloatArray

# Electronegativity by Pauling (Allen's for He, Ne, Ar), covalent radius in Angstrom (Cordero 2008,
# doi:10.1039/b801115j; curium's for the actinides beyond it), and group, 3 for the f block.
_TABLE: Final = """
H:2.2,0.31,1 He:4.16,0.28,18 Li:0.98,1.28,1 Be:1.57,0.96,2 B:2.04,0.84,13 C:2.55,0.76,14
N:3.04,0.71,15 O:3.44,0.66,16 F:3.98,0.57,17 Ne:4.79,0.58,18 Na:0.93,1.66,1 Mg:1.31,1.41,2
Al:1.61,1.21,13 Si:1.9,1.11,14 P:2.19,1.07,15 S:2.58,1.05,16 Cl:3.16,1.02,17 Ar:3.24,1.06,18
K:0.82,2.03,1 Ca:1,1.76,2 Sc:1.36,1.7,3 Ti:1.54,1.6,4 V:1.63,1.53,5 Cr:1.66,1.39,6 Mn:1.55,1.39,7
Fe:1.83,1.32,8 Co:1.88,1.26,9 Ni:1.91,1.24,10 Cu:1.9,1.32,11 Zn:1.65,1.22,12 Ga:1.81,1.22,13
Ge:2.01,1.2,14 As:2.18,1.19,15 Se:2.55,1.2,16 Br:2.96,1.2,17 Kr:3,1.16,18 Rb:0.82,2.2,1
Sr:0.95,1.95,2 Y:1.22,1.9,3 Zr:1.33,1.75,4 Nb:1.6,1.64,5 Mo:2.16,1.54,6 Tc:1.9,1.47,7
Ru:2.2,1.46,8 Rh:2.28,1.42,9 Pd:2.2,1.39,10 Ag:1.93,1.45,11 Cd:1.69,1.44,12 In:1.78,1.42,13
Sn:1.96,1.39,14 Sb:2.05,1.39,15 Te:2.1,1.38,16 I:2.66,1.39,17 Xe:2.6,1.4,18 Cs:0.79,2.44,1
Ba:0.89,2.15,2 La:1.1,2.07,3 Ce:1.12,2.04,3 Pr:1.13,2.03,3 Nd:1.14,2.01,3 Pm:1.13,1.99,3
Sm:1.17,1.98,3 Eu:1.2,1.98,3 Gd:1.2,1.96,3 Tb:1.1,1.94,3 Dy:1.22,1.92,3 Ho:1.23,1.92,3
Er:1.24,1.89,3 Tm:1.25,1.9,3 Yb:1.1,1.87,3 Lu:1.27,1.87,3 Hf:1.3,1.75,4 Ta:1.5,1.7,5 W:2.36,1.62,6
Re:1.9,1.51,7 Os:2.2,1.44,8 Ir:2.2,1.41,9 Pt:2.28,1.36,10 Au:2.54,1.36,11 Hg:2,1.32,12
Tl:1.62,1.45,13 Pb:2.33,1.46,14 Bi:2.02,1.48,15 Po:2,1.4,16 At:2.2,1.5,17 Rn:2.2,1.5,18
Fr:0.7,2.6,1 Ra:0.9,2.21,2 Ac:1.1,2.15,3 Th:1.3,2.06,3 Pa:1.5,2,3 U:1.38,1.96,3 Np:1.36,1.9,3
Pu:1.28,1.87,3 Am:1.3,1.8,3 Cm:1.3,1.69,3 Bk:1.3,1.69,3 Cf:1.3,1.69,3 Es:1.3,1.69,3 Fm:1.3,1.69,3
Md:1.3,1.69,3 No:1.3,1.69,3 Lr:1.3,1.69,3
"""

_ROWS: Final = [word.partition(":")[2].split(",") for word in _TABLE.split()]

ELECTRONEGATIVITY: Final[FloatArray] = np.array([float(row[0]) for row in _ROWS])
"""(103,) by atomic number less 1, Pauling's scale."""

RADIUS: Final[FloatArray] = np.array([float(row[1]) for row in _ROWS])
"""(103,) covalent radii, Angstrom."""

GROUP: Final[FloatArray] = np.array([float(row[2]) for row in _ROWS])
"""(103,) groups of the periodic table, 1 to 18."""

ROW: Final[FloatArray] = np.array([float(period(z)) for z in range(1, MAX_ATOMIC_NUMBER + 1)])
"""(103,) rows of the periodic table, 1 to 7."""
