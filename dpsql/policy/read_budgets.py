"""The `budgets` key: who may spend what."""

from __future__ import annotations

from dpsql.core.refresh import REFRESH, Refresh
from dpsql.errors import PolicyError
from dpsql.policy.analysts import canonical_name
from dpsql.policy.fields import Fields, delta, epsilon, items, mapping, text, word
from dpsql.policy.nodes import Node, Where
from dpsql.policy.schema import Budgets, BudgetSpec, Kind, Price, TeamSpec

_KEYS = (
    "per_query",
    "max_per_query",
    "max_per_statement",
    "default",
    "analysts",
    "teams",
    "total",
)
_EXAMPLE = "write budgets: {default: {epsilon: 5.0, delta: 1e-6}}"


def read_budgets(node: Node) -> Budgets:
    """All of `budgets`. Somebody must have one; per_query must not exceed the caps."""
    fields = Fields(node, _KEYS)
    per_query, largest = _price(fields.get("per_query")), _price(fields.get("max_per_query"))
    statement = _price(fields.get("max_per_statement"))
    default, total = fields.get("default"), fields.get("total")
    names = _Names()
    budgets = Budgets(
        per_query=per_query,
        max_per_query=largest,
        max_per_statement=statement,
        default=None if default is None else _budget(default, "default", "default", _WINDOWED),
        analysts=_analysts(fields.get("analysts"), names),
        teams=_teams(fields.get("teams"), names),
        total=None if total is None else _budget(total, "total", "total", _AMOUNT),
    )
    _within(per_query, largest, fields, "max_per_query")
    _within(per_query, statement, fields, "max_per_statement")
    if budgets.default is None and not budgets.analysts and not budgets.teams:
        raise fields.where.error("nobody has a budget", code="missing-key", hint=_EXAMPLE)
    return budgets


_AMOUNT = ("epsilon", "delta")
_WINDOWED = (*_AMOUNT, "refresh")


class _Names:
    """Every name once, over analysts and members of teams, in canonical spelling."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}

    def add(self, name: str, where: Where) -> str:
        try:
            found = canonical_name(name)
        except PolicyError as error:
            raise where.error(error.message, code=error.code) from None
        if found in self.paths:
            raise where.error(
                f"analyst {found!r} already has a budget at {self.paths[found]}",
                code="duplicate-key",
                hint="names are compared without case; an analyst has one budget",
            )
        self.paths[found] = where.path
        return found


def _analysts(node: Node | None, names: _Names) -> dict[str, BudgetSpec]:
    found: dict[str, BudgetSpec] = {}
    for written, inner in (mapping(node).entries if node is not None else {}).items():
        name = names.add(written, inner.where)
        found[name] = _budget(inner, name, "analyst", _WINDOWED)
    return found


def _teams(node: Node | None, names: _Names) -> dict[str, TeamSpec]:
    found: dict[str, TeamSpec] = {}
    teams = _Names()
    for written, inner in (mapping(node).entries if node is not None else {}).items():
        name = teams.add(written, inner.where)
        fields = Fields(inner, ("members", *_WINDOWED))
        members = items(fields.need("members", "write members: [carol, dan]"), empty=True)
        listed = tuple(names.add(text(member), member.where) for member in members)
        found[name] = TeamSpec(listed, _spec(fields, name, "team"))
    return found


def _budget(node: Node, name: str, kind: Kind, known: tuple[str, ...]) -> BudgetSpec:
    return _spec(Fields(node, known), name, kind)


def _spec(fields: Fields, name: str, kind: Kind) -> BudgetSpec:
    window = fields.get("refresh")
    refresh: Refresh = "never"
    if window is not None:
        said = word(window, REFRESH)
        refresh = next(known for known in REFRESH if known == said)
    return BudgetSpec(
        name,
        kind,
        epsilon(fields.need("epsilon", "a budget has epsilon and delta")),
        delta(fields.need("delta", "a budget has epsilon and delta")),
        refresh,
    )


def _price(node: Node | None) -> Price:
    if node is None:
        return Price()
    fields = Fields(node, _AMOUNT)
    given_epsilon, given_delta = fields.get("epsilon"), fields.get("delta")
    return Price(
        None if given_epsilon is None else epsilon(given_epsilon),
        None if given_delta is None else delta(given_delta),
    )


def _within(price: Price, largest: Price, fields: Fields, key: str) -> None:
    pairs = (("epsilon", price.epsilon, largest.epsilon), ("delta", price.delta, largest.delta))
    for name, asked, cap in pairs:
        if asked is not None and cap is not None and asked > cap:
            node = mapping(fields.need("per_query")).entries[name]
            raise node.where.error(
                f"more than {key}.{name}",
                code="bad-range",
                hint="a query that names nothing would be refused; lower this or raise the cap",
            )
