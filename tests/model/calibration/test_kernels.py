"""How alike sites are."""

import pytest
import torch

from cgxas.model.calibration.kernels import KernelSum, Scale, SiteFeatures, Term

TERMS = (
    Term("none", "constant", within=True),
    Term("vector", "matern", within=True),
    Term("curve", "matern", within=False),
    Term("edge", "linear", within=False),
    Term("state", "matern", within=False),
)


@pytest.fixture
def sites() -> SiteFeatures:
    torch.manual_seed(0)
    return SiteFeatures(
        element=torch.tensor([26, 26, 16, 26, 16]),
        vector=torch.randn(5, 7).double(),
        curve=torch.randn(5, 9).double(),
        edge=torch.randn(5, 1).double() * 4 + 9,
        state=torch.randn(5, 2).double(),
        around=torch.randn(5, 11).double(),
        potential=torch.randn(5, 3).double(),
    )


@pytest.fixture
def scale(sites) -> Scale:
    return Scale.of(sites)


def kernel(terms, scale, one, other, parameters=None):
    zeros = torch.zeros(2 * len(terms), dtype=torch.float64)
    one, other = scale.applied(one), scale.applied(other)
    return KernelSum(terms, scale, one, other)(zeros if parameters is None else parameters)


def test_terms_within_elements_vanish_between_them(sites, scale):
    found = kernel(TERMS[:2], scale, sites, sites)
    other = sites.element[:, None] != sites.element[None]
    assert (found[other] == 0).all()
    assert (found[~other] > 0).all()


def test_a_sum_is_the_sum_of_its_terms_times_their_strengths(sites, scale):
    strengths = torch.tensor([0.3, 2.0, 0.7, 1.5, 0.2]).double()
    parameters = torch.stack([strengths.log(), torch.zeros(5).double()], 1).flatten()
    single = [kernel([term], scale, sites, sites) for term in TERMS]
    expected = sum(s * k for s, k in zip(strengths, single, strict=True))
    torch.testing.assert_close(kernel(TERMS, scale, sites, sites, parameters), expected)


@pytest.mark.parametrize("feature", ["vector", "curve", "state"])
def test_matern_is_one_at_home_and_falls_with_distance(sites, scale, feature):
    term = Term(feature, "matern", within=False)
    found = kernel([term], scale, sites, sites)
    torch.testing.assert_close(found.diagonal(), torch.ones(5).double())
    far = SiteFeatures(**{**sites.tensors, feature: getattr(sites, feature) * 50})
    assert (kernel([term], scale, sites, far).diagonal() < 0.2).all()
    longer = torch.tensor([0.0, 3.0]).double()
    away = ~torch.eye(5, dtype=torch.bool)
    assert (kernel([term], scale, sites, sites, longer)[away] > found[away]).all()


def test_kernels_are_positive_definite(sites, scale):
    found = kernel(TERMS, scale, sites, sites)
    torch.testing.assert_close(found, found.T)
    assert torch.linalg.eigvalsh(found).min() > -1e-10


def test_the_median_distance_within_elements_is_one(sites, scale):
    scaled = scale.scaled(sites, "vector")
    same = sites.element[:, None] == sites.element[None]
    apart = torch.cdist(scaled, scaled)[same & ~torch.eye(5, dtype=torch.bool)]
    assert apart.median() == pytest.approx(float(scale.distance["vector"]))


def test_units_come_back_from_a_file(sites, scale):
    found = Scale.from_tensors(scale.tensors)
    torch.testing.assert_close(found.scaled(sites, "state"), scale.scaled(sites, "state"))
    assert found.distance == scale.distance


def test_one_site_alone_has_units_too(sites):
    one = sites.take(torch.tensor([0]))
    assert len(one) == 1
    assert torch.isfinite(kernel(TERMS, Scale.of(one), one, one)).all()


@pytest.mark.parametrize("names", [("colour", "matern"), ("edge", "round"), ("edge", None)])
def test_kernels_that_do_not_exist_are_refused(names):
    with pytest.raises(ValueError, match="there is no"):
        Term(*names, within=True)
