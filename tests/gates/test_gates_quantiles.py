"""The block gate on medians, through the public path: what it sees of the exponential mechanism.

That a person's rows share a weight it does not see (12,000 blocks told nothing): that is replay's,
tests/e2e/test_quantile_neighbours.py.
"""

from __future__ import annotations

import gates
import pytest

from dpsql.mechanisms.quantile import QuantileMechanism

MEDIAN = {"table": "people", "question": "MEDIAN(income)", "blocks": 4000}
OF_MANY = {"table": "visits", "question": "MEDIAN(cost)", "blocks": 2000}


def eight_times_too_sharp(patch):
    rate = QuantileMechanism.rate.fget
    patch.setattr(QuantileMechanism, "rate", property(lambda self: 8 * rate(self)))


@pytest.mark.parametrize("asked", [MEDIAN, OF_MANY], ids=lambda asked: asked["question"])
def test_medians_stay_below_the_claim(asked, bench):
    gates.block(bench, **asked)


def test_eight_times_too_sharp_is_seen(bench, monkeypatch):
    eight_times_too_sharp(monkeypatch)
    with pytest.raises(gates.Red):
        gates.block(bench, **MEDIAN)
