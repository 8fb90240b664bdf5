"""Absorption from phase shifts: full multiple scattering of a K edge, exact and differentiable.

How one atom scatters is given (phase shifts, `potentials.py`); how a cluster of them does follows
by linear algebra. Equations: Rehr and Albers, Rev. Mod. Phys. 72, 621 (2000); the propagator in
angular momenta as in Zabloudil et al., Electron Scattering in Solid Matter (2005), ch. 3; the
Fermi cut after Ankudinov et al., Phys. Rev. B 65, 104107 (2002).
Hartree atomic units, unless a name or a docstring says eV or Angstrom.
"""
