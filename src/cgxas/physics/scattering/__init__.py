"""Absorption from phase shifts: full multiple scattering of a K edge, exact and differentiable.

How one atom scatters is given (`potentials.py`); what a cluster of them does to the absorber's
waves follows by linear algebra. In the order of the equations: `cluster.py` the atoms,
`harmonics.py` and `propagator.py` the free electron between them, `solve.py` the multiple
scattering, `fermi.py` the core hole and the occupied states, `absorption.py` all together.

Equations: Rehr and Albers, Rev. Mod. Phys. 72, 621 (2000); the propagator in angular momenta as in
Zabloudil et al., Electron Scattering in Solid Matter (2005), ch. 3; the Fermi cut after Ankudinov
et al., Phys. Rev. B 65, 104107 (2002). Hartree atomic units, unless a docstring says otherwise.
"""
