"""A smooth network: all neighbours, angles, and a readout centred on the absorber."""
