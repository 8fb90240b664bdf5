"""Crystals answered by workers of Dask; on a cluster, name its scheduler in place of the local one.

Needs dask[distributed]. `screening.answers` is a plain function of what it is given, so Parsl,
Dask, Globus Compute and others send it as it is.
"""

from itertools import islice
from pathlib import Path

from dask.distributed import Client, LocalCluster

import cgxas
from cgxas.data.collection import Collection
from cgxas.screening import Asked, answers

CRYSTALS = Path(__file__).parent


def main() -> None:
    """Answer for the oxygen of the crystals beside this file, four at a time."""
    crystals = iter(Collection(CRYSTALS))
    local = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with local as cluster, Client(cluster) as client:
        sent = []
        while some := list(islice(crystals, 4)):
            sent.append(client.submit(answers, some, Asked(("O",))))
        for rows in client.gather(sent):
            for row in rows.spectra.to_pylist():
                print(f"{row['id']:18} E0 {cgxas.e0(row['energy'], row['norm']):.2f} eV")
            for failure in rows.failures:
                print(f"{failure.id:18} {failure.reason}")


if __name__ == "__main__":
    main()
