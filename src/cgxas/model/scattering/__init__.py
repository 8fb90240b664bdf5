"""Spectra from learnt phase shifts: what of FEFF needs self-consistency is learnt, the rest is run.

The phase shifts of the atoms, the depth of the muffin-tin zero and the absorber's own absorption
come from kernels (`kernel.py`) on the surroundings and the overlapped free atoms (`described.py`);
the scattering is exact (`cgxas.physics.scattering`).
"""
