import pytest
import torch

from cgxas.training.loss import rse_loss, slope_rse

TARGET = torch.tensor([[1.0, 2.0, 9.0], [1.0, 2.0, 4.0]])
PREDICTED = torch.tensor([[2.0, 2.0, 0.0], [1.0, 2.0, 4.0]])


def test_rse_counts_weighted_points():
    weight = torch.tensor([[1.0, 0.5, 0.0], [1.0, 1.0, 1.0]])
    assert rse_loss(PREDICTED, TARGET, weight).tolist() == pytest.approx([1 / 3, 0])


def test_rse_does_not_depend_on_the_scale():
    weight = torch.ones_like(TARGET)
    expected = rse_loss(PREDICTED, TARGET, weight)
    torch.testing.assert_close(rse_loss(3 * PREDICTED, 3 * TARGET, 7 * weight), expected)


def test_slopes_have_weights_of_their_own():
    one = torch.ones(2, 2)
    assert slope_rse(PREDICTED, TARGET, one).tolist() == pytest.approx([(1 + 81) / (1 + 49), 0])
    weight = torch.tensor([[0.5, 0.0], [1.0, 1.0]])
    assert slope_rse(PREDICTED, TARGET, weight).tolist() == pytest.approx([1.0, 0])
    assert slope_rse(PREDICTED + 5, TARGET + 5, one)[0] == pytest.approx((1 + 81) / (1 + 49))
