"""PostgreSQL's expressions over one row as the normal form has them.

Guards, which give NULL or 0 where PostgreSQL would raise, are read as what they guard; attempts,
which test before they cast, as TRY_CAST. Each must be exactly of its shape: a guard of another
expression, another constant, a cast to another type is a word that is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.postgres_shapes import bare, match, same
from dpsql.certify.postgres_words import CALLS, FORMATS, NAMES
from dpsql.core.catalog import CatalogColumn, CatalogTable

_D = exp.DType
_INTEGERS = {_D.SMALLINT: 15, _D.INT: 31, _D.BIGINT: 63}
_TYPES = {*_INTEGERS, _D.DECIMAL, _D.DOUBLE, _D.TEXT, _D.BOOLEAN, _D.DATE, _D.TIMESTAMP}
_BINARY = {
    *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.Add, exp.Sub, exp.Mul, exp.Mod),
}
_NUMBER = re.compile(r"[0-9]{1,400}(\.[0-9]{1,400})?\Z")
_DOUBLE = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?\Z")
_ODD = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
_STEP = re.compile(r"(-?[0-9]{1,9}) (YEAR|QUARTER|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)\Z")

_NEAREST = (
    "pg_catalog.trunc(_x) + CASE WHEN pg_catalog.abs(_x - pg_catalog.trunc(_x)) >="
    " CAST('0.5' AS DP ) THEN pg_catalog.sign(_x) ELSE CAST('0.0' AS DP ) END"
)
_HUGE, _TINY = Fraction(10) ** 30, Fraction(1, 10**30)
WHOLE = "^ *[+-]?[0-9]{1,18} *$"
NUMBER = "^ *[+-]?[0-9]{1,15}([.][0-9]{0,15})?([eE][+-]?[0-9]{1,2})? *$"
PLAIN = "^ *[+-]?[0-9]{1,18}([.][0-9]{0,18})? *$"
_FOURTH = "(?:0[48]|[2468][048]|[13579][26])"
DAY = (
    "^ *(?!0000)(?:[0-9]{4}-(?:0?[13578]|1[02])-(?:0?[1-9]|[12][0-9]|3[01])"
    "|[0-9]{4}-(?:0?[469]|11)-(?:0?[1-9]|[12][0-9]|30)"
    "|[0-9]{4}-0?2-(?:0?[1-9]|1[0-9]|2[0-8])"
    f"|(?:(?:[0-9]{{2}}{_FOURTH})|(?:{_FOURTH}00))-0?2-29) *$"
)

Read = Callable[[exp.Expr], exp.Expr]


class Rows:
    def __init__(self, tables: Mapping[str, CatalogTable | None], outer: Read) -> None:
        """`tables`: what an alias stands for, None for what we made. `outer` reads all there is."""
        self._tables, self._outer = tables, outer
        self.direct = False
        """Is a table read at this level? Then every column says which source it is of."""
        self._texts: list[tuple[exp.Expr, exp.DType]] = []
        """Texts that a pattern in front says spell a value of a type."""

    def read(self, node: exp.Expr) -> exp.Expr:
        node = bare(node)
        leaf = self._leaf(node)
        if leaf is not None:
            return leaf
        if type(node) in _BINARY:
            return self._binary(node)
        own = _OWN.get(type(node))
        if own is None:
            refuse("a construct is not on the list")
        return own(self, node)

    def _put(self, node: exp.Expr) -> exp.Expr:
        """Read, and in parentheses where it is an operation."""
        found = self._outer(bare(node))
        loose = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Escape)
        return exp.Paren(this=found) if isinstance(found, loose) else found

    # ---- leaves --------------------------------------------------------------------------

    def column(self, node: exp.Expr) -> exp.Expr:
        found = self._base(node)
        require(found is None or not found.stored, "a column is read as its type is")
        return self._named(node)

    def _named(self, node: exp.Expr) -> exp.Expr:
        table = node.args.get("table")
        extra = {k for k, v in node.args.items() if v} - {"this", "table"}
        require(not extra and isinstance(node.this, exp.Identifier), "columns are plain")
        require(bool(node.this.quoted), "names are quoted")
        if table is None:
            require(not self.direct, "columns of a table say which it is")
            return exp.Column(this=exp.to_identifier(node.name))
        require(bool(table.quoted) and table.name in self._tables, "every source is in sight")
        quoted = self._tables[table.name] is not None
        return exp.Column(
            this=exp.to_identifier(node.name, quoted=quoted or None),
            table=exp.to_identifier(table.name),
        )

    def _base(self, node: exp.Expr) -> CatalogColumn | None:
        """The table's column that a reference names."""
        if not isinstance(node, exp.Column) or not node.args.get("table"):
            return None
        entry = self._tables.get(node.table)
        if entry is None:
            return None
        column = entry.columns.get(node.name)
        if column is None:
            refuse("every column exists, in its own spelling")
        return column

    def _leaf(self, node: exp.Expr) -> exp.Expr | None:
        """A column under the conversion that its type asks for, and under no other."""
        if isinstance(node, exp.Cast) and (number := match(_NOT_NAN, node.this)) is not None:
            column = self._base(number["_c"])
            if column is not None and column.stored == "numeric":
                own = (column.type.precision, column.type.scale)
                require(_digits(node.to) == own, "a column keeps its digits")
                return self._named(number["_c"])
        for stored, shape in _CONVERSIONS.items():
            found = match(shape, node)
            column = None if found is None else self._base(found["_c"])
            if found is None or column is None or column.stored not in stored.split():
                continue
            return self._named(found["_c"])
        return None

    def literal(self, node: exp.Expr) -> exp.Expr:
        if node.is_string:
            return exp.Literal.string(str(node.this))
        require(_NUMBER.match(str(node.this)) is not None, "numbers are plain")
        return exp.Literal.number(str(node.this))

    def plain(self, node: exp.Expr) -> exp.Expr:
        return node.copy()

    # ---- conditions and arithmetic -------------------------------------------------------

    def _binary(self, node: exp.Expr) -> exp.Expr:
        special = self._moved(node) or self._finite(node) or self._rounded(node)
        if special is not None:
            return special
        right = node.args["expression"]
        if isinstance(node, exp.Add) and match("CAST('0.0' AS DP )", right) is not None:
            return exp.Add(this=self._put(node.this), expression=exp.Literal.number("0.0"))
        if isinstance(node, exp.Is):
            require(isinstance(right, (exp.Null, exp.Boolean)), "IS takes NULL, TRUE or FALSE")
        return type(node)(this=self._put(node.this), expression=self._put(right))

    def listed(self, node: exp.Expr) -> exp.Expr:
        """A constant in a list of rows: a float is written with its exponent there."""
        found = self._outer(bare(node))
        minus = isinstance(found, exp.Neg)
        inner = bare(found.this) if minus else found
        if not isinstance(inner, exp.Cast) or inner.to.this is not _D.DOUBLE:
            return found
        digits = str(inner.this.name)
        if not digits[0].isdigit():
            return found
        number = exp.Literal.number(digits if "e" in digits else f"{digits}e0")
        return exp.Neg(this=number) if minus else number

    def _finite(self, node: exp.Expr) -> exp.Expr | None:
        found = match("pg_catalog.abs(_x) < CAST('Infinity' AS DP )", node)
        if found is None:
            return None
        return exp.Anonymous(this="ISFINITE", expressions=[self._outer(found["_x"])])

    def _rounded(self, node: exp.Expr) -> exp.Expr | None:
        found = match(_NEAREST, node)
        return None if found is None else exp.Round(this=self._outer(found["_x"]))

    def _moved(self, node: exp.Expr) -> exp.Expr | None:
        """x + INTERVAL, and the difference of two moments in hours, minutes or seconds."""
        right = bare(node.args["expression"])
        if not isinstance(node, (exp.Add, exp.Sub)):
            return None
        if isinstance(right, exp.Cast) and right.to.this is _D.INTERVAL:
            step = _STEP.match(str(right.this.name))
            if step is None:
                refuse("an interval is a constant")
            amount, unit = step.groups()
            interval = exp.Interval(this=exp.Literal.string(amount), unit=exp.Var(this=unit))
            return type(node)(this=self._put(node.this), expression=interval)
        for unit, seconds in (("hour", 3600), ("minute", 60), ("second", 1)):
            start = f"pg_catalog.date_part('epoch', pg_catalog.date_trunc('{unit}', %s))"
            count = f"(CAST({start} AS BIGINT) / CAST({seconds} AS BIGINT))"
            found = match(f"{count % '_b'} - {count % '_a'}", node)
            if found is not None:
                return self._difference(unit, found["_a"], found["_b"])
        return None

    def _difference(self, unit: str, start: exp.Expr, end: exp.Expr) -> exp.Expr:
        return exp.DateDiff(
            this=self._outer(end),
            expression=self._outer(start),
            unit=exp.Var(this=unit.upper()),
            date_part_boundary=True,
        )

    def division(self, node: exp.Expr) -> exp.Expr:
        """Of floats where both sides are cast to one, of integers where both certainly are."""
        sides = [bare(node.this), bare(node.args["expression"])]
        if all(isinstance(one, exp.Cast) and one.to.this is _D.DOUBLE for one in sides):
            return exp.Div(this=self._put(sides[0]), expression=self._put(sides[1]))
        require(all(map(_whole, sides)), "a division is of floats or of integers")
        return exp.IntDiv(this=self._put(sides[0]), expression=self._put(sides[1]))

    def one(self, node: exp.Expr) -> exp.Expr:
        return type(node)(this=self._put(node.this))

    def between(self, node: exp.Expr) -> exp.Expr:
        extra = {k for k, v in node.args.items() if v} - {"this", "low", "high"}
        require(not extra, "a clause is not on the list")
        parts = {part: self._put(node.args[part]) for part in ("this", "low", "high")}
        return exp.Between(**parts)

    def among(self, node: exp.Expr) -> exp.Expr:
        extra = {k for k, v in node.args.items() if v} - {"this", "expressions", "query"}
        require(not extra, "a clause is not on the list")
        value, query = self._put(node.this), node.args.get("query")
        if query is not None:
            return exp.In(this=value, query=self._outer(query))
        return exp.In(this=value, expressions=[self._outer(one) for one in node.expressions])

    def like(self, node: exp.Expr) -> exp.Expr:
        """PostgreSQL's backslash is an escape unless another is named: '' names none."""
        test, escape = bare(node.this), node.args["expression"]
        require(type(test) in (exp.Like, exp.ILike) and _text(escape), "LIKE says its escape")
        require(_text(test.args["expression"]), "a pattern is a literal")
        found = type(test)(this=self._put(test.this), expression=test.args["expression"].copy())
        if not escape.this:
            return found
        return exp.Escape(this=found, expression=escape.copy())

    def collated(self, node: exp.Expr) -> exp.Expr:
        """By bytes, as the normal form compares all texts."""
        order = node.args["expression"]
        require(isinstance(order, exp.Identifier) and order.this == "C", "texts by their bytes")
        return self._outer(node.this)

    def several(self, node: exp.Expr) -> exp.Expr:
        first, rest = self._outer(node.this), [self._outer(one) for one in node.expressions]
        if isinstance(node, exp.Coalesce):
            return exp.Coalesce(this=first, expressions=rest)
        require(bool(node.args.get("ignore_nulls")), "LEAST and GREATEST skip NULL")
        return type(node)(this=first, expressions=rest, ignore_nulls=True)

    def nullif(self, node: exp.Expr) -> exp.Expr:
        return exp.Nullif(
            this=self._outer(node.this), expression=self._outer(node.args["expression"])
        )

    # ---- choices and guards --------------------------------------------------------------

    def case(self, node: exp.Expr) -> exp.Expr:
        for guard in (_size_guard, _zero_guard):
            inner = guard(node)
            if inner is not None:
                return self._outer(inner)
        found = self._attempt(node) or self._pattern(node) or self._shaped(node)
        if found is not None:
            return found
        extra = {k for k, v in node.args.items() if v} - {"this", "ifs", "default"}
        require(not extra, "a clause is not on the list")
        ifs = [
            exp.If(this=self._outer(one.this), true=self._branch(one)) for one in node.args["ifs"]
        ]
        subject, default = node.this, node.args.get("default")
        return exp.Case(
            this=None if subject is None else self._outer(subject),
            ifs=ifs,
            default=None if default is None else self._outer(default),
        )

    def _branch(self, branch: exp.Expr) -> exp.Expr:
        """After x BETWEEN lo AND hi, a cast of x * s to an integer type that holds both ends."""
        value, shift = bare(branch.args["true"]), None
        if isinstance(value, (exp.Add, exp.Sub)) and _count(value.args["expression"]) is not None:
            shift, value = value, bare(value.this)
        tested = _scaled(bare(branch.this), value)
        if tested is None:
            return self._outer(branch.args["true"])
        attempt = exp.TryCast(this=self._outer(tested.this), to=_type(tested.to), safe=True)
        if shift is None:
            return attempt
        return type(shift)(this=attempt, expression=self._put(shift.args["expression"]))

    def _attempt(self, node: exp.Expr) -> exp.Expr | None:
        """A cast of what is tested to lie within constants of the type."""
        found = match("CASE WHEN _x BETWEEN _a AND _b THEN _y END", node)
        cast = None if found is None else bare(found["_y"])
        if found is None or not isinstance(cast, exp.Cast):
            return None
        target, source, tested = cast.to, bare(cast.this), bare(found["_x"])
        wide = target.this is _D.DECIMAL and not target.expressions
        if wide and isinstance(source, exp.Cast) and source.to.this is _D.BIGINT:
            target, source = source.to, bare(source.this)
        if not any(same(tested, one) for one in _forms_of(source, target)):
            return None
        if not _holds(target, found["_a"], found["_b"]):
            return None
        attempt = exp.TryCast(this=self._outer(source), to=_type(target), safe=True)
        return exp.Cast(this=attempt, to=_type(cast.to)) if wide else attempt

    def _pattern(self, node: exp.Expr) -> exp.Expr | None:
        """What is read of a text, once a pattern says that it is of a plain spelling."""
        found = match("CASE WHEN _t ~ _p THEN _y END", node)
        if found is None:
            return None
        pattern = bare(found["_p"])
        if not _text(pattern) or str(pattern.this) not in _READABLE:
            refuse("a pattern is a known one")
        self._texts.append((found["_t"], _READABLE[str(pattern.this)]))
        value = self._outer(found["_y"])
        self._texts.pop()
        return value

    def _shaped(self, node: exp.Expr) -> exp.Expr | None:
        """Functions with their own domains, and what is rounded to places."""
        for shape, build in _DOMAINS.items():
            found = match(shape, node)
            if found is not None:
                return build(self._outer(found["_x"]))
        return self._places(node) or self._decimal(node)

    def _places(self, node: exp.Expr) -> exp.Expr | None:
        up = (
            "CASE WHEN pg_catalog.abs(_x) <= CAST('1e+290' AS DP ) THEN"
            f" CAST(({_NEAREST.replace('_x', '(_x * _f)')}) AS DP ) / CAST(_f AS DP ) ELSE _x END"
        )
        down = (
            "CASE WHEN pg_catalog.abs(_x) BETWEEN CAST('1e-200' AS DP ) AND CAST('1e+290' AS DP )"
            f" THEN ({_NEAREST.replace('_x', '(CAST(_x AS DP ) / CAST(_f AS DP ))')}) * _f"
            " WHEN pg_catalog.abs(_x) < CAST('1e-200' AS DP ) THEN CAST('0.0' AS DP ) ELSE _x END"
        )
        for shape, sign in ((up, 1), (down, -1)):
            found = match(shape, node)
            places = None if found is None else _power_of_ten(found["_f"])
            if found is not None and places is not None:
                number: exp.Expr = exp.Literal.number(places)
                number = number if sign > 0 else exp.Neg(this=number)
                return exp.Round(this=self._outer(found["_x"]), decimals=number)
        return None

    def _decimal(self, node: exp.Expr) -> exp.Expr | None:
        """A float as DECIMAL(p, s): the nearest multiple of 10^-s."""
        scaled = _NEAREST.replace("_x", "(_x * _f)")
        shape = (
            "CASE WHEN pg_catalog.abs(_x) <= _m THEN _d END",
            f"CAST(CAST(({scaled}) AS BIGINT) AS NUMERIC) * _u",
            f"CAST(CAST(({_NEAREST}) AS BIGINT) AS NUMERIC)",
        )
        found = match(shape[0], node)
        cast = None if found is None else bare(found["_d"])
        if found is None or not isinstance(cast, exp.Cast) or not cast.to.expressions:
            return None
        precision, scale = _digits(cast.to)
        most = _value(found["_m"])
        inner = match(shape[1] if scale else shape[2], cast.this)
        if inner is None or most is None or not same(inner["_x"], found["_x"]):
            return None
        require(most * 10**scale < min(10**precision, 10**18 + 1), "a number has its digits")
        if scale:
            require(_power_of_ten(inner["_f"]) == scale, "a number is scaled by its places")
            unit = bare(inner["_u"])
            exact = isinstance(unit, exp.Cast) and _digits(unit.to) == (scale + 1, scale)
            require(exact and Fraction(str(unit.this.name)) == Fraction(1, 10**scale), "a unit")
        return exp.TryCast(this=self._outer(found["_x"]), to=_type(cast.to), safe=True)

    # ---- casts and calls -----------------------------------------------------------------

    def given(self, node: exp.Expr) -> exp.Expr:
        """A public value beside the text: under a cast that says of which type it is."""
        name = node.this.this if isinstance(node.this, exp.Placeholder) else None
        if not isinstance(name, exp.Identifier) or not isinstance(node, exp.Cast):
            refuse("a given value has its name")
        return exp.Cast(this=exp.Placeholder(this=str(name.this)), to=_type(node.to))

    def cast(self, node: exp.Expr) -> exp.Expr:
        assert isinstance(node, exp.Cast)
        source, to = bare(node.this), node.to
        require({k for k, v in node.args.items() if v} <= {"this", "to"}, "a clause")
        if isinstance(source, exp.Placeholder):
            return self.given(node)
        if _text(source):
            return _constant(str(source.this), to)
        for shape, build in _WHOLE_FORMS.items():
            found = match(shape, node)
            if found is not None:
                return build(self, found)
        if to.this is _D.DECIMAL and not to.expressions:
            require(_whole(source) or _given_whole(source), "a NUMERIC of ours is an integer's")
        if any(kind is to.this and same(source, one) for one, kind in self._texts):
            return exp.TryCast(this=self._outer(source), to=_type(to), safe=True)
        return exp.Cast(this=self._outer(source), to=_type(to))

    def call(self, node: exp.Expr) -> exp.Expr:
        """pg_catalog.word(...)."""
        schema, called = node.this, node.args["expression"]
        require(
            isinstance(schema, exp.Identifier)
            and schema.this == "pg_catalog"
            and isinstance(called, exp.Anonymous),
            "functions are PostgreSQL's own",
        )
        word, parts = str(called.this).lower(), list(called.expressions)
        if word in ("hashint8extended", "hashtextextended"):
            return self._hash(node)
        if word == "date_part":
            require(_text(parts[0]), "a part is a constant")
            args = [parts[0].copy(), self._outer(parts[1])]
            return exp.Anonymous(this="DATE_PART", expressions=args)
        if word == "date_trunc":
            require(_text(parts[0]), "a unit is a constant")
            unit = exp.Var(this=str(parts[0].this).upper())
            return exp.TimestampTrunc(this=self._outer(parts[1]), unit=unit)
        if word == "to_char":
            return self._stamp(parts)
        built = CALLS.get((word, len(parts)))
        if built is None:
            refuse("a function is not on the list")
        return built([self._outer(part) for part in parts])

    def _stamp(self, parts: list[exp.Expr]) -> exp.Expr:
        require(len(parts) == 2 and _text(parts[1]), "a format is a constant")
        form, value = str(parts[1].this), self._outer(parts[0])
        if form in NAMES:
            return NAMES[form](this=value)
        shown, rest = "", form
        while rest:
            piece = re.match(r'"([^"\\%]*)"|(FM)?[A-Za-z0-9]+', rest)
            if piece is None:
                refuse("a format is a known one")
            text = piece.group()
            if text.startswith('"'):
                shown += piece.group(1)
            else:
                text = next((one for one in FORMATS if rest.startswith(one)), "")
                require(bool(text), "a format is a known one")
                shown += FORMATS[text]
            rest = rest[len(text) :]
        return exp.TimeToStr(this=value, format=exp.Literal.string(shown))

    def _hash(self, node: exp.Expr) -> exp.Expr:
        """A chain of hashes, each the seed of the next, as one hash of all that was hashed."""
        parts: list[exp.Expr] = []
        while True:
            node = bare(node)
            if isinstance(node, exp.Cast):
                break
            require(isinstance(node, exp.Dot), "hashes are chained")
            called = node.args["expression"]
            word, (value, seed) = str(called.this).lower(), called.expressions
            found = match("COALESCE(_x, 0)", value)
            if word == "hashtextextended":
                found = match("COALESCE(CAST(_x AS TEXT), '') COLLATE \"C\"", value)
            elif word != "hashint8extended":
                refuse("a function is not on the list")
            if found is None:
                refuse("what is hashed is there")
            parts.insert(0, self._outer(found["_x"]))
            node = seed
        big = isinstance(node, exp.Cast) and node.to.this is _D.BIGINT and _text(node.this)
        require(big and re.fullmatch("-?[0-9]{1,19}", node.this.name) is not None, "a salt")
        number = int(node.this.name)
        salt = exp.Literal.string(str(number % 2**64))
        parts.append(exp.Cast(this=salt, to=exp.DataType(this=_D.UBIGINT)))
        inner = exp.Anonymous(this="HASH", expressions=parts)
        return exp.Anonymous(this="HASH", expressions=[inner])


