"""One process; two are in test_composite_loss.py, through the loss."""

import torch

from mmthermal.losses.over_processes import rows_of_all_processes, sum_over_processes


def test_one_process_keeps_what_it_has() -> None:
    vector = torch.randn(3, requires_grad=True)
    assert sum_over_processes(vector) is vector
    pos, neg, labels = torch.randn(2, 3), torch.randn(4, 3), torch.tensor([0, 2])
    rows = rows_of_all_processes(pos, neg, labels, None, torch.ones(4))
    assert rows["pos_logits"] is pos and rows["neg_logits"] is neg
    assert rows["pos_labels"] is labels and rows["pos_weights"] is None
    assert rows["neg_weights"].tolist() == [1.0] * 4
