"""A share over time, drawn in characters."""

from __future__ import annotations

import pytest

from dpsql.render.terminal import Style
from dpsql.render.text import columns_of
from dpsql.render.timeline import HEIGHT, MOST, draw_shares

ENDS = ("2026-11-01", "2026-11-22")


def drawn(points, **style):
    return list(draw_shares(points, ENDS, Style(**style)))


def test_steps_as_they_are():
    points = [(0, 0.0), (50, 0.5), (100, 1.0)]
    lines = drawn(points, width=29)
    assert lines == [
        " 100 % │                   █",
        "       │                   █",
        "  50 % │         ███████████",
        "       │         ███████████",
        "   0 % └────────────────────",
        "                  2026-11-22",
    ]


def test_the_scale_fits_what_there_is():
    assert drawn([(0, 0.0), (9, 0.07)])[0].startswith("  10 %")
    assert drawn([(0, 0.0), (9, 0.3)])[0].startswith("  50 %")
    assert drawn([(0, 0.0), (9, 0.9)])[0].startswith(" 100 %")


def test_what_is_spent_shows_however_little():
    bottom = drawn([(0, 0.0), (50, 1e-6), (100, 1e-6)])[HEIGHT - 1]
    assert "▄" in bottom


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_never_wider_than_the_terminal(width):
    lines = drawn([(0, 0.1), (5, 0.2), (9, 0.9)], width=width)
    assert lines
    assert max(map(columns_of, lines)) <= min(width, MOST + 9)


def test_without_room_or_time_nothing_is_drawn():
    assert drawn([(0, 0.1), (5, 0.2)], width=12) == []
    assert drawn([(0, 0.1)]) == []
    assert drawn([(7, 0.1), (7, 0.2)]) == []


def test_plain_ascii_and_colour():
    plain = "\n".join(drawn([(0, 0.0), (4, 0.3), (9, 0.55)], unicode=False))
    assert plain.isascii()
    assert "#" in plain
    painted = "\n".join(drawn([(0, 0.0), (9, 0.55)], colour=True))
    assert "\x1b[36m" in painted
    assert "\x1b" not in "\n".join(drawn([(0, 0.0), (9, 0.55)]))