# ---- types and constants ---------------------------------------------------------------------


def _type(to: exp.DataType) -> exp.DataType:
    """The normal form's name: a NUMERIC without digits is HUGEINT."""
    if to.this is _D.ARRAY:
        (of,) = to.expressions
        return exp.DataType(this=_D.ARRAY, expressions=[_type(of)], nested=True)
    require(to.this in _TYPES, "a type is not on the list")
    if to.this is _D.DECIMAL and not to.expressions:
        return exp.DataType(this=_D.INT128)
    if to.this is _D.DECIMAL:
        precision, scale = _digits(to)
        require(1 <= precision <= 38 and 0 <= scale <= precision, "a type is not on the list")
        return exp.DataType.build(f"DECIMAL({precision}, {scale})", dialect="duckdb")
    require(not to.expressions, "a type is not on the list")
    return exp.DataType(this=to.this)


def _digits(to: exp.DataType) -> tuple[int, int]:
    parts = [int(str(part.name)) for part in to.expressions]
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0] if parts else 0, 0)


def _constant(text: str, to: exp.DataType) -> exp.Expr:
    if to.this is _D.DOUBLE:
        require(text in _ODD or _DOUBLE.match(text) is not None, "a constant is a number")
        text = _ODD.get(text, text)
    else:
        known = to.this in (_D.DATE, _D.TIMESTAMP, _D.TEXT) or bool(to.expressions)
        require(known and to.this is not _D.ARRAY, "a constant is of a known type")
    return exp.Cast(this=exp.Literal.string(text), to=_type(to))


