"""Bugs as functions of pytest's monkeypatch on the real code; mutations.py says what sees them."""

from __future__ import annotations

import importlib
import random
import time
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from dpsql.accountant.charge import Charge
from dpsql.core.domain import Interval
from dpsql.core.ir import columns
from dpsql.ledger import Ledger, store
from dpsql.ledger.entries import Charged, Request
from dpsql.ledger.state import State
from dpsql.mechanisms import entropy
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.threshold import Cut


def module(name: str) -> Any:
    return importlib.import_module(name)


# ---- bounding ----------------------------------------------------------------------------------


def columns_clamped_not_arguments(patch: Any) -> None:
    """SUM(age * 2) by the range of age: the column is clamped to it, the product is not."""
    values, plan = module("dpsql.rules.values"), module("dpsql.planning.plan")
    within, make, choose = values._within, plan.make_grid, plan._grid
    spans: list[Interval] = []

    def clamped(node: exp.Expr, lo: exp.Expr, hi: exp.Expr, bare: bool) -> exp.Expr:
        return node.transform(
            lambda part: within(part, lo, hi, True) if isinstance(part, exp.Column) else part
        )

    def grid(value: Any, *rest: Any) -> Any:
        spans.append(next(columns(value)).domain.bounds)
        return choose(value, *rest)

    patch.setattr(values, "_within", clamped)
    patch.setattr(plan, "_grid", grid)
    patch.setattr(plan, "make_grid", lambda kind, _, **how: make(kind, spans[-1], **how))


def squares_bounded_as_values(patch: Any) -> None:
    """M where a square needs M²."""
    basis = module("dpsql.aggregates.basis")
    patch.setattr(basis.MomentsBlock, "row_total", property(lambda self: self.grid.span))


def groups_by_arrival(patch: Any) -> None:
    """The k groups of a unit whose first rows lie first in the table, not by a salted hash."""
    rules, groups = module("dpsql.rules"), module("dpsql.rules.groups")
    rows, cells, bound = rules.rows, rules.cells, rules.bound
    place = exp.column("place")

    def with_rowid(plan: Any, sources: Any) -> exp.Select:
        statement = rows(plan, sources)
        source = statement.args["from_"].this.alias_or_name
        return statement.select(exp.column("rowid", table=source).as_("place"))

    patch.setattr(rules, "rows", with_rowid)
    patch.setattr(
        rules, "cells", lambda plan, s: cells(plan, s).select(exp.Min(this=place).as_("place"))
    )
    patch.setattr(rules, "bound", lambda plan, s: bound(plan, s).select(place))
    patch.setattr(
        groups, "ranking", lambda keys, salt: exp.Order(expressions=[exp.Ordered(this=place)])
    )


def numbers_not_checked(patch: Any) -> None:
    """isfinite left out: NaN lies above every number, and so at the upper bound."""
    values, real = module("dpsql.rules.values"), module("dpsql.rules.values")._read
    patch.setattr(values, "_stepwise", lambda block: False)

    def read(part: Any, sources: Any) -> list[exp.Expr]:
        return [
            test
            if not isinstance(test, (exp.Anonymous, exp.Func))
            or "isfinite" not in test.sql().lower()
            else values.is_not_null(sources.expr(part.present))
            for test in real(part, sources)
        ]

    patch.setattr(values, "_read", read)


def alias_resolves_the_unit(patch: Any) -> None:
    """A subquery's column that is called as the unit is taken for it."""
    binder = module("dpsql.binding.query").QueryBinder
    real = binder._subquery

    def subquery(self: Any, node: Any, env: Any) -> Any:
        bound = real(self, node, env)
        named = getattr(bound, "outputs", {}).get(self.context.policy.unit)
        return bound if named is None else replace(bound, block=replace(bound.block, unit=named))

    patch.setattr(binder, "_subquery", subquery)


def ctes_are_public(patch: Any) -> None:
    """A CTE's name stands for a table that is nobody's."""
    binder = module("dpsql.binding.query").QueryBinder
    real = binder._with

    def with_(self: Any, node: Any, env: Any) -> Any:
        env, clause = real(self, node, env)
        every = {name: replace(cte, private=False) for name, cte in env.ctes.items()}
        return replace(env, ctes=every), clause

    patch.setattr(binder, "_with", with_)


# ---- noise and prices --------------------------------------------------------------------------


def epsilon_used_twice(patch: Any) -> None:
    """Each block of several gets the whole ε."""
    division = module("dpsql.planning.division").Division
    patch.setattr(division, "shares", lambda self, reaches, law: [Fraction(1) for _ in reaches])


def gaussian_by_l1(patch: Any) -> None:
    noise = module("dpsql.planning.noise")

    def gaussian(block: Any, s: Any, multiplier: Fraction, share: Fraction) -> Any:
        sigma = noise.root_up(multiplier**2 * s.l1**2 / share)
        return noise.BlockPlan(block, s, GaussianMechanism(sigma, s.l2_squared))

    patch.setattr(noise, "_gaussian", gaussian)


