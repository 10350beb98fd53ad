"""`dpsql budget plan`: what it promises is what the ledger then admits."""

from __future__ import annotations

import json
from fractions import Fraction

import duckdb
import pytest

import dpsql
from dpsql.errors import BudgetExceeded, InvalidQuery
from dpsql.policy import load
from dpsql.sql.split import split
from dpsql.workload import plan_workload

WORKLOAD = """
-- comments and ; in them are no statements
SELECT COUNT(*) FROM users;
SELECT city, AVG(spent) FROM users GROUP BY city /* ; */;
SELECT city, AVG(spent) AS again FROM users GROUP BY city ORDER BY 2;
SELECT COUNT(*) FROM users WHERE nick = ';';;
SELECT nick, COUNT(*) FROM users GROUP BY nick;
SELECT COUNT(*) FROM cities
"""
OPTIONS = "SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(epsilon = {}) COUNT(*) FROM users"


@pytest.fixture
def plan(dpsql, shop):
    """The json of a plan of some text."""

    def run(text, *more, epsilon="3", code=0):
        (shop / "w.sql").write_text(text)
        result = dpsql("budget", "plan", "w.sql", "--epsilon", epsilon, "--format", "json", *more)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


def admitted(shop, texts, epsilon, delta, *, budget):
    """How many of these statements, one after the other, a fresh budget of (ε, δ) admits."""
    fresh = f"wes{len(list(shop.glob('wes*.db')))}.db"  # a ledger that is gone would be missed
    text = (shop / "dpsql.yaml").read_text().replace("ledger.db", fresh)
    wes = f"wes: {{epsilon: {budget[0]}, delta: {budget[1]}}}"
    (shop / "wes.yaml").write_text(text.replace("bob: {epsilon: 2, delta: 1e-6}", wes))
    with dpsql.connect(shop / "wes.yaml", analyst="wes", epsilon=epsilon, delta=delta) as c:
        cursor = c.cursor()
        for count, one in enumerate(texts):
            try:
                cursor.execute(one)
            except BudgetExceeded:
                return count
    return len(texts)


def test_all_fit_at_the_price_it_tells_and_not_above(shop, plan):
    texts = [f"SELECT COUNT(*) FROM users WHERE age > {age}" for age in range(60)]
    found = plan(";".join(texts), "--delta", "1e-6", epsilon="1")
    price, delta, budget = found["equal"]["epsilon"], found["equal"]["delta"], (1, 1e-6)
    assert price > 1.2 * found["epsilon_by_adding_up"]
    assert found["equal"]["share"] > 0.98
    assert admitted(shop, texts, price, delta, budget=budget) == 60
    assert admitted(shop, texts, price * 1.01, delta, budget=budget) == 59


def test_a_few_fit_as_they_add_up(shop, plan):
    texts = [f"SELECT COUNT(*) FROM users WHERE age > {age}" for age in range(4)]
    found = plan(";".join(texts), "--delta", "1e-6", epsilon="2")["equal"]
    assert (found["epsilon"], found["share"]) == (0.5, pytest.approx(1))
    assert admitted(shop, texts, 0.5, found["delta"], budget=(2, 1e-6)) == 4


def test_private_keys_do_not_use_up_their_delta(shop, plan):
    texts = [f"SELECT nick, COUNT(*) FROM users WHERE age > {a} GROUP BY 1" for a in range(8)]
    found = plan(";".join(texts), "--delta", "1e-7")["equal"]
    assert found["delta"] == pytest.approx(0.5e-7 / 8)
    assert admitted(shop, texts, found["epsilon"], "6.25e-9", budget=(3, 1e-7)) == 8
    assert admitted(shop, texts, found["epsilon"], "6.3e-9", budget=(3, 1e-7)) == 7


