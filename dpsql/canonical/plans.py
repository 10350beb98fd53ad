"""A plan as canonical text, in two parts: what is asked, and with what noise it is answered.

`question` names everything but the noise: relation, keys with their public values, contribution
bounds, strategy, blocks with grids and sensitivities, columns. `fingerprint` adds the noise and the
price. Two plans of one question differ in the scale of their noise alone, and their releases can
stand for each other as `pipeline/repeats.py` says.

A release is laid out in an order of its own, since GROUP BY b, a and GROUP BY a, b are one release:
`keys`, `columns`, `blocks` and `values` say where each part of the plan stands in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never

from dpsql.aggregates.basis import (
    Block,
    CountBlock,
    MomentsBlock,
    PairBlock,
    Rows,
    SumBlock,
    TallyBlock,
    UnitsBlock,
)
from dpsql.aggregates.conditions import tested
from dpsql.canonical.constants import type_text, value_text
from dpsql.canonical.expressions import Writer
from dpsql.canonical.labels import digest
from dpsql.canonical.relations import BlockForm
from dpsql.core.ir import Expr
from dpsql.planning.answer_types import turned_by
from dpsql.planning.types import (
    BlockPlan,
    ChoicePlan,
    ColumnPlan,
    DistinctPlan,
    HistogramPlan,
    KeyPlan,
    Plan,
)

VERSION = 2
_COUNTS = ("count_star", "count", "count_units")

Places = tuple[int, ...]
"""Places in the plan, in the release's order."""


@dataclass(frozen=True)
class Form:
    """A plan's question and noise in canonical text, and its parts in the release's order."""

    asked: str
    noise: str
    keys: Places
    columns: Places
    blocks: Places
    values: tuple[Places, ...]
    """For each key of the plan, the places of its public values in the release's order."""

    @cached_property
    def question(self) -> str:
        """SHA-256, hexadecimal, of what is asked."""
        return digest(self.asked)

    @cached_property
    def fingerprint(self) -> str:
        """The question, and after a dash a name for the noise and the price."""
        return f"{self.question}-{digest(self.noise)[:32]}"


def canonical(plan: Plan) -> Form:
    """The canonical form of a plan."""
    form = BlockForm(plan.aggregate.block, list(_uses(plan)))
    values = [[*map(value_text, key.values or ())] for key in plan.keys]
    orders = tuple(map(_sorted, values))
    keys = [
        _key(key, [texts[place] for place in order], form.writer)
        for key, texts, order in zip(plan.keys, values, orders, strict=True)
    ]
    shapes = [_shape(part, form.writer) for part in plan.blocks]
    if len(set(shapes)) < len(shapes):  # told apart by their order alone
        shapes = [f"{place} {shape}" for place, shape in enumerate(shapes)]
    drawn = [_drawn(part, form.writer) for part in plan.histograms]
    counted = [_counted(part, form.writer) for part in plan.distincts]
    columns = [
        _column(
            column,
            shapes,
            drawn,
            counted,
            column.block is not None and isinstance(plan.blocks[column.block].block, TallyBlock),
            plan.units_column == place,
            form.writer,
        )
        for place, column in enumerate(plan.columns)
    ]
    asked = [
        str(VERSION),
        form.text,
        *("keys", *sorted(keys)),
        *("bounds", _fields(plan.bounds), plan.strategy, str(plan.weight), str(plan.min_units)),
        *("blocks", *sorted(shapes)),
        *(("histograms", *sorted(drawn)) if drawn else ()),
        *(("distinct", *sorted(counted)) if counted else ()),
        *("columns", *sorted(columns)),
        *_bounds_found(plan),
    ]
    blocks = _sorted(shapes)
    noise = [plan.law, str(plan.epsilon), str(plan.delta)]
    noise += [_fields(plan.blocks[place].mechanism) for place in blocks]
    noise += sorted(_prices(part, form.writer) for part in plan.histograms)
    noise += sorted(
        f"{text} {_mechanism(part)}" for text, part in zip(counted, plan.distincts, strict=True)
    )
    noise += [] if plan.threshold is None else [_fields(plan.threshold)]
    return Form(
        "\n".join(asked),
        "\n".join(noise),
        _sorted(keys),
        _sorted(columns),
        blocks,
        orders,
    )


def _bounds_found(plan: Plan) -> list[str]:
    """What a choice chooses from; which bounds a plan awaits. Its own are the widest of them.

    Values are told by the relation of the choice, and by the blocks: here it is their order.
    """
    found = [] if plan.choice is None else [_choice(plan.choice)]
    return [*found, *(f"awaits {_choice(awaited.choice)}" for awaited in plan.awaited)]


def _choice(choice: ChoicePlan) -> str:
    return f"choice {choice.kind} {choice.unit} {digest(str(choice.candidates))[:16]}"


def _sorted(texts: Sequence[str]) -> Places:
    return tuple(sorted(range(len(texts)), key=lambda place: texts[place]))


