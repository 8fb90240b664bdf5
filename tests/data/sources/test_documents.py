import numpy as np
import pytest

from cgxas.data.sources.documents import ARCHIVE_THEORY, read_document
from cgxas.data.sources.item import ImportedSpectrum, LeftOut


def test_document_of_the_archive(site_document):
    found = read_document(("xas:0", site_document(2)))
    assert isinstance(found, ImportedSpectrum)
    assert (found.material_id, found.element, found.site) == ("mp-2657", "O", 2)
    assert (found.theory, found.fidelity) == (ARCHIVE_THEORY, "FEFF9")
    assert (found.formula, found.name) == ("TiO2", "")
    assert found.site_certain
    assert found.energy[[0, -1]].tolist() == [524.0, 594.0]
    assert found.norm[-1] == pytest.approx(0.99576, abs=1e-5)  # the fourth column, not the second


def test_pairs_and_plain_rows_say_the_same(site_document, plain_document):
    full = read_document(("a", site_document()))
    pairs = [[x, y] for x, y in zip(full.energy, full.norm, strict=True)]
    of_pairs = read_document(("a", site_document(spectrum=pairs)))
    plain = read_document(("a", plain_document()))
    for each in (of_pairs, plain):
        np.testing.assert_array_equal(each.energy, full.energy)
        np.testing.assert_allclose(each.norm, full.norm, atol=1e-5)
        np.testing.assert_allclose(each.cell.lattice, full.cell.lattice)
        np.testing.assert_allclose(each.cell.frac, full.cell.frac)
        assert each.site == full.site == 0


def test_plain_document_says_theory_and_fidelity_itself(plain_document):
    silent = read_document(("a", plain_document()))
    assert (silent.theory, silent.fidelity) == ("unknown", "unknown")
    told = read_document(("a", plain_document()), "FDMNES 2023 (R 6 A)")
    assert (told.theory, told.fidelity) == ("FDMNES 2023 (R 6 A)", "FDMNES2023")
    own = read_document(("a", plain_document(theory="VASP", fidelity="XCH", id="mine")), "FDMNES")
    assert (own.theory, own.fidelity, own.name) == ("VASP", "XCH", "mine")


@pytest.mark.parametrize("edge", [None, "", "K", "k"])
def test_the_edge_is_k_where_none_is_told(plain_document, edge):
    assert isinstance(read_document(("a", plain_document(edge=edge))), ImportedSpectrum)


def test_no_site_is_the_mean(plain_document):
    assert read_document(("a", plain_document(site=None))).site is None


@pytest.mark.parametrize("where", ["name of the file", "id"])
@pytest.mark.parametrize(
    ("name", "site", "element"),
    [("mp-561304-4-XANES-K-O", 4, "O"), ("mp-779827-XANES-O-K", None, "O")],
)
def test_ids_tell_what_the_document_does_not(plain_document, where, name, site, element):
    document = plain_document(element, site)
    del document["site"], document["element"]
    if where == "id":
        document["spectrum_id"] = name
    found = read_document(("a" if where == "id" else name, document))
    assert (found.site, found.element) == (site, element)
    assert found.material_id == name.split("-X")[0].removesuffix("-4")


def test_symbol_as_absorbing_atom_is_its_first_atom(site_document):
    document = site_document(2)
    document["absorbing_atom"] = "O"
    assert read_document(("a", document)).site == 2


def test_oxidation_states_do_not_matter(site_document, rutile):
    decorated = rutile.copy()
    decorated.add_oxidation_state_by_element({"Ti": 4, "O": -2})
    found = read_document(("a", site_document(structure=decorated.as_dict())))
    assert found.formula == "TiO2"
    assert found.cell.numbers.tolist() == [22, 22, 8, 8, 8, 8]


def changed(document: dict, change: dict) -> dict:
    return {key: value for key, value in {**document, **change}.items() if value != "nothing"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"edge": "L3"}, "not a K-edge XANES spectrum"),
        ({"edge": 3}, "not a K-edge XANES spectrum"),
        ({"edge": "nothing", "metadata": {"edge": "M5"}}, "not a K-edge XANES spectrum"),
        ({"spectrum_type": "EXAFS"}, "not a K-edge XANES spectrum"),
        ({"structure": "nothing"}, "structure is missing"),
        ({"structure": {"sites": [1]}}, "crystal is not readable"),
        (
            {"structure": {"lattice": [1], "species": [], "frac_coords": []}},
            "crystal is not readable",
        ),
        ({"spectrum": "nothing"}, "document holds no spectrum"),
        ({"spectrum": [[1, 2, 3]]}, "spectrum has neither 2 nor 6 columns"),
        ({"spectrum": [[1, 2], [1]]}, "spectrum is not rows of numbers"),
        ({"absorbing_atom": 6}, "site is not in the crystal"),
        ({"absorbing_atom": -1}, "site is not in the crystal"),
        ({"absorbing_atom": [1]}, "site is not an index"),
        ({"absorbing_atom": "Fe"}, "absorber is not in the crystal"),
        ({"absorbing_atom": "nothing", "metadata": None}, "document names no absorber"),
    ],
)
def test_documents_are_left_out_with_a_reason(site_document, change, reason):
    assert read_document(("a", changed(site_document(), change))) == LeftOut("a", reason)


def test_disordered_and_impossible_crystals_are_told(site_document, rutile):
    disordered = rutile.copy()
    disordered[0] = {"Ti": 0.5, "Zr": 0.5}
    overlapping = rutile.copy()
    overlapping.append("O", [0.305, 0.305, 0.01])
    for structure, reason in (
        (disordered, "crystal is disordered"),
        (overlapping, "atoms of the crystal overlap"),
    ):
        document = site_document(structure=structure.as_dict())
        assert read_document(("a", document)) == LeftOut("a", reason)
