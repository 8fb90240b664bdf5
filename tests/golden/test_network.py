import numpy as np
import pytest
import torch

from cgxas.crystals.batch import collate
from cgxas.crystals.spec import GraphSpec
from cgxas.model.cgxas.authors import translate
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS

ALLOWED = {"f64": 1e-10, "f32": 1e-5}
WIDTHS = {"tiny": (16, 2, 3, 20), "tiny100": (16, 2, 3, 100), "full": (256, 5, 5, 100)}
CONFIGURATIONS = ("tiny_elu", "tiny_silu", "tiny100_elu", "full_elu", "full_silu")


@pytest.mark.parametrize("configuration", ["tiny_elu", "tiny_silu"])
def test_every_stage(goldens, report, watch, configuration, structure, precision, dtype):
    expected = goldens.arrays(f"out_{configuration}_{structure}")
    network = goldens.network(configuration, dtype)
    watched = watch(network)
    with torch.no_grad():
        vectors = network.embed(collate([goldens.graph(structure)], dtype))
        spectra = network.head(vectors).numpy()
    found = {**watched.seen, "site_vector": vectors.numpy(), "site_spectra": spectra}
    for element, sites in goldens.json(f"structure_{structure}")["sites_by_element"].items():
        found[f"pooled_{element}"] = spectra[sites].mean(axis=0)
    wanted = {name.removesuffix(f"_{precision}") for name in expected if name.endswith(precision)}
    assert set(found) == wanted
    for name in sorted(wanted):
        stage = "pooled" if name.startswith("pooled") else name
        value = expected[f"{name}_{precision}"]
        report.compare(f"network: {stage}", found[name], value, ALLOWED[precision])


def test_batch(goldens, report, precision, dtype):
    expected = goldens.arrays("batch_tiny_elu")
    members = goldens.json("batch_tiny_elu")["graphs"]
    batch = collate([goldens.graph(member["structure"]) for member in members], dtype)
    sizes = np.diff(batch.offsets)
    assert np.array_equal(np.repeat(np.arange(len(members)), sizes), expected["graph_of_node"])
    first = np.repeat(batch.offsets[:-1], 12 * sizes)
    assert np.array_equal(first, expected["node_offset_of_edge"])
    network = goldens.network("tiny_elu", dtype)
    with torch.no_grad():
        vectors = network.embed(batch)
        spectra = network.head(vectors).numpy()
    pooled = []
    for member, offset in zip(members, batch.offsets, strict=False):
        sites = goldens.json(f"structure_{member['structure']}")["sites_by_element"]
        pooled.append(spectra[np.array(sites[member["element"]]) + offset].mean(axis=0))
    for name, value in [
        ("site_vector", vectors.numpy()),
        ("site_spectra", spectra),
        ("pooled", np.array(pooled)),
    ]:
        limit = ALLOWED[precision]
        report.compare(f"batch: {name}", value, expected[f"{name}_{precision}"], limit)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_weights_follow_the_recipe(goldens, report, configuration):
    entry, state = goldens.json("configs")[configuration], goldens.state(configuration)
    for name, check in entry["recipe_check"].items():
        values = state[name].double().numpy().reshape(-1)
        report.compare("recipe: sums", values.sum(), check["sum"], 1e-9)
        report.compare("recipe: first entries", values[0], check["first"], 1e-12)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_shapes_give_the_configuration(goldens, configuration):
    kind, _, act = configuration.partition("_")
    hidden, n_modules, n_head_layers, n_outputs = WIDTHS[kind]
    assert goldens.config(configuration) == CGXASConfig(
        hidden=hidden,
        n_modules=n_modules,
        n_head_layers=n_head_layers,
        n_outputs=n_outputs,
        message_activation=act,
        module_activation=act,
        head_activation=act,
        graph=GraphSpec(cell="as_given"),
    )


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_used_weight_arrives_once(goldens, configuration):
    entry, state = goldens.json("configs")[configuration], goldens.state(configuration)
    parameters = {
        name
        for name in state
        if not name.endswith((".running_mean", ".running_var", ".num_batches_tracked"))
    }
    assert sum(state[name].numel() for name in parameters) == entry["n_parameters"]
    unused = {n for n in parameters if "linear1_vector_gate" in n or "activation1_vector_gate" in n}
    network = CGXAS(goldens.config(configuration))
    ours = sum(p.numel() for p in network.parameters())
    assert ours == entry["n_parameters"] - sum(state[name].numel() for name in unused)
    if configuration.startswith("full"):
        assert sum(state[name].numel() for name in unused) == 85_760
    expected = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in translate(state).items()}
    assert found == expected


def test_unused_names_are_those_without_gradient(goldens):
    state = goldens.state("tiny100_elu")
    without = goldens.json("train_step_tiny100_elu")["parameters_without_gradient"]
    kept = translate({name: t for name, t in state.items() if name not in without})
    assert kept.keys() == translate(state).keys()
