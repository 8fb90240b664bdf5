"""A model ready to answer: a network on a device, with all that belongs to it.

There is one way from crystals to site vectors, and it is here: prediction, embedding and
calibration take it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from cgxas.crystals.batch import collate
from cgxas.crystals.bonds import chemical_state
from cgxas.crystals.formula import formula_of
from cgxas.crystals.graph import Settled, SiteGraph, graph_of
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError
from cgxas.model.calibration.base import Calibrated, Calibration, Uncalibrated
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.description import AbsorberCard
from cgxas.model.edges import axis_of, site_edges
from cgxas.model.sites import AbsorberSites, EmbeddedCrystal, in_batches, shares
from cgxas.physics.fingerprint import Fingerprints, fingerprints
from cgxas.physics.surroundings import surroundings
from cgxas.spectra.axis import FEFF_POINTS, trapezoid_widths
from cgxas.spectra.metrics import rse
from cgxas.typing import FloatArray, IntArray

NODES_PER_BATCH = 1024
"""Nodes that go through the network together, unless another number is wanted."""


def fingerprinted(sites: AbsorberSites) -> tuple[Fingerprints, FloatArray, str]:
    """Return fingerprints and shares of absorbing sites, and the formula of their crystal."""
    prints = fingerprints(sites.cell, sites.atoms, sites.surroundings)
    return prints, sites.share, formula_of(sites.cell.numbers)


def _disagreement(sites: AbsorberSites) -> float | None:
    """Return the relative squared difference of network and kernel; None without a kernel."""
    if sites.apart is None:
        return None
    curve, apart = (sites.share @ each for each in (sites.simulated, sites.apart))
    weight = trapezoid_widths(sites.energies[0], np.ones((1, len(curve))))
    return float(rse(curve[None], (curve + apart)[None], weight)[0])


def usable_device(device: torch.device | str) -> torch.device:
    """Return a device on which this machine can compute.

    Raises:
        ConfigError: there is no such device.
    """
    try:
        if not isinstance(device, str | torch.device):
            raise TypeError(device)
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError) as error:
        raise ConfigError(f"device {str(device)!r:.40} cannot be used here; take cpu") from error
    return found


class Model:
    """A network with what belongs to it.

    Attributes:
        checkpoint: what was loaded.
        network: the network, in evaluation mode.
        device: where it computes.
        calibration: what its spectra go through.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device | str = "cpu") -> None:
        """Get a model ready.

        Args:
            checkpoint: the model.
            device: where to compute.

        Raises:
            ConfigError: there is no such device.
        """
        self.checkpoint = checkpoint
        self.device = usable_device(device)
        self.network = checkpoint.network().to(self.device)
        own = checkpoint.calibration
        self.calibration: Calibration = Uncalibrated() if own is None else own

    def sites(
        self, crystals: Iterable[Settled], batch_size: int = NODES_PER_BATCH
    ) -> Iterator[EmbeddedCrystal]:
        """Yield the site vectors of crystals, one after the other, in bounded memory.

        Args:
            crystals: settled by the recipe of the model, `config.graph`.
            batch_size: nodes that go through the network together.
        """
        spec = self.checkpoint.config.graph
        graphs = (graph_of(crystal, spec) for crystal in crystals)
        for batch in in_batches(graphs, len, batch_size):
            yield from self.embed(batch)

    @torch.no_grad()
    def embed(self, graphs: Sequence[SiteGraph]) -> Iterator[EmbeddedCrystal]:
        """Yield the site vectors of a batch of graphs."""
        if not graphs:
            return
        batch = collate([each.graph for each in graphs]).to(self.device)
        vectors = self.network.embed(batch).cpu()
        for graph, first, last in zip(graphs, batch.offsets[:-1], batch.offsets[1:], strict=True):
            yield EmbeddedCrystal(graph, vectors[first:last])

    def absorber_sites(
        self,
        crystal: EmbeddedCrystal,
        absorber: str,
        sites: IntArray,
        fidelity: str | None = None,
        name: str = "",
    ) -> tuple[AbsorberSites, IntArray]:
        """Return what is known of the wanted sites of an absorber, and (S,) their nodes.

        Args:
            crystal: with its vectors.
            absorber: symbol of the element, at the wanted sites.
            sites: numbers of the sites.
            fidelity: what to answer as; the usual one of the absorber if None.
            name: of the compound, if it has one.
        """
        ((found, nodes),) = self.sites_of_several([(crystal, sites)], absorber, fidelity)
        return replace(found, name=name), nodes

    @torch.no_grad()
    def sites_of_several(
        self,
        several: Sequence[tuple[EmbeddedCrystal, IntArray]],
        absorber: str,
        fidelity: str | None = None,
    ) -> list[tuple[AbsorberSites, IntArray]]:
        """Return what `absorber_sites` does, of several crystals, at least one, at once."""
        number = self.fidelity(absorber, fidelity)
        shared = [shares(crystal.graph, sites) for crystal, sites in several]
        described = self._described(
            [(c.graph, n) for (c, _), (n, _) in zip(several, shared, strict=True)]
        )
        vectors = [
            c.vectors[torch.from_numpy(n)] for (c, _), (n, _) in zip(several, shared, strict=True)
        ]
        simulated, apart = self._simulated(torch.cat(vectors), absorber, number, described)
        found, last = [], 0
        for (crystal, _), (nodes, share), own in zip(several, shared, vectors, strict=True):
            rows = slice(last, last := last + len(nodes))
            graph = crystal.graph
            energies, width = self._energies(graph, absorber, nodes, number)
            n_learnt = energies.shape[1]
            curves = self._scattered(simulated[rows], graph, nodes, number)
            state = chemical_state(graph.graph, self.checkpoint.bonds)
            sites = AbsorberSites(
                absorber=absorber,
                vectors=own,
                share=share,
                simulated=curves[:, :n_learnt],
                energies=energies,
                start=self.card(absorber).network_grid.e_min,
                width=width,
                state=np.stack([each[nodes] for each in state], axis=1),
                cell=graph.cell,
                atoms=graph.atom_of_node[nodes],
                fidelity=number,
                described=None if described is None else described[rows],
                apart=None if apart is None else apart[rows, :n_learnt],
            )
            found.append((sites, nodes))
        return found

    def answer(self, sites: AbsorberSites) -> Calibrated:
        """Return the spectra of absorbing sites on the grid of their element, and their trust."""
        return self.answers([sites])[0]

    def answers(self, several: Sequence[AbsorberSites]) -> list[Calibrated]:
        """Return what `answer` does, of the sites of several crystals, of one element, at once."""
        grid = self.card(several[0].absorber).grid
        found = self.calibration.of_several(several, grid)
        return [self._trusted(*each, grid.energies) for each in zip(several, found, strict=True)]

    def _trusted(self, sites: AbsorberSites, found: Calibrated, energies: FloatArray) -> Calibrated:
        """Return an answer with its trust, and a band where the calibration tells none."""
        reference = self.checkpoint.trust
        if reference is None:
            return found
        judged = reference.judge(*fingerprinted(sites), _disagreement(sites))
        sigma = found.sigma
        if sigma is None:
            # Errors are counted from the first point that the network answers on.
            relative = energies - float(sites.share @ sites.energies[:, 0])
            sigma = reference.sigma(relative, found.mean, sites.absorber, judged)
        return replace(found, sigma=sigma, trust=judged.trust)

    def card(self, absorber: str) -> AbsorberCard:
        """Return what the model knows of an absorber."""
        return self.checkpoint.elements[absorber]

    def fidelity(self, absorber: str, wanted: str | None = None) -> int | None:
        """Return the number of the fidelity an absorber is answered in; None if there is but one.

        Raises:
            ConfigError: the model does not know the wanted one.
        """
        name = wanted or self.card(absorber).fidelity
        return None if name is None else self.checkpoint.config.fidelity_index(name)

    def _energies(
        self, graph: SiteGraph, absorber: str, nodes: IntArray, number: int | None
    ) -> tuple[FloatArray, float | None]:
        """Return (S, P) where the outputs for some nodes stand, as far as they were learnt, eV.

        With it comes the width of the core hole; None for a window, beyond which curves stay.
        """
        card, config = self.card(absorber), self.checkpoint.config
        if number is None or config.axis == "window":
            return np.tile(card.network_grid.energies, (len(nodes), 1)), None
        axis, theory = axis_of(card, absorber), config.fidelities[number]
        atoms = graph.atom_of_node[nodes]
        edges = site_edges(card, absorber, theory, graph.cell, atoms)
        n_learnt = np.searchsorted(FEFF_POINTS, axis.learnt, side="right")
        return edges[:, None] + FEFF_POINTS[:n_learnt], axis.width

    def _scattered(
        self, others: FloatArray, graph: SiteGraph, nodes: IntArray, fidelity: int | None
    ) -> FloatArray:
        """Return (S, P) spectra of sites, averaged with scattering where the model has it."""
        scattering, config = self.checkpoint.scattering, self.checkpoint.config
        if scattering is None or fidelity is None:
            return others
        atoms, theory = graph.atom_of_node[nodes], config.fidelities[fidelity]
        return scattering.averaged(others, graph.cell, atoms, theory)

    def _described(self, several: Sequence[tuple[SiteGraph, IntArray]]) -> FloatArray | None:
        """Return (S, D) surroundings of some nodes of graphs; None where nothing asks for them."""
        if self.checkpoint.kernel is None:
            return None
        each = [surroundings(graph.cell, graph.atom_of_node[nodes]) for graph, nodes in several]
        return np.concatenate(each)

    def _simulated(
        self, vectors: Tensor, absorber: str, fidelity: int | None, described: FloatArray | None
    ) -> tuple[FloatArray, FloatArray | None]:
        """Return (S, P) spectra, and by how much network and kernel are apart; None without one."""
        number = None if fidelity is None else torch.tensor(fidelity, device=self.device)
        network = self.network.head(vectors.to(self.device), number).cpu().double().numpy()
        kernel, config = self.checkpoint.kernel, self.checkpoint.config
        if kernel is None or described is None or fidelity is None:
            return network, None
        theory, z = config.fidelities[fidelity], atomic_number(absorber)
        if not kernel.knows(theory):
            return network, None
        other, share = kernel.spectra(described, z, theory), kernel.share_of(z, theory)
        # The kernel knows no bound: where next to nothing is absorbed it may fall below zero.
        apart = np.where(share > 0, network - other, 0.0)
        return np.maximum(network - share * apart, 0.0), apart