def test_rounds_are_what_the_ledger_then_admits(shop, plan):
    found = plan("SELECT COUNT(*) FROM users", epsilon="2.6")["usual"]
    assert (found["epsilon"], found["rounds"], found["further_statements"]) == (1, 2, 0)
    texts = [f"SELECT COUNT(*) FROM users WHERE age > {age}" for age in range(3)]
    assert admitted(shop, texts, 1, 1e-7, budget=(2.6, 0.1)) == 2
    found = plan(";".join(texts), epsilon="5")["usual"]
    assert (found["rounds"], found["further_statements"]) == (1, 2)


def test_repeats_and_public_tables_are_free(plan):
    found = plan(WORKLOAD)
    keys = ("line", "releases", "paid_releases")
    assert [tuple(one[key] for key in keys) for one in found["statements"]] == [
        (3, 1, 1), (4, 1, 1), (5, 1, 0), (6, 1, 1), (7, 1, 1), (8, 0, 0),
    ]  # fmt: skip
    assert found["releases"] == 4
    assert found["epsilon_by_adding_up"] == 0.75
    expected = found["usual"]["expected"]
    assert [len(one) for one in expected] == [1, 1, 1, 1, 1, 0]
    assert expected[1] == expected[2]


def test_without_reuse_a_repeat_is_paid(plan, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text + "releases: {reuse: off}\n")
    found = plan("SELECT COUNT(*) FROM users; SELECT COUNT(*) FROM users")
    assert [one["paid_releases"] for one in found["statements"]] == [1, 1]
    assert found["usual"]["share"] == pytest.approx(2 / 3, rel=0.1)


def test_error_bars_are_those_of_explain(plan, dpsql):
    sql = "SELECT city, COUNT(*), AVG(age) FROM users GROUP BY city"
    (expected,) = plan(sql)["usual"]["expected"]
    explained = json.loads(
        dpsql("explain", "--analyst", "ann", "--format", "json", "--epsilon", "1", sql).stdout
    )
    (release,) = explained["releases"]
    for one, column in zip(expected, release["columns"], strict=True):
        assert one["aggregate"] == column["aggregate"]
        told = column["half_width_95"] or column["half_width_95_by_rows"][str(one["rows"])]
        assert one["half_width_95"] == told


def test_a_price_of_its_own_stays(plan):
    own = OPTIONS.format("0.5")
    found = plan(
        f"{own}; SELECT COUNT(*) FROM users WHERE age > 1; SELECT SUM(age) FROM users",
        epsilon="2.5",
    )
    assert [one["own_price"] for one in found["statements"]] == [True, False, False]
    assert found["epsilon_by_adding_up"] == 1
    assert found["equal"]["epsilon"] >= 0.99
    assert plan(OPTIONS.format("2"), epsilon="1")["equal"] is None


def test_the_cap_of_one_query_holds(plan, shop):
    text = (shop / "dpsql.yaml").read_text()
    (shop / "dpsql.yaml").write_text(text.replace("{epsilon: 1e9,", "{epsilon: 1.5,"))
    found = plan("SELECT COUNT(*) FROM users", epsilon="30")["equal"]
    assert found["epsilon"] == 1.5
    assert found["rounds"] >= 20


def test_a_refused_statement_is_told_and_ends_with_3(dpsql, plan, shop):
    found = plan("SELECT COUNT(*) FROM users;\n\nSELECT MODE(age) FROM users", code=3)
    assert found["statements"][1]["error"]["code"] == "unsupported-aggregate"
    assert found["equal"]["epsilon"] == 3
    words = dpsql("budget", "plan", "w.sql", "--epsilon", "3")
    assert words.exit_code == 3
    assert "refused [unsupported-aggregate]: MODE over" in words.stdout
    assert "(line 3)" in words.stdout


