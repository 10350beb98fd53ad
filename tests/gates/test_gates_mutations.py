"""Each gate passes on the engine as it is, and each of the 26 bugs turns its gates red."""

from __future__ import annotations

import e2e_neighbours as neighbours
import gates
import pytest
from mutations import MUTATIONS
from neighbour_shapes import MESSY

from dpsql.certify import certify
from dpsql.errors import InternalError
from dpsql.pipeline.certify import claim

PAIRS = [
    (name, place) for name, mutation in MUTATIONS.items() for place in range(len(mutation.red))
]


def test_there_are_26():
    assert len(MUTATIONS) == 26


def shown(gate, arguments):
    told = (
        value if isinstance(value, str) else type(value).__name__ for value in arguments.values()
    )
    return " ".join((gate.__name__, *told))


HELD = {
    shown(gate, arguments): (gate, arguments)
    for mutation in MUTATIONS.values()
    for gate, arguments in mutation.red
    if gate is not gates.lint
}


def hold(gate, arguments, bench, monkeypatch):
    if gate is gates.order:
        arguments = {**arguments, "patch": monkeypatch}
    gate(bench, **arguments)


@pytest.mark.parametrize("name", HELD)
def test_the_gate_passes(name, bench, monkeypatch):
    gate, arguments = HELD[name]
    if gate is gates.draws:
        monkeypatch.undo()  # the system's own entropy
    hold(gate, arguments, bench, monkeypatch)


def test_the_linter_passes_what_is_no_randomness(bench):
    gates.lint(bench, "import math\n")


@pytest.mark.parametrize(("name", "place"), PAIRS)
def test_the_bug_turns_it_red(name, place, bench, monkeypatch):
    """`certify` is out of the way: it is the gate that has to see the bug."""
    monkeypatch.setattr("dpsql.pipeline.certify.certify", lambda *_, **__: None)
    monkeypatch.setattr("dpsql.certify.rows._total", lambda node, scope: True)
    gate, arguments = MUTATIONS[name].red[place]
    MUTATIONS[name].seed(monkeypatch)
    with pytest.raises(gates.Red):
        hold(gate, arguments, bench, monkeypatch)


@pytest.mark.parametrize("name", [n for n, m in MUTATIONS.items() if m.certified])
def test_certify_refuses_it_first(name, replayed, monkeypatch):
    """Accepted as it is; with the bug the statement never reaches the engine."""
    sql, bounds, (epsilon, delta) = gates.REPLAYED[MUTATIONS[name].certified]
    policy = neighbours.policy(**bounds)
    replayed.load(MESSY)

    def verdicts():
        for one in replayed.state(sql, policy, epsilon=epsilon, delta=delta):
            certify(one.text, claim(one.plan), policy=policy, catalog=replayed.catalog)

    verdicts()
    MUTATIONS[name].seed(monkeypatch)
    with pytest.raises(InternalError) as caught:
        verdicts()
    assert caught.value.code == "certify"
