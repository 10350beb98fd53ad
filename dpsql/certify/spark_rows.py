"""Spark's expressions over one row as the normal form has them; default deny.

What is read one to one raises over no value. Where Spark's form gives NULL and the normal form a
value (an overflow, a quotient over 0), the normal form stands for both: a bound of a value holds of
NULL.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.foreign_constants import count_of, is_text
from dpsql.certify.foreign_rows import ForeignRows, Sources
from dpsql.certify.foreign_shapes import Read, bare, only
from dpsql.certify.spark_casts import cast, given, rounded, to_places
from dpsql.certify.spark_kinds import Kinds, together
from dpsql.certify.spark_moments import difference, moved, stamp
from dpsql.certify.spark_text import match, word_of
from dpsql.certify.spark_words import AGGREGATES, CALLS
from dpsql.core.domain import Kind

_D = exp.DType
_LOGIC = (exp.And, exp.Or)
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ)


class Rows(ForeignRows):
    def __init__(self, tables: Sources, outer: Read) -> None:
        super().__init__(tables, outer)
        self.kinds = Kinds()

    def read(self, node: exp.Expr) -> exp.Expr:
        node = bare(node)
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        own = _OWN.get(type(node))
        if own is None:
            refuse("a construct is not on the list")
        return own(self, node)

    # ---- leaves --------------------------------------------------------------------------

    def _leaf(self, node: exp.Expr) -> exp.Expr | None:
        """A column under the conversion that its type asks for, and under no other."""
        if type(node) not in (exp.Cast, exp.Trim):
            return None
        for stored, shape in _CONVERSIONS.items():
            found = match(shape, node)
            column = None if found is None else self._base(found["_c"])
            if found is not None and column is not None and column.stored == stored:
                return self._named(found["_c"])
        return None

    def literal(self, node: exp.Expr) -> exp.Expr:
        if node.is_string:
            return exp.Literal.string(str(node.this))
        text = str(node.this)
        plain = text.replace(".", "", 1)
        require(plain.isascii() and plain.isdigit() and len(plain) <= 38, "numbers are plain")
        return exp.Literal.number(text)

    # ---- conditions ----------------------------------------------------------------------

    def _logic(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expression")
        right = node.args["expression"]
        for side in (node.this, right):
            truth = self.kinds.of(side) in (Kind.BOOLEAN, Kind.NULL)
            require(truth, "a condition is true or false")
        return type(node)(this=self._put(node.this), expression=self._put(right))

    def _compared(self, node: exp.Expr) -> exp.Expr:
        right = node.args["expression"]
        finite = match("abs(_x) < CAST('Infinity' AS DOUBLE)", node)
        if finite is not None:
            require(self.kinds.of(finite["_x"]) is Kind.FLOAT, "only a float may be no number")
            return exp.Anonymous(this="ISFINITE", expressions=[self._outer(finite["_x"])])
        only(node, "this", "expression")
        self.kinds.meet(node.this, right)
        return type(node)(this=self._put(node.this), expression=self._put(right))

    def _is(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expression")  # sqlglot's IS NOT is a flag beside
        right = node.args["expression"]
        require(isinstance(right, (exp.Null, exp.Boolean)), "IS takes NULL, TRUE or FALSE")
        return exp.Is(this=self._put(node.this), expression=right.copy())

    def _not(self, node: exp.Expr) -> exp.Expr:
        inner = bare(node.this)
        if type(inner) is exp.NullSafeEQ:
            self.kinds.meet(inner.this, inner.args["expression"])
            sides = (self._put(inner.this), self._put(inner.args["expression"]))
            return exp.NullSafeNEQ(this=sides[0], expression=sides[1])
        require(self.kinds.of(inner) in (Kind.BOOLEAN, Kind.NULL), "a condition is true or false")
        return exp.Not(this=self._put(node.this))

    def _negative(self, node: exp.Expr) -> exp.Expr:
        """Of a float, or of a constant: of a DECIMAL Spark rounds to 34 digits, and raises."""
        inner = bare(node.this)
        short = isinstance(inner, exp.Literal) and not inner.is_string and len(inner.name) <= 34
        require(short or self.kinds.of(inner) in (Kind.FLOAT, Kind.NULL), "0 - x is exact")
        return exp.Neg(this=self._put(node.this))

    def between(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "low", "high")
        parts = {part: node.args[part] for part in ("this", "low", "high")}
        self.kinds.meet(*parts.values())
        return exp.Between(**{part: self._put(value) for part, value in parts.items()})

    def among(self, node: exp.Expr) -> exp.Expr:
        only(node, "this", "expressions", "query")
        value, query = self._put(node.this), node.args.get("query")
        if query is not None:
            read = self._outer(query)
            kinds = [self.kinds.of(node.this), *self.kinds.last.values()]
            require(len(kinds) == 2 and together(kinds) is not None, "what meets is of one kind")
            return exp.In(this=value, query=read)
        self.kinds.meet(node.this, *node.expressions)
        return exp.In(this=value, expressions=[self._outer(one) for one in node.expressions])

    def like(self, node: exp.Expr) -> exp.Expr:
        """Spark's LIKE has always an escape; one that stands nowhere in the pattern is none."""
        test, escape = bare(node.this), node.args["expression"]
        require(type(test) in (exp.Like, exp.ILike) and is_text(escape), "LIKE says its escape")
        only(test, "this", "expression")
        require(is_text(test.args["expression"]), "a pattern is a literal")
        require(self.kinds.of(test.this) is Kind.TEXT, "LIKE is of texts")
        found = type(test)(this=self._put(test.this), expression=test.args["expression"].copy())
        sign, pattern = str(escape.this), str(test.args["expression"].this)
        require(len(sign) == 1 and sign not in "%_", "an escape is a letter")
        if sign not in pattern:
            return found
        rest = pattern.replace(sign * 2, "").replace(f"{sign}%", "").replace(f"{sign}_", "")
        require(sign not in rest, "what is escaped is a sign")  # Spark raises over all else
        return exp.Escape(this=found, expression=escape.copy())

    # ---- choices -------------------------------------------------------------------------

    def case(self, node: exp.Expr) -> exp.Expr:
        if (places := to_places(node, self._outer, self.kinds)) is not None:
            return places
        if (
            size := match("CASE WHEN _x < 0 THEN try_subtract(0, _x) ELSE _x END", node)
        ) is not None:
            self.kinds.numbers(size["_x"])
            return exp.Abs(this=self._outer(size["_x"]))
        only(node, "this", "ifs", "default")
        subject, default = node.this, node.args.get("default")
        tests = [one.this for one in node.args["ifs"]]
        if subject is not None:
            self.kinds.meet(subject, *tests)
        require(self.kinds.of(node) is not None, "what a CASE gives is of one kind")
        ifs = [
            exp.If(this=self._outer(one.this), true=self._outer(one.args["true"]))
            for one in node.args["ifs"]
        ]
        return exp.Case(
            this=None if subject is None else self._outer(subject),
            ifs=ifs,
            default=None if default is None else self._outer(default),
        )

    # ---- numbers, texts, calls -----------------------------------------------------------

    def moment(self, node: exp.Expr) -> exp.Expr:
        """+ and - stand before an INTERVAL alone: all else could raise."""
        return moved(node, self._outer, self.kinds)

    def whole_division(self, node: exp.Expr) -> exp.Expr:
        """DIV by a constant that is neither 0 nor -1: nothing can happen."""
        right = bare(node.args["expression"])
        by = None
        if isinstance(right, exp.Cast):
            kept = match("nullif(_c, 0)", right.this)
            by = count_of(right.this if kept is None else kept["_c"])
        sides = [bare(node.this), right]
        big = all(isinstance(one, exp.Cast) and one.to.this is _D.BIGINT for one in sides)
        require(big and by not in (None, 0, -1), "DIV is of a BIGINT, by a constant")
        return exp.IntDiv(this=self._put(sides[0]), expression=self._put(right))

    def given(self, node: exp.Expr) -> exp.Expr:
        return given(node)

    def cast(self, node: exp.Expr) -> exp.Expr:
        assert isinstance(node, exp.Cast)
        quotient = match(_QUOTIENT, node)
        if quotient is not None:
            self.kinds.numbers(quotient["_a"], quotient["_b"])
            whole = all(self.kinds.of(quotient[x]) is Kind.INTEGER for x in ("_a", "_b"))
            require(whole, "a whole quotient is of integers")
            return exp.IntDiv(this=self._put(quotient["_a"]), expression=self._put(quotient["_b"]))
        return cast(node, self._outer, self.kinds)

    def trim(self, node: exp.Expr) -> exp.Expr:
        extra = {k for k, v in node.args.items() if v} - {"this", "expression", "position"}
        require(not extra and node.args.get("position") in _SIDES, "a clause is not on the list")
        sought = node.args.get("expression")
        require(is_text(sought), "what is trimmed is a literal")
        assert sought is not None
        side = str(node.args["position"])
        return exp.Trim(
            this=self._outer(node.this),
            expression=None if sought.this == " " else sought.copy(),
            position=None if side == "BOTH" else side,
        )

    def joined(self, node: exp.Expr) -> exp.Expr:
        right = node.args["expression"]
        for side in (node.this, right):
            require(self.kinds.of(side) in (Kind.TEXT, Kind.NULL), "|| is of texts")
        return exp.DPipe(this=self._put(node.this), expression=self._put(right), safe=True)

    def call(self, node: exp.Expr) -> exp.Expr:
        word, parts = word_of(node), list(node.expressions)
        if (special := difference(node, self._outer, self.kinds)) is not None:
            return special
        if (special := rounded(node, self._outer, self.kinds)) is not None:
            return special
        own = _CALLED.get(word)
        if own is not None:
            return own(self, node)
        if (less := match("try_subtract(0, _x)", node)) is not None:
            self.kinds.numbers(less["_x"])
            return exp.Neg(this=self._put(less["_x"]))
        if (zero := match("try_add(_x, CAST('0.0' AS DOUBLE))", node)) is not None:
            self.kinds.numbers(zero["_x"])
            return exp.Add(this=self._put(zero["_x"]), expression=exp.Literal.number("0.0"))
        built = CALLS.get((word, len(parts)))
        if built is None or word in AGGREGATES:
            refuse("a function is not on the list")
        self._check_parts(word, parts)
        return built([self._outer(part) for part in parts])

    def _check_parts(self, word: str, parts: list[exp.Expr]) -> None:
        """Are they of a kind that the function takes as it is?"""
        if word in ("coalesce", "least", "greatest", "nullif"):
            self.kinds.meet(*parts)
            return
        if word in _OF_TEXTS:
            for part in parts:
                kind = self.kinds.of(part)
                number = count_of(part) is not None
                require(number or kind in (Kind.TEXT, Kind.NULL), "a function is of texts")
            return
        self.kinds.numbers(*parts)
        if word == "abs":
            require(self.kinds.of(parts[0]) in (Kind.FLOAT, Kind.NULL), "ABS of a DECIMAL rounds")

    def _concat(self, node: exp.Expr) -> exp.Expr:
        """With '' in the place of NULL it is the normal form's, which passes over NULL."""
        found = [match("coalesce(_x, '')", part) for part in node.expressions]
        parts = []
        for one in found:
            if one is None or self.kinds.of(one["_x"]) not in (Kind.TEXT, Kind.NULL):
                refuse("CONCAT is of texts, without NULL")
            parts.append(self._outer(one["_x"]))
        return exp.Concat(expressions=parts, safe=True, coalesce=True)

    def _stamp(self, node: exp.Expr) -> exp.Expr:
        return stamp(node, self._outer, self.kinds)

    def _quotient(self, node: exp.Expr) -> exp.Expr:
        """Of floats, which each side says by itself."""
        epoch = match(_EPOCH, node)
        if epoch is not None:
            require(self.kinds.of(epoch["_x"]) is Kind.TIMESTAMP, "an epoch is of a moment")
            args = [exp.Literal.string("epoch"), self._outer(epoch["_x"])]
            return exp.Anonymous(this="DATE_PART", expressions=args)
        sides = [bare(part) for part in node.expressions]
        double = all(isinstance(one, exp.Cast) and one.to.this is _D.DOUBLE for one in sides)
        require(len(sides) == 2 and double, "a division is of floats")
        return exp.Div(this=self._put(sides[0]), expression=self._put(sides[1]))

    def _hash(self, node: exp.Expr) -> exp.Expr:
        """XXHASH64 of the salt and of all that is hashed; the salt that stands first is hashed."""
        head, *rest = node.expressions
        first = match("xxhash64(_s)", head)
        salt = _salt(head if first is None else first["_s"])
        parts = []
        for part in rest:
            found = match("coalesce(_x, 0)", part) or match(
                "coalesce(CAST(_x AS STRING), '')", part
            )
            if found is None:
                refuse("what is hashed is there")
            parts.append(self._outer(found["_x"]))
        require(bool(parts), "something is hashed")
        parts = [*parts, salt] if first is None else [salt, *parts]
        inner = exp.Anonymous(this="HASH", expressions=parts)
        return exp.Anonymous(this="HASH", expressions=[inner])


