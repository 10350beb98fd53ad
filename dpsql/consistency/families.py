"""Which releases of a statement are margins of one table: read off their plans alone.

Two releases are of one *family* if their exact bounded answers add up: what a row counts for is the
same in both (docs/proofs/consistency.md, 1). They read one relation; no group of a unit is cut off;
and the bound of a cell does not depend on which keys it is grouped by, because

* the database enforces one row per unit (`row`), or
* both group by the same keys but for functions of the unit, so that each cell of a unit in the one
  is a cell in the other (`cap`), or
* rows are weighed by how many the unit has in all, and by nothing else (`weights`).

All groups are shown, and every row is in one of them: proved (`complete`) or, where the analyst
asks for it, by the owner's list. Keys that are not public never take part: of a total only some of
its groups are released, the rest is an unknown of its own, and says nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from dpsql.aggregates.basis import SumBlock
from dpsql.canonical.constants import value_text
from dpsql.canonical.expressions import Writer
from dpsql.canonical.plans import block_text
from dpsql.canonical.relations import BlockForm
from dpsql.consistency.complete import complete
from dpsql.consistency.lattice import Axes
from dpsql.core.ir import columns
from dpsql.errors import InvalidQuery
from dpsql.pipeline.stages import Planned
from dpsql.planning.answer_types import turned_by
from dpsql.planning.types import KeyPlan, Plan
from dpsql.policy.schema import Policy
from dpsql.wording import spelled

Mode = Literal["none", "auto", "additive", "consistent"]
MODES: tuple[Mode, ...] = ("none", "auto", "additive", "consistent")
"""none: as drawn. auto: grouping sets of one SELECT, where it is proved. additive: all margins of
the statement, the policy's lists taken at their word. consistent: so, and counts of at least 0."""

MAX_CELLS = 200_000
"""Cells of the table over all keys of a family, at most."""


@dataclass(frozen=True)
class Node:
    """A release in a family: the plans that show it, and its keys as axes of the family.

    `order`: the place in `axes` of each key of the first plan. `blocks`: its blocks by their text.
    """

    plans: tuple[int, ...]
    axes: Axes
    order: tuple[int, ...]
    blocks: Mapping[str, int]


@dataclass(frozen=True)
class Family:
    """`sizes` of all axes. `resting`: keys whose list of values is taken at its word."""

    sizes: tuple[int, ...]
    nodes: tuple[Node, ...]
    nonnegative: bool
    resting: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """A release that is shown as drawn, and why."""

    plan: int
    why: str


def mode_of(plan: Plan, usual: Mode) -> Mode:
    """What the SELECT asks for, else what the session does."""
    asked = plan.aggregate.options.post_process
    return usual if asked is None else read_mode(asked)


def read_mode(word: object) -> Mode:
    """InvalidQuery `bad-option` for what is none of `MODES`."""
    for mode in MODES:
        if word == mode:
            return mode
    raise InvalidQuery(
        "post_process has a value that cannot be used",
        code="bad-option",
        hint=" or ".join(MODES),
    )


def families(
    planned: Planned, policy: Policy, usual: Mode
) -> tuple[tuple[Family, ...], tuple[Left, ...]]:
    """The families of a statement; of those left out that stand beside others, the reasons."""
    found: list[Family] = []
    left: list[Left] = []
    for mode, group in _candidates(planned, usual):
        fit: dict[str, list[int]] = {}
        for index in group:
            plan = planned.plans[index]
            if (why := _unfit(plan)) is not None:
                left.append(Left(index, why))
            elif mode == "auto" and (doubtful := _doubtful(planned, index, policy)):
                left.append(Left(index, _not_proved(doubtful)))
            else:
                fit.setdefault(_bounding(planned, index), []).append(index)
        for members in fit.values():
            made = _family(planned, members, mode, policy)
            if isinstance(made, str):
                left += [Left(index, made) for index in members]
            elif len(made.nodes) > 1 or mode == "consistent":
                found.append(made)
            elif len(group) > 1:
                left += [Left(index, _ALONE) for index in members]
    return tuple(found), tuple(left)


# ---- which may belong together -----------------------------------------------------------------


def _candidates(planned: Planned, usual: Mode) -> Iterable[tuple[Mode, list[int]]]:
    """Releases that read one relation: of one SELECT or, where asked, of the statement."""
    selects: dict[tuple[Mode, int], list[int]] = {}
    for index, plan in enumerate(planned.plans):
        mode = mode_of(plan, usual)
        if mode != "none" and plan.items and plan.choice is None:
            select = id(planned.bound.sites[index].select) if mode == "auto" else 0
            selects.setdefault((mode, select), []).append(index)
    for (mode, _), together in selects.items():
        if len(together) == 1 and mode != "consistent":
            continue
        groups: dict[str, list[int]] = {}
        for index in together:
            relation = BlockForm(planned.plans[index].aggregate.block, []).text
            groups.setdefault(relation, []).append(index)
        for group in groups.values():
            if len(group) > 1 or mode == "consistent":
                yield mode, group