def test_in_words(dpsql, shop):
    (shop / "w.sql").write_text(WORKLOAD)
    words = dpsql("budget", "plan", "w.sql", "--epsilon", "3").stdout
    for part in (
        "workload     w.sql: 6 statements, 1 free: repeats, 1 free: public tables alone, 4 to pay",
        "budget       ε = 3, δ = ",
        "all once     ε = 0.8",
        "usual price  ε = 1, δ = 1e-07: ",
        "1. SELECT COUNT(*) FROM users\n   COUNT(*): ± ",
        "   free: a repeat of what is paid for above",
        "   free: public tables alone",
    ):
        assert part in words, part


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--epsilon", "0"),
        ("--epsilon", "x"),
        ("--epsilon", "3", "--delta", "2"),
        ("--epsilon", "3", "--dialect", "klingon"),
    ],
)
def test_wrong_usage(dpsql, shop, more):
    (shop / "w.sql").write_text("SELECT COUNT(*) FROM users")
    result = dpsql("budget", "plan", "w.sql", *more)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert dpsql("budget", "plan", "missing.sql", "--epsilon", "3").exit_code == 2
    (shop / "w.sql").write_text("-- nothing\n;")
    assert dpsql("budget", "plan", "w.sql", "--epsilon", "3").exit_code == 2


def test_nothing_is_written_and_no_row_is_read(plan, shop):
    """The same plan whoever is in the database, down to nobody; no ledger appears."""
    first = plan(WORKLOAD)
    with duckdb.connect(str(shop / "shop.duckdb")) as c:
        c.execute("DELETE FROM users WHERE id <> 7")
    assert plan(WORKLOAD) == first
    with duckdb.connect(str(shop / "shop.duckdb")) as c:
        c.execute("DELETE FROM users")
    assert plan(WORKLOAD) == first
    assert not list(shop.glob("ledger.db*"))


def test_too_many_statements_are_refused(shop):
    policy = load(shop / "dpsql.yaml")
    with pytest.raises(InvalidQuery) as caught:
        plan_workload(
            policy, "SELECT 1;" * 1_001, epsilon=Fraction(3), delta=Fraction(1, 10**6),
            dialect="duckdb",
        )  # fmt: skip
    assert caught.value.code == "too-long"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", []),
        (" ; ;; -- x\n", []),
        ("SELECT 1", [(1, "SELECT 1")]),
        ("SELECT ';' ;\nSELECT 2 -- ;\n;", [(1, "SELECT ';'"), (2, "SELECT 2")]),
        ("/* a;b */ SELECT 1; SELECT $$;$$", [(1, "SELECT 1"), (1, "SELECT $$;$$")]),
        ('SELECT ";"\n\n;SELECT\n3', [(1, 'SELECT ";"'), (3, "SELECT\n3")]),
    ],
)
def test_split(text, cut):
    assert split(text, "duckdb") == cut


def test_an_open_quote_is_a_syntax_error():
    with pytest.raises(InvalidQuery) as caught:
        split("SELECT 'never closed; SELECT 1", "duckdb")
    assert caught.value.code == "syntax"


def test_a_chain_is_planned_by_its_releases_and_shares_them(shop, plan):
    """Each part of a chain is a release; what stands in the file already is not paid again."""
    mean = "SELECT AVG(spent) FROM users"
    chain = f"SELECT COUNT(*) FROM users WHERE spent > ({mean})"
    found = plan(";".join([chain, mean, chain, f"{chain} AND age > ({mean})"]), "--delta", "1e-6")
    counted = [(one["releases"], one["paid_releases"]) for one in found["statements"]]
    assert counted == [(2, 2), (1, 0), (2, 0), (2, 1)]


def test_both_prices_are_told_for_groups_of_one_size(plan):
    """A mean is told for the rows at which it is of use at either price."""
    text = ";\n".join(
        f"SELECT city, AVG(spent) AS a{i} FROM users WHERE spent > {i} GROUP BY city"
        for i in range(40)
    )
    found = plan(text, epsilon="0.5")
    pairs = [
        (one["rows"], other["rows"])
        for equal, usual in zip(found["equal"]["expected"], found["usual"]["expected"], strict=True)
        for one, other in zip(equal, usual, strict=True)
    ]
    assert len(pairs) == 40
    assert all(one == other > 100 for one, other in pairs)