def _salt(node: exp.Expr) -> exp.Expr:
    node = bare(node)
    big = isinstance(node, exp.Cast) and node.to.this is _D.BIGINT and is_text(node.this)
    text = str(node.this.this) if big else ""
    require(len(text) <= 20 and text.removeprefix("-").isdigit(), "a salt")
    number = exp.Literal.string(str(int(text) % 2**64))
    return exp.Cast(this=number, to=exp.DataType(this=_D.UBIGINT))


_SIDES = ("BOTH", "LEADING", "TRAILING")
_WIDE = "DECIMAL(38, 0)"
_QUOTIENT = (
    f"TRY_CAST(try_divide(try_subtract(CAST(_a AS {_WIDE}), try_mod(CAST(_a AS {_WIDE}),"
    f" CAST(_b AS {_WIDE}))), CAST(_b AS {_WIDE})) AS {_WIDE})"
)
_EPOCH = (
    "try_divide(CAST(unix_micros(CAST(_x AS TIMESTAMP)) AS DOUBLE), CAST('1000000.0' AS DOUBLE))"
)
_CONVERSIONS = {
    "real": "CAST(_c AS DOUBLE)",
    "zoned": "CAST(_c AS TIMESTAMP_NTZ)",
    "padded": "trim(TRAILING ' ' FROM _c)",
}
"""What must stand around a column that is stored otherwise than it is read."""
_OF_TEXTS = frozenset(
    "lower upper reverse length octet_length left right startswith endswith contains instr"
    " substring replace split_part translate lpad rpad concat_ws".split()
)

_CALLED: dict[str, Callable[[Rows, exp.Expr], exp.Expr]] = {
    "concat": Rows._concat,
    "date_format": Rows._stamp,
    "try_divide": Rows._quotient,
    "xxhash64": Rows._hash,
}
_OWN: dict[type[exp.Expr], Callable[[Rows, exp.Expr], exp.Expr]] = {
    exp.Column: Rows.column,
    exp.Literal: Rows.literal,
    **dict.fromkeys((exp.Null, exp.Boolean), Rows.plain),
    **dict.fromkeys(_LOGIC, Rows._logic),
    **dict.fromkeys(_COMPARED, Rows._compared),
    exp.Is: Rows._is,
    exp.Not: Rows._not,
    exp.Neg: Rows._negative,
    exp.Between: Rows.between,
    exp.In: Rows.among,
    exp.Escape: Rows.like,
    exp.Case: Rows.case,
    **dict.fromkeys((exp.Add, exp.Sub), Rows.moment),
    exp.IntDiv: Rows.whole_division,
    **dict.fromkeys((exp.Cast, exp.TryCast), Rows.cast),
    exp.Trim: Rows.trim,
    exp.DPipe: Rows.joined,
    exp.Anonymous: Rows.call,
}