_PRIVATE = (
    "its groups are selected privately: those left out are unknown, so that a total only bounds the"
    " groups that are shown"
)
_CAPPED = "a unit's groups beyond max_groups are left out, others in each set: totals count more"
_SMALL = "groups of few units are left out by min_privacy_units_per_group"
_ALONE = (
    "the rows that count for a unit are bounded group by group: the bounded groups need not add up"
    " to the bounded total"
)
_LARGE = f"the table over all its keys has more than {MAX_CELLS:,} cells"


def _unfit(plan: Plan) -> str | None:
    """Why a release is no margin of any table."""
    if plan.threshold is not None or not plan.public_keys:
        return _PRIVATE
    if plan.units_column is not None:
        return _SMALL
    if plan.bounds.max_groups is not None:
        return _CAPPED
    if plan.awaited:
        return "bounds that are found privately differ from one release to the other"
    if not plan.blocks:
        return "quantiles do not add up"
    if any(not key.values for key in plan.keys):
        return "a key has no values"
    return None


def _doubtful(planned: Planned, index: int, policy: Policy) -> list[str]:
    """Keys whose public values may not be all that there are."""
    plan, site = planned.plans[index], planned.bound.sites[index]
    return [
        spelled(site.columns, key.name, key.expr)
        for key in plan.keys
        if not complete(key, plan.aggregate.block, policy, planned.bound.catalog)
    ]


def _not_proved(keys: Sequence[str]) -> str:
    return (
        f"nothing enforces that the public values of {', '.join(keys)} are all there are, and"
        " totals count rows of others; OPTIONS(post_process = additive) takes the list at its word"
    )


def _bounding(planned: Planned, index: int) -> str:
    """Equal for releases in which each row counts for the same."""
    plan = planned.plans[index]
    bounds, block = plan.bounds, plan.aggregate.block
    if plan.strategy == "row":
        return "row"
    writer = BlockForm(block, []).writer
    varying = sorted(
        _key_text(key, writer)
        for key in plan.keys
        if not all(column.source in block.constant for column in columns(key.expr))
    )
    if plan.strategy == "weights" and _by_unit_alone(plan):
        return f"weights {bounds.max_rows_per_unit}"
    return f"{plan.strategy} {bounds.max_rows_per_group} {bounds.max_rows_per_unit} {varying}"


def _by_unit_alone(plan: Plan) -> bool:
    """No row's weight depends on its cell: ⌊W·m/n⌋ never binds, and sums are of one sign."""
    cap = plan.bounds.max_rows_per_unit
    if cap is None or plan.bounds.max_rows_per_group < cap:
        return False
    sums = [part.block.grid for part in plan.blocks if isinstance(part.block, SumBlock)]
    return all(grid.lo >= 0 or grid.hi <= 0 for grid in sums)


# ---- a family's table -------------------------------------------------------------------------


def _key_text(key: KeyPlan, writer: Writer) -> str:
    return f"{writer.text(key.expr)} {[*map(value_text, key.values or ())]}"


def _family(planned: Planned, members: Sequence[int], mode: Mode, policy: Policy) -> Family | str:
    """The members as margins of one table, or why they are none."""
    axes: dict[str, int] = {}
    sizes: list[int] = []
    nodes: dict[str, Node] = {}
    resting: dict[str, None] = {}
    for index in members:
        plan, name = planned.plans[index], planned.fingerprints[index]
        writer = BlockForm(plan.aggregate.block, []).writer
        places = []
        for key in plan.keys:
            text = _key_text(key, writer)
            if text not in axes:
                axes[text] = len(sizes)
                sizes.append(len(key.values or ()))
            places.append(axes[text])
        if len(set(places)) < len(places):
            return "a key stands twice"
        if name in nodes:  # one release, shown twice
            first = nodes[name]
            nodes[name] = Node((*first.plans, index), first.axes, first.order, first.blocks)
        else:
            texts = [
                block_text(part.block, writer, turned=turned_by(part.mechanism))
                for part in plan.blocks
            ]
            own = tuple(sorted(places))
            blocks = {text: place for place, text in enumerate(texts)}
            nodes[name] = Node((index,), own, tuple(own.index(p) for p in places), blocks)
        if mode != "auto":
            resting |= dict.fromkeys(_doubtful(planned, index, policy))
    if prod(sizes) > MAX_CELLS:
        return _LARGE
    questions = {planned.forms[node.plans[0]].question for node in nodes.values()}
    if len(questions) < len(nodes):  # a tighter release may average a looser one: not independent
        return "the same totals are asked at several prices"
    return Family(tuple(sizes), tuple(nodes.values()), mode == "consistent", tuple(resting))