def _uses(plan: Plan) -> list[Expr]:
    uses = [key.expr for key in plan.keys]
    for part in plan.blocks:
        block = part.block
        rows = block.rows
        uses += [expr for expr in (rows.where, rows.present, rows.also) if expr is not None]
        uses += _values(block)
    apart = [(part.block.rows, part.block.value) for part in plan.histograms]
    apart += [(part.block.rows, part.block.value) for part in plan.distincts]
    for rows, value in apart:
        uses += [expr for expr in (rows.where, rows.present, rows.also) if expr is not None]
        uses.append(value)
    return uses


def _values(block: Block) -> list[Expr]:
    """What the block sums; every kind of block must say."""
    match block:
        case CountBlock() | UnitsBlock():
            return []
        case SumBlock(value=value) | MomentsBlock(value=value):
            return [value]
        case PairBlock(values=values):
            return list(values)
        case TallyBlock(tests=tests):
            return list(tests)
        case _:
            assert_never(block)


def _key(key: KeyPlan, values: Sequence[str], writer: Writer) -> str:
    listed = "private" if key.values is None else f"public {values}"
    return f"{key.coding} {writer.text(key.expr)} {listed}"


def _shape(part: BlockPlan, writer: Writer) -> str:
    """A block without its noise."""
    turned = turned_by(part.mechanism)  # what is stored of it is turned, too
    return block_text(part.block, writer, _fields(part.sensitivity), turned)


def block_text(
    block: Block, writer: Writer, sensitivity: str = "", turned: tuple[int, int] | None = None
) -> str:
    """What a block sums and of which rows; without `sensitivity` whatever one unit may move."""
    texts = [type(block).__name__, _rows(block.rows, writer), sensitivity]
    if turned is not None:
        texts.append(f"turned {turned}")
    if isinstance(block, TallyBlock):
        texts += [str(block.steps), *(str(writer.formula(test)) for test in block.tests)]
    else:
        texts += map(writer.text, _values(block))
    match block:
        case CountBlock() | UnitsBlock() | TallyBlock():
            pass
        case SumBlock(grid=grid):
            texts.append(_fields(grid))
        case MomentsBlock(grid=grid, degree=degree):
            texts += [_fields(grid), str(degree)]
        case PairBlock(grids=grids, degrees=degrees):
            texts += [*map(_fields, grids), *map(str, degrees)]
        case _:
            assert_never(block)
    return " ".join(texts)


def _drawn(part: HistogramPlan, writer: Writer) -> str:
    """A histogram and its quantiles without their prices."""
    block = part.block
    texts = ["HistogramBlock", _rows(block.rows, writer), writer.text(block.value)]
    texts += [_fields(block.grid), str(block.step), part.strategy, str(part.weight)]
    texts += [_fields(part.bounds), *map(str, part.quantiles)]
    return " ".join(texts)


def _prices(part: HistogramPlan, writer: Writer) -> str:
    return " ".join([_drawn(part, writer), *map(_fields, part.laws)])


def _counted(part: DistinctPlan, writer: Writer) -> str:
    """Distinct values without their price."""
    block = part.block
    kind = type_text(block.value.domain.type)
    texts = ["DistinctBlock", _rows(block.rows, writer), writer.text(block.value), kind]
    return " ".join([*texts, _fields(part.bounds), str(part.mechanism.caps)])


def _mechanism(part: DistinctPlan) -> str:
    choice = part.mechanism.choice
    return f"{_fields(part.mechanism.noise)} {'' if choice is None else _fields(choice)}"


def _rows(rows: Rows, writer: Writer) -> str:
    where = "" if rows.where is None else str(writer.formula(rows.where))
    present = "" if rows.present is None else writer.text(rows.present)
    also = "" if rows.also is None else writer.text(rows.also)
    return f"(where {where} present {present} also {also})"


def _column(
    column: ColumnPlan,
    shapes: Sequence[str],
    drawn: Sequence[str],
    counted: Sequence[str],
    tallied: bool,
    hidden: bool,
    writer: Writer,
) -> str:
    """What is computed of what, and from which block; the filter is the block's.

    A block of two values serves aggregates of either, and it matters which is which: AVG(x) is not
    AVG(y), nor REGR_SLOPE(y, x) REGR_SLOPE(x, y).
    """
    call = column.aggregate
    fn = "count" if call.fn in _COUNTS else call.fn
    arg, test = "", tested(call) if tallied else None
    if test is not None:  # of the block's classes
        arg = str(writer.formula(test))
    elif call.arg is not None and fn != "count":
        arg = f"{writer.text(call.arg)} {type_text(call.arg.domain.type)}"
    if call.other is not None:
        arg += f" and {writer.text(call.other)}"
    if call.quantile is not None:
        arg += f" {call.quantile} {call.moment}"
    block = "threshold" if column.block is None else shapes[column.block]
    if column.point is not None:
        block = drawn[column.point[0]]
    if column.distinct is not None:
        block = counted[column.distinct]
    result = f"{column.result.text} {type_text(column.result.type)}"
    return f"{fn} {arg} {result} {'hidden' if hidden else ''} of {block}"


def _fields(item: Any) -> str:
    """A record of numbers, by name."""
    fields = ((field.name, getattr(item, field.name)) for field in dataclasses.fields(item))
    return f"({type(item).__name__} {' '.join(f'{name}={value}' for name, value in fields)})"
