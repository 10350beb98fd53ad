"""The 26 bugs that a private SQL engine must not have, each seeded in the real code.

`MUTATIONS` has them in the order of docs/verification.md. A seed is a function of pytest's
monkeypatch. A bug that the design has no place for is seeded by opening that place, and `kept_out`
says what keeps it closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gates
from hostile_faults import error_text_forwarded, order_not_sorted
from neighbour_faults import (
    no_group_cap,
    no_row_clamp,
    no_sum_clamp,
    null_units_kept,
    one_more_group,
)
from seeds import (
    alias_resolves_the_unit,
    charge_after_execute,
    check_then_write,
    columns_clamped_not_arguments,
    ctes_are_public,
    epsilon_used_twice,
    float_budgets,
    fresh_noise_on_a_hit,
    gaussian_by_l1,
    groups_by_arrival,
    key_without_parameters,
    numbers_not_checked,
    random_module,
    refund_on_error,
    squares_bounded_as_values,
    threshold_without_delta,
    wall_clock_windows,
)
from test_audit_faults import KEYS, ROOMY, scale_of_one_group, units_counted_by_rows

Seed = Callable[[Any], None]


@dataclass(frozen=True)
class Mutation:
    """A bug: how it is seeded, and the gates, with their arguments, that are to turn red.

    `certified`: `certify` refuses the faulty statement of this shape before it is sent.
    `kept_out`: what keeps the bug out by construction, where something does.
    """

    seed: Seed
    where: str
    red: tuple[tuple[Callable[..., None], Mapping[str, Any]], ...]
    certified: str | None = None
    kept_out: str = ""


def by(gate: Callable[..., None], **arguments: Any) -> tuple[Callable[..., None], dict[str, Any]]:
    return gate, arguments


CAST = "SELECT COUNT(*) FROM users WHERE CAST(city AS INT) > 0 AND city = '12x'"
TWO_BLOCKS = "COUNT(*) AS a0, SUM(income) FILTER (WHERE income >= 5) AS a1"
BAD_IMPORT = """import random


def noise() -> float:
    return random.gauss(0, 1)
"""
VISITS = {"table": "visits", "question": "COUNT(*)"}

MUTATIONS: dict[str, Mutation] = {
    "no clamp": Mutation(
        no_row_clamp, "rules/values",
        (by(gates.replay, shape="row"),
         by(gates.block, table="people", question="SUM(income)", blocks=1000),
         by(gates.one_run, table="people", question="SUM(income)", blocks=2000)),
        certified="row",
    ),
    "clamp of the column, not of the argument": Mutation(
        columns_clamped_not_arguments, "rules/values, planning/plan",
        (by(gates.replay, shape="product"),), certified="product",
    ),
    "clamp per row": Mutation(
        no_sum_clamp, "rules/bound",
        (by(gates.replay, shape="cap, public keys"),
         by(gates.block, table="visits", question="SUM(cost)", blocks=500)),
        certified="cap, public keys",
    ),
    "bounds of x² as of x": Mutation(
        squares_bounded_as_values, "aggregates/basis",
        (by(gates.replay, shape="row, two moments"),), certified="row, two moments",
    ),
    "k + 1 groups": Mutation(
        one_more_group, "rules/groups", (by(gates.replay, shape="cap, private keys"),),
        certified="cap, private keys",
    ),
    "no cap on groups": Mutation(
        no_group_cap, "rules", (by(gates.replay, shape="cap, private keys"),),
        certified="cap, private keys",
    ),
    "groups chosen by their place": Mutation(
        groups_by_arrival, "rules/groups", (by(gates.multiset),),
        certified="cap, private keys",
    ),
    "noise of one group": Mutation(
        scale_of_one_group, "planning/noise",
        (by(gates.price, shape="cap, private keys"),
         by(gates.block, blocks=2500, **VISITS)),
    ),
    "ε used for each of several sums": Mutation(
        epsilon_used_twice, "planning/division",
        (by(gates.price, shape="two sums"),
         by(gates.asked, table="people", aggregates=TWO_BLOCKS, blocks=2500)),
    ),
    "Gaussian noise by L1": Mutation(
        gaussian_by_l1, "planning/noise", (by(gates.price, shape="gaussian"),),
    ),
    "δ forgotten in the threshold": Mutation(
        threshold_without_delta, "mechanisms/threshold",
        (by(gates.block, table="people", question=KEYS, blocks=600),),
    ),
    "threshold on rows": Mutation(
        units_counted_by_rows, "rules/totals",
        (by(gates.block, table="visits", question=KEYS, blocks=600, policy=ROOMY),),
    ),
    "rows of nobody kept": Mutation(
        null_units_kept, "rules/source", (by(gates.replay, shape="cap, one group"),),
        certified="cap, one group",
    ),
    "NaN kept": Mutation(
        numbers_not_checked, "rules/values", (by(gates.meaning, shape="no numbers"),),
        certified="no numbers",
    ),
    "rows in the engine's order": Mutation(
        order_not_sorted, "pipeline/release_table", (by(gates.order),),
    ),
    "the engine's error shown": Mutation(
        error_text_forwarded, "dialects/duckdb, functions/cast",
        (by(gates.outcome, sql=CAST, without=900010),),
        kept_out="casts cannot fail: `certify` proves it of each",
    ),
    "refund after an error": Mutation(refund_on_error, "ledger/state", (by(gates.charge),)),
    "charged after the query ran": Mutation(
        charge_after_execute, "pipeline/charge", (by(gates.charge),)
    ),
    "check and charge apart": Mutation(check_then_write, "ledger/store", (by(gates.race),)),
    "budgets as floats": Mutation(
        float_budgets, "accountant/charge", (by(gates.sums),),
        kept_out="a charge is whole numbers of small units",
    ),
    "stored under a key without parameters": Mutation(
        key_without_parameters, "canonical", (by(gates.repeat),)
    ),
    "fresh noise on a repeat": Mutation(fresh_noise_on_a_hit, "answering", (by(gates.repeat),)),
    "an alias taken for the unit": Mutation(
        alias_resolves_the_unit, "binding/query", (by(gates.replay, shape="alias of the unit"),),
        certified="alias of the unit",
    ),
    "a CTE taken for a public table": Mutation(
        ctes_are_public, "binding/query", (by(gates.answered, shape="through a CTE"),),
        kept_out="what runs above the noise line holds releases and declared public tables alone",
    ),
    "windows by the wall clock": Mutation(
        wall_clock_windows, "ledger/state", (by(gates.clock),),
        kept_out="entries are dated by the latest time that the ledger has seen",
    ),
    "noise of the random module": Mutation(
        random_module, "mechanisms/entropy",
        (by(gates.draws), by(gates.lint, text=BAD_IMPORT)),
        kept_out="a linter rule bans `random` and `numpy.random` in the package",
    ),
}  # fmt: skip
