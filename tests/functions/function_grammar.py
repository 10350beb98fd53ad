"""Random expressions over columns x, k, p, y, u (numbers), t, d (moments), c (text), f (truth)."""

from __future__ import annotations

from hypothesis import strategies as st

NUMBER = st.sampled_from(["x", "k", "p", "y", "u", "3", "-2", "0.5", "1.25", "7e0", "0", "100"])
TRUTH = st.sampled_from(["f", "x > 3", "c = 'a'", "y < u", "TRUE", "p IS NULL"])
TEXT = st.sampled_from(["c", "'q'", "'Zz'"])
MOMENT = st.sampled_from(["t", "d", "DATE '2024-01-01'", "TIMESTAMP '2024-01-15 06:30:00'"])
UNIT = st.sampled_from(["year", "quarter", "month", "week", "day", "hour"])
DIFF_UNIT = st.sampled_from(["year", "quarter", "month", "day", "hour", "minute", "second"])
FORMAT = st.sampled_from(["%Y-%m", "%Y", "%d/%b", "%A %H", "%j", "%M:%S"])
PART = st.sampled_from(["year", "month", "day", "dow", "isodow", "week", "doy", "hour", "isoyear"])


def _form(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda got: template.format(*got))


@st.composite
def numbers(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0:
        return draw(NUMBER)
    inner = numbers(depth - 1)
    return draw(
        st.one_of(
            NUMBER,
            _form("({0} {1} {2})", inner, st.sampled_from(["+", "-", "*"]), inner),
            _form("({0} {1} {2})", inner, st.sampled_from(["/", "//", "%"]), inner),
            _form("(- {0})", inner),
            _form("{0}({1})", st.sampled_from(["abs", "sign", "floor", "ceil", "trunc"]), inner),
            _form("{0}({1})", st.sampled_from(["sqrt", "ln", "exp", "cbrt", "log10"]), inner),
            _form("round({0}, {1})", inner, st.sampled_from(["0", "1", "-1"])),
            _form("pow({0}, {1})", inner, st.sampled_from(["2", "3"])),
            _form("{0}({1}, {2})", st.sampled_from(["least", "greatest"]), inner, inner),
            _form("{0}({1}, {2})", st.sampled_from(["coalesce", "nullif"]), inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
            _form("CASE WHEN {0} THEN {1} END", truths(depth - 1), inner),
            _form(
                "CAST({0} AS {1})",
                inner,
                st.sampled_from(["INTEGER", "TINYINT", "DECIMAL(9,1)", "DOUBLE", "REAL", "BIGINT"]),
            ),
            _form("date_part('{0}', {1})", PART, moments(depth - 1)),
            _form("date_diff('{0}', {1}, {2})", DIFF_UNIT, moments(depth - 1), moments(depth - 1)),
            _form("{0}({1})", st.sampled_from(["length", "strlen"]), texts(depth - 1)),
            _form("{0}({1})", st.sampled_from(["sin", "cos", "atan", "asin", "acos"]), inner),
            _form("{0}({1})", st.sampled_from(["tanh", "degrees", "square", "tan"]), inner),
            _form("width_bucket({0}, -3, 12, 6)", inner),
            _form("floor({0} / 10) * 10", inner),
            _form("({0} // 4 + 1) * 3", inner),
            _form("nvl2({0}, {1}, 5)", inner, inner),
            _form("{0}({1})", st.sampled_from(["yearweek", "decade", "epoch"]), moments(depth - 1)),
            _form("strpos({0}, 'b')", texts(depth - 1)),
            _form("ascii({0})", texts(depth - 1)),
        )
    )


@st.composite
def truths(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(TRUTH)
    inner = truths(depth - 1)
    sign = st.sampled_from(["=", "<>", "<", ">=", "IS DISTINCT FROM"])
    return draw(
        st.one_of(
            TRUTH,
            _form("({0} {1} {2})", inner, st.sampled_from(["AND", "OR"]), inner),
            _form("(NOT {0})", inner),
            _form("({0} {1} {2})", numbers(depth - 1), sign, numbers(depth - 1)),
            _form("({0} {1} {2})", moments(depth - 1), sign, moments(depth - 1)),
            _form("({0} BETWEEN 0 AND {1})", numbers(depth - 1), numbers(depth - 1)),
            _form("({0} IN (1, 2.5, 7))", numbers(depth - 1)),
            _form("({0} LIKE '%a')", texts(depth - 1)),
            _form("({0} IS NULL)", numbers(depth - 1)),
        )
    )


@st.composite
def texts(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(TEXT)
    inner = texts(depth - 1)
    return draw(
        st.one_of(
            TEXT,
            _form("{0}({1})", st.sampled_from(["lower", "upper", "trim", "rtrim"]), inner),
            _form("{0}({1}, 1)", st.sampled_from(["left", "right", "substring"]), inner),
            _form("substring({0}, 2, 1)", inner),
            _form("replace({0}, 'b', '')", inner),
            _form("({0} || '-' || {1})", inner, inner),
            _form("concat({0}, {1})", inner, inner),
            _form("coalesce({0}, {1})", inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
            _form("CAST({0} AS VARCHAR)", st.sampled_from(["x", "f", "d", "k + 1"])),
            _form("dayname({0})", moments(depth - 1)),
            _form("strftime({0}, '{1}')", moments(depth - 1), FORMAT),
            _form("reverse({0})", inner),
            _form("split_part({0}, 'b', 1)", inner),
            _form("lpad({0}, 4, '*')", inner),
            _form("concat_ws('/', {0}, {1})", inner, inner),
        )
    )


@st.composite
def moments(draw: st.DrawFn, depth: int = 2) -> str:
    if depth <= 0:
        return draw(MOMENT)
    inner = moments(depth - 1)
    return draw(
        st.one_of(
            MOMENT,
            _form("date_trunc('{0}', {1})", UNIT, inner),
            _form("CAST({0} AS {1})", inner, st.sampled_from(["DATE", "TIMESTAMP"])),
            _form("({0} + INTERVAL 3 {1})", inner, UNIT),
            _form("last_day({0})", inner),
            _form("time_bucket(INTERVAL 1 {1}, {0})", inner, UNIT),
            _form("(CAST({0} AS DATE) + 5)", inner),
            _form("({0} - INTERVAL 40 {1})", inner, UNIT),
            _form("least({0}, {1})", inner, inner),
            _form("coalesce({0}, {1})", inner, inner),
            _form("CASE WHEN {0} THEN {1} ELSE {2} END", truths(depth - 1), inner, inner),
        )
    )