def threshold_without_delta(patch: Any) -> None:
    """A noisy count above 0 is enough, whatever δ is."""

    def release(self: Cut, exact: Any) -> Any:
        counts = exact.open_for_noise()
        noise = module("dpsql.mechanisms.threshold").truncated_geometric(
            self.epsilon_per_key, self.bound, counts.size
        )
        noisy = counts + noise.astype(np.int64)
        return noisy > 0, noisy

    patch.setattr(Cut, "release", release)


def random_module(patch: Any) -> None:
    """Python's own generator in the place of the system's, its seed inherited by a fork."""
    generator = random.Random(7)
    patch.setattr(
        entropy,
        "words",
        lambda n: np.array([generator.getrandbits(64) for _ in range(n)], dtype=np.uint64),
    )


# ---- budgets -----------------------------------------------------------------------------------


def refund_on_error(patch: Any) -> None:
    """A charge counts when its answer is released, and not before."""
    charge, settle = State._charge, State._settle
    waiting: dict[int, tuple[Any, Any]] = {}

    def later(self: State, entry: Any, record: Any) -> None:
        books = [self.books[name] for name in record.request.budgets]
        before = [(book._spent, dict(book.days)) for book in books]
        charge(self, entry, record)
        waiting[entry.seq] = books, before

    def settled(self: State, seq: int, record: Any) -> None:
        settle(self, seq, record)
        if record.outcome != "released":
            for book, (spent, days) in zip(*waiting[record.charge], strict=True):
                book._spent, book.days = spent, days

    patch.setattr(State, "_charge", later)
    patch.setattr(State, "_settle", settled)


def charge_after_execute(patch: Any) -> None:
    """The ledger hears of a query once it is answered."""
    stage, settle = module("dpsql.pipeline.charge"), Ledger.settle
    real, late = stage.run, []

    def run(planned: Any, certified: Any, orders: Any, **how: Any) -> Any:
        late.append(lambda: real(planned, certified, orders, **how).reservation)
        held = SimpleNamespace(seq=0)
        return SimpleNamespace(
            reservation=held, statements=[(order, certified[order.index]) for order in orders]
        )

    patch.setattr(stage, "run", run)
    patch.setattr(
        Ledger, "settle", lambda self, _, *rest, **how: settle(self, late.pop()(), *rest, **how)
    )


def check_then_write(patch: Any) -> None:
    """Admission in one transaction, the charge in the next."""

    def reserve(self: Ledger, **asked: Any) -> Any:
        asked.pop("attempt", None)
        request = Request(*(asked[name] for name in ("analyst", "budget", "total")),
            tuple(asked["aggregates"]), asked["sql"], asked["data_version"], None)  # fmt: skip
        with self._journal.reading() as (_, state):
            charges = {name: store.admitted(state, name, request) for name in request.budgets}
        time.sleep(0.2)
        with self._journal.writing() as draft:
            books = [draft.state.books[name] for name in request.budgets]
            windows = store.windows_of(books, draft.state.moment)
            draft.append(Charged(request, charges, store.process.mine(), windows))

    patch.setattr(Ledger, "reserve", reserve)


def float_budgets(patch: Any) -> None:
    """Pure prices as floats: ten times 0.1 is not 1, and 1 + 10^-17 is."""
    real, unit = Charge.__add__, module("dpsql.accountant.charge").PURE_UNIT

    def add(self: Charge, other: Charge) -> Charge:
        exact = real(self, other)
        if self.pure is None or other.pure is None:
            return exact
        return replace(exact, pure=round(Fraction(self.pure / unit + other.pure / unit) * unit))

    patch.setattr(Charge, "__add__", add)


def wall_clock_windows(patch: Any) -> None:
    """A window is that of the machine's clock, and holds its own days' charges alone."""
    account = module("dpsql.ledger.account")

    def turn(self: Any, time: int) -> None:
        now = account.window(self.refresh, time)
        days = [
            spent
            for day, spent in self.days.items()
            if now.start <= day * account.DAY and (now.end is None or day * account.DAY < now.end)
        ]
        self._window, self._spent = now, sum(days, Charge.zero(self.policy.orders))

    patch.setattr(State, "account", lambda self, name: self.books[name].account(self.now))
    patch.setattr(account.Book, "_turn", turn)


def key_without_parameters(patch: Any) -> None:
    """Stored releases are found by the shape of the question alone."""
    for place in ("expressions", "plans", "relations"):
        for name in {"value_text", "number_text"} & vars(module(f"dpsql.canonical.{place}")).keys():
            patch.setattr(module(f"dpsql.canonical.{place}"), name, lambda value: "?")


def fresh_noise_on_a_hit(patch: Any) -> None:
    """A stored answer is noised again, for nothing."""
    answering = module("dpsql.answering")
    real, draw = answering.stored_answer, module("dpsql.mechanisms.samplers").rounded_laplace

    def again(kept: Any, plan: Any) -> Any:
        answered = real(kept, plan)
        table = answered.release.table
        at = table.column_names.index("a0")
        noisy = np.array(table.column(at).to_pylist()) + draw(Fraction(9), table.num_rows)
        column = pa.array(noisy.tolist(), type=table.schema.field(at).type)
        release = replace(
            answered.release, table=table.set_column(at, table.schema.field(at), column)
        )
        return replace(answered, release=release)

    patch.setattr(answering, "stored_answer", again)
