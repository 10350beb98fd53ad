"""OPTIONS(clip_estimate = true): what is asked along, what it costs, what is told, and by whom."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dpsql.core.targets import Aims
from dpsql.errors import InvalidQuery
from dpsql.pipeline.plan import Asked
from dpsql.render.answers import footer

OPTION = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(clip_estimate = true)"


def planned(session, sql):
    with session.engine.snapshot():
        asked = Asked(Fraction(1), Fraction(1, 10**6))
        return session.prepare(sql, None, dialect="duckdb", asked=asked).planned.plans


def shares(session, sql, **price):
    return [s for one in session.query(sql, **price).privacy.releases for s in one.clipped]


def test_the_share_is_estimated_with_its_interval(opened):
    """x lies outside 0..100 in 19 of 120 rows, y in none of its 60 values."""
    found = shares(opened(), f"{OPTION} g, AVG(x), SUM(y) FROM visits GROUP BY g", epsilon=10)
    assert [one.label for one in found] == ["x outside 0 to 100", "y outside -50 to 50.5"]
    assert found[0].low <= 19 / 120 <= found[0].high
    assert found[0].high - found[0].low < 0.01
    assert found[1].low == 0
    assert found[1].high < 0.01


def test_filters_pairs_and_quantiles_have_theirs(opened):
    found = shares(
        opened(),
        f"{OPTION} SUM(x) FILTER (WHERE y > 0), CORR(x, y), MEDIAN(x), COUNT(*) FROM visits",
        epsilon=100,
    )
    assert [one.label for one in found] == [
        "x outside 0 to 100 WHERE y > 0",
        "x outside 0 to 100",
        "y outside -50 to 50.5",
    ]
    assert found[1].share == pytest.approx(19 / 120, abs=0.005)


def test_what_cannot_be_clipped_is_not_asked(opened):
    session = opened()
    sql = f"{OPTION} SUM(LEAST(GREATEST(x, 0), 100)), COUNT(*), MAX(born) FROM visits"
    (plan,) = planned(session, sql)
    assert plan.aggregate.clips == ()
    half = f"{OPTION} SUM(GREATEST(x, 0)) FROM visits"
    assert [one.label for one in planned(session, half)[0].aggregate.clips] == [
        "GREATEST(x, 0) outside 0 to 100"
    ]


@pytest.mark.parametrize(("value", "side"), [("EXP(y * 2)", "below"), ("-EXP(y * 2)", "above")])
def test_of_an_end_that_is_yet_to_be_found_nothing_is_asked(opened, value, side):
    """EXP is never below 0; where it ends above is found."""
    (one,) = shares(opened(), f"{OPTION} AVG({value}) FROM visits", epsilon=100)
    assert f" {side} " in one.label


def test_it_is_paid_from_the_same_price(opened):
    """The query costs what it cost; the counts take their share of it, and explain shows them."""
    from dpsql.expected import column_labels, parts

    session = opened()
    (plan,) = planned(session, f"{OPTION} SUM(x) FROM visits")
    (without,) = planned(session, "SELECT SUM(x) FROM visits")
    assert (plan.epsilon, plan.delta) == (without.epsilon, without.delta)
    assert len(plan.blocks) > len(without.blocks)
    with session.engine.snapshot():
        done = session.prepare(
            f"{OPTION} SUM(x) FROM visits", None, dialect="duckdb", asked=Asked(None, None)
        )
    labels = column_labels(done.planned, 0, "person")
    assert labels == ["SUM(x)", "COUNT_IF((x) < 0 OR (x) > 100)", "COUNT(x)"]
    shares = parts(plan, labels)
    assert sum(part.epsilon for part in shares) == plan.epsilon
    assert any("COUNT_IF" in part.name for part in shares)


def test_each_count_is_bounded_like_any_other(opened):
    """Sensitivity m = 2 rows of a person, from the plan; the noise is made for it."""
    (plan,) = planned(opened(), f"{OPTION} SUM(x) FROM visits")
    counts = [part for part in plan.blocks if type(part.block).__name__ == "CountBlock"]
    assert counts
    assert all(part.sensitivity.linf == 2 for part in counts)


def test_private_and_rolled_up_groups(opened):
    session = opened()
    found = shares(session, f"{OPTION} town, SUM(x) FROM visits GROUP BY town", epsilon=10)
    assert found[0].share == pytest.approx(19 / 120, abs=0.01)
    both = shares(session, f"{OPTION} g, SUM(x) FROM visits GROUP BY ROLLUP(g)", epsilon=10)
    assert len(both) == 2
    assert [one.share for one in both] == pytest.approx([19 / 120] * 2, abs=0.01)


def test_a_repeat_tells_the_same_for_nothing(opened):
    session = opened()
    sql = f"{OPTION} SUM(x) FROM visits"
    first, second = session.query(sql), session.query(f"{sql} LIMIT 1")
    assert second.privacy.free
    assert first.privacy.releases[0].clipped == second.privacy.releases[0].clipped


def test_the_answer_says_so(opened):
    session = opened()
    answer = session.query(f"{OPTION} SUM(x) FROM visits", epsilon=50)
    assert "bars leave out clipping: about 16 % of the rows have x outside 0 to 100 [" in footer(
        answer, session.policy
    )
    told = answer.privacy.to_json()["releases"][0]["clipping"]
    assert told["in_intervals"] is False
    assert told["estimates"][0]["rows"] == "x outside 0 to 100"
    without = session.query("SELECT SUM(x) FROM visits")
    assert without.privacy.to_json()["releases"][0]["clipping"] == {
        "in_intervals": False,
        "estimates": [],
    }


def test_without_rows_nothing_is_known(opened):
    (one,) = shares(opened(), f"{OPTION} SUM(x) FROM visits WHERE id = -5", epsilon="0.001")
    assert (one.low, one.high) == (0, 1)


@pytest.mark.parametrize("value", ["1", "'true'", "maybe"])
def test_it_is_true_or_false(opened, value):
    with pytest.raises(InvalidQuery) as refused:
        opened().query(f"{OPTION.replace('true', value)} SUM(x) FROM visits")
    assert refused.value.code == "bad-option"
    assert "true or false" in refused.value.hint


@pytest.mark.slow
def test_the_interval_holds_the_share(opened):
    """400 releases of a true 95 %: below 0.90 is 4.6 standard errors off."""
    session = opened(releases={"reuse": "off"})
    held = 0
    for _ in range(400):
        (one,) = shares(session, f"{OPTION} g, SUM(x) FROM visits GROUP BY g", epsilon="0.1")
        held += one.low <= 19 / 120 <= one.high
    assert 0.90 <= held / 400 <= 0.985


def test_the_flag_asks_what_the_option_asks(opened):
    """The same release, whoever says it; nothing is added where nothing can be clipped."""
    session = opened()
    sql = "SELECT g, AVG(x) AS m FROM visits GROUP BY g"
    flagged = session.query(sql, aims=Aims(clips=True))
    (share,) = flagged.privacy.releases[0].clipped
    assert share.label == "x outside 0 to 100"
    again = session.query(sql.replace("SELECT", OPTION))
    assert again.privacy.free
    assert again.table.equals(flagged.table)
    assert (
        not session.query("SELECT COUNT(*) FROM visits", aims=Aims(clips=True))
        .privacy.releases[0]
        .clipped
    )
    assert session.query(sql).privacy.releases[0].clipped == ()


@pytest.mark.slow
def test_intervals_of_the_share_hold_as_often_as_they_say(opened):
    """19 of 120 rows lie outside 0..100. 300 fresh answers of fixed words, nearly all noise: 95 %
    has a standard error of 1.3 points; three and a half each way, and one for whole numbers."""
    session = opened(releases={"reuse": "off"})
    sql = f"{OPTION} SUM(x) AS s FROM visits"
    held = 0
    for _ in range(300):
        (share,) = shares(session, sql, epsilon="0.05")
        held += share.low <= 19 / 120 <= share.high
    assert 0.90 <= held / 300 <= 0.995