def _text(node: object) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _count(node: exp.Expr) -> int | None:
    """An integer as digits, or its negative."""
    node = bare(node)
    if isinstance(node, exp.Neg):
        value = _count(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        return int(str(node.this))
    return None


def _value(node: exp.Expr) -> Fraction | None:
    """A number that stands in the text."""
    node = bare(node)
    if isinstance(node, exp.Neg):
        value = _value(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and _NUMBER.match(str(node.this)):
        return Fraction(str(node.this))
    double = isinstance(node, exp.Cast) and node.to.this is _D.DOUBLE and _text(node.this)
    if double and _DOUBLE.match(str(node.this.this)):
        return Fraction(float(str(node.this.this)))
    return None


def _power_of_ten(node: exp.Expr) -> int | None:
    value = _value(node)
    return next((n for n in range(1, 16) if value == 10**n), None)


def _whole(node: exp.Expr) -> bool:
    """Is it an integer by what stands there: digits, a cast to an integer type, such divided?"""
    node = bare(node)
    if isinstance(node, exp.Nullif):
        return _whole(node.this)
    return _count(node) is not None or (isinstance(node, exp.Cast) and node.to.this in _INTEGERS)


def _given_whole(node: exp.Expr) -> bool:
    return isinstance(bare(node), exp.Placeholder)


# ---- guards ----------------------------------------------------------------------------------


def _size_guard(node: exp.Expr) -> exp.Expr | None:
    """y of CASE WHEN <its parts are of an ordinary size> THEN y END."""
    branches = node.args["ifs"]
    if node.this is not None or node.args.get("default") is not None or len(branches) != 1:
        return None
    value: exp.Expr = branches[0].args["true"]
    tests, stack = [], [bare(branches[0].this)]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.And):
            stack += [bare(part.this), bare(part.args["expression"])]
        else:
            tests.append(part)
    return value if all(_ordinary(test, value) for test in tests) else None


def _ordinary(test: exp.Expr, value: exp.Expr) -> bool:
    found = match("pg_catalog.abs(_x) <= _m", test)
    if found is not None:
        most = _value(found["_m"])
        return most is not None and most >= _HUGE and _inside(found["_x"], value)
    found = match("pg_catalog.abs(_x) BETWEEN _l AND _m", test)
    if found is None:
        return False
    least, most = _value(found["_l"]), _value(found["_m"])
    sizes = least is not None and most is not None and least <= _TINY and most >= _HUGE
    return sizes and _inside(found["_x"], value)


def _zero_guard(node: exp.Expr) -> exp.Expr | None:
    """y of CASE WHEN <a factor of it is tiny> THEN 0.0 ELSE y END."""
    branches, default = node.args["ifs"], node.args.get("default")
    if node.this is not None or not isinstance(default, exp.Expr) or len(branches) != 1:
        return None
    value: exp.Expr = default
    zero = bare(branches[0].args["true"])
    if _value(zero) != 0 or not isinstance(zero, exp.Cast):
        return None
    product = bare(value)
    if isinstance(product, exp.Mul):
        factors = [_value(part) for part in (product.this, product.args["expression"])]
        if any(factor is not None and abs(factor) >= 1 for factor in factors):
            return None  # the product of a tiny number and it need not be near 0
    stack = [bare(branches[0].this)]
    while stack:
        test = stack.pop()
        if isinstance(test, exp.Or):
            stack += [bare(test.this), bare(test.args["expression"])]
            continue
        found = match("pg_catalog.abs(_x) < _m", test)
        most = None if found is None else _value(found["_m"])
        if found is None or most is None or most > _TINY or not _inside(found["_x"], value):
            return None
    return bare(value)


def _inside(part: exp.Expr, value: exp.Expr) -> bool:
    """Is it an operand of the product, quotient, sum or power that is guarded?"""
    value = bare(value)
    if isinstance(value, exp.Case):  # guarded once more
        inner = value.args.get("default")
        return inner is not None and _inside(part, inner)
    operands: list[exp.Expr] = []
    if isinstance(value, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        operands = [value.this, value.args["expression"]]
    elif isinstance(value, exp.Dot) and isinstance(value.args["expression"], exp.Anonymous):
        operands = list(value.args["expression"].expressions)
    for one in operands:
        if same(one, part):
            return True
        one = bare(one)
        if isinstance(one, exp.Cast) and one.to.this is _D.DOUBLE and same(one.this, part):
            return True
    return False


def _scaled(test: exp.Expr, value: exp.Expr) -> exp.Cast | None:
    """The cast in CASE WHEN x BETWEEN lo AND hi THEN CAST(x * s AS an integer type) END."""
    if type(test) is not exp.Between or not isinstance(value, exp.Cast):
        return None
    bits = _INTEGERS.get(value.to.this)
    product = bare(value.this)
    inner = _zero_guard(product) if isinstance(product, exp.Case) else product
    if bits is None or not isinstance(bare(inner or product), exp.Mul):
        return None
    product = bare(inner or product)
    factor, ends = (
        _value(product.args["expression"]),
        [_value(test.args[e]) for e in ("low", "high")],
    )
    if factor is None or None in ends or not same(product.this, test.this):
        return None
    require(
        all(end is not None and abs(end * factor) < 2**bits - 1 for end in ends),
        "a value within its ends fits the type",
    )
    return value


def _forms_of(source: exp.Expr, target: exp.DataType) -> list[exp.Expr]:
    """What may be tested in place of what is cast: it, and it rounded as the cast rounds."""
    places = str(_digits(target)[1]) if target.this is _D.DECIMAL else "0"
    found = [source, exp.Cast(this=source, to=exp.DataType(this=_D.DOUBLE, nested=False))]
    wide = exp.Cast(this=source, to=exp.DataType(this=_D.DECIMAL, nested=False))
    big = exp.Cast(this=source, to=exp.DataType(this=_D.BIGINT, nested=False))
    widest = exp.Cast(this=big, to=exp.DataType(this=_D.DECIMAL, nested=False))
    for one in (source, wide, widest):
        called = exp.Anonymous(this="round", expressions=[one, exp.Literal.number(places)])
        found.append(exp.Dot(this=exp.to_identifier("pg_catalog"), expression=called))
    return found


def _holds(target: exp.DataType, low: exp.Expr, high: exp.Expr) -> bool:
    """Do the ends lie within the type?"""
    if target.this is _D.TIMESTAMP:
        days = [bare(end) for end in (low, high)]
        plain = all(isinstance(d, exp.Cast) and d.to.this is _D.DATE for d in days)
        return plain and [str(d.this.name) for d in days] == ["0001-01-01", "9999-12-31"]
    ends = [_value(low), _value(high)]
    if ends[0] is None or ends[1] is None:
        return False
    if target.this in _INTEGERS:
        bits = _INTEGERS[target.this]
        return bool(-(2**bits) <= ends[0] and ends[1] <= 2**bits - 1)
    if target.this is _D.DECIMAL and target.expressions:
        precision, scale = _digits(target)
        most = max(abs(ends[0]), abs(ends[1]))
        return bool(most * 10**scale < 10**precision)
    return False


# ---- tables ----------------------------------------------------------------------------------

_NOT_NAN = "NULLIF(_c, CAST('NaN' AS NUMERIC))"
_CONVERSIONS = {
    "number": (
        f"CASE WHEN _c BETWEEN (- CAST('1{'0' * 300}' AS NUMERIC)) AND"
        f" CAST('1{'0' * 300}' AS NUMERIC) THEN CAST(pg_catalog.round(_c, 40) AS DP ) END"
    ),
    "real": "CAST(_c AS DP )",
    "zoned": "pg_catalog.timezone('UTC', _c)",
    "padded label": "CAST(_c AS TEXT)",
    "collated": '_c COLLATE "default"',
}
"""What must stand around a column that is stored otherwise than it is read."""

_READABLE = {WHOLE: _D.BIGINT, NUMBER: _D.DOUBLE, PLAIN: _D.DECIMAL, DAY: _D.DATE}
"""What a text of such a spelling can be cast to."""

_DOMAINS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "CASE WHEN _x >= CAST('0.0' AS DP ) THEN pg_catalog.sqrt(_x) END": lambda x: exp.Sqrt(this=x),
    "CASE WHEN _x > CAST('0.0' AS DP ) THEN pg_catalog.ln(_x) END": lambda x: exp.Ln(this=x),
    "CASE WHEN _x > CAST('0.0' AS DP ) THEN pg_catalog.log(_x) END": lambda x: exp.Log(
        this=exp.Literal.number(10), expression=x
    ),
    "CASE WHEN pg_catalog.abs(_x) <= CAST('1.0' AS DP ) THEN pg_catalog.asin(_x) END": (
        lambda x: exp.Asin(this=x)
    ),
    "CASE WHEN pg_catalog.abs(_x) <= CAST('1.0' AS DP ) THEN pg_catalog.acos(_x) END": (
        lambda x: exp.Acos(this=x)
    ),
    "CASE WHEN _x BETWEEN CAST('-700.0' AS DP ) AND CAST('709.0' AS DP ) THEN pg_catalog.exp(_x)"
    " WHEN _x < CAST('-700.0' AS DP ) THEN CAST('0.0' AS DP ) END": lambda x: exp.Exp(this=x),
}

_WHOLE_FORMS: dict[str, Callable[[Rows, dict[str, exp.Expr]], exp.Expr]] = {
    "CAST(pg_catalog.sign(_x) AS INT)": lambda self, f: exp.Sign(this=self._outer(f["_x"])),
    "CAST(pg_catalog.floor(pg_catalog.date_part(_p, _x)) AS BIGINT)": lambda self, f: _part(
        self, f
    ),
    "CAST(pg_catalog.date_part(_p, _x) AS BIGINT)": lambda self, f: _part(self, f),
    "CAST((CAST(_b AS DATE) - CAST(_a AS DATE)) AS BIGINT)": lambda self, f: self._difference(
        "day", f["_a"], f["_b"]
    ),
}
_PARTS = frozenset("year isoyear quarter month week day hour minute second dow isodow doy".split())


def _part(self: Rows, found: dict[str, exp.Expr]) -> exp.Expr:
    word = bare(found["_p"])
    require(_text(word) and str(word.this) in _PARTS, "a part is a known one")
    value = self._outer(found["_x"])
    return exp.Anonymous(this="DATE_PART", expressions=[word.copy(), value])


_OWN: dict[type[exp.Expr], Callable[[Rows, exp.Expr], exp.Expr]] = {
    exp.Column: Rows.column,
    exp.Literal: Rows.literal,
    **dict.fromkeys((exp.Null, exp.Boolean), Rows.plain),
    **dict.fromkeys((exp.Not, exp.Neg), Rows.one),
    exp.Div: Rows.division,
    exp.Between: Rows.between,
    exp.In: Rows.among,
    exp.Escape: Rows.like,
    exp.Collate: Rows.collated,
    exp.DPipe: lambda self, node: exp.DPipe(
        this=self._put(node.this), expression=self._put(node.args["expression"]), safe=True
    ),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least), Rows.several),
    exp.Nullif: Rows.nullif,
    exp.Case: Rows.case,
    exp.Cast: Rows.cast,
    exp.Dot: Rows.call,
}
