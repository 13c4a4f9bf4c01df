"""The hardest candidates of all processes; tests/samplers/test_miner.py has the miner's own."""

from pathlib import Path

import helpers_mining
import pytest
import torch
from helpers_processes import results

from mmthermal.functional.mining import hardest, num_hard_negatives


@pytest.mark.parametrize("number", [2, 3])
def test_shares_are_the_hardest_of_the_joined_rows(tmp_path: Path, number: int) -> None:
    """The last process has no row at all, the floor is the first one's alone."""
    ranks = results(helpers_mining.share_rows, number, tmp_path)
    rows = [helpers_mining.rows(rank, number) for rank in range(number)]
    scores, candidates = (torch.cat(column) for column in zip(*rows, strict=True))
    starts = torch.tensor([0, *(len(own[0]) for own in rows)]).cumsum(0)
    for place, (ratio, min_neg) in enumerate(helpers_mining.ROW_CASES):
        k = num_hard_negatives(
            helpers_mining.POSITIVES * number, int(candidates.sum()), ratio=ratio, min_neg=min_neg
        )
        expected = hardest(scores.masked_fill(~candidates, float("-inf")), k)
        found = torch.cat([mined[place] + starts[rank] for rank, mined in enumerate(ranks)])
        assert torch.equal(found, expected)
