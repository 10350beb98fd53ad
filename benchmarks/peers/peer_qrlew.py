"""Qrlew (pyqrlew) on PostgreSQL, where its rewritten SQL draws the noise.

(ε, δ) is given to `rewrite_with_differential_privacy` for the whole query, which splits it among
Gaussian mechanisms and the threshold of private keys. Every run rewrites anew, as an analyst's
query would be. `max_multiplicity` is the cap on a person's rows, `max_privacy_unit_groups` that on
groups. Qrlew takes the tables' exact sizes for public and clamps counts to them, which tells more
than the guarantee allows; so it is told an upper bound on the sizes instead. Public keys:
`with_possible_values` for text, `WHERE k IN (...)` for numbers.
"""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from typing import Any

import sqlalchemy
from protocol import Refused, run
from pyqrlew import Dataset, Dialect

MANY = 100_000
ALMOST_NOISELESS = 1e6
LARGEST = 100_000_000


class Qrlew:
    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.open: tuple[Any, Any, Any] | None = None

    def about(self) -> dict[str, Any]:
        return {"version": version("pyqrlew"), "engine": "PostgreSQL"}

    def connect(
        self, name: str, ranges: dict[str, Any], sized: bool = False
    ) -> tuple[Any, Any, Any]:
        """(engine, dataset, privacy unit). `sized`: with the exact sizes, as Qrlew has it."""
        given = dict(part.split("=") for part in self.job["postgres"].split())
        engine = sqlalchemy.create_engine(
            f"postgresql+psycopg2://{given['user']}@/{name}?host={given['host']}",
            connect_args={"options": "-c statement_timeout=120000"},
        )
        dataset = Dataset.from_database(name, engine, schema_name="public")
        dataset = dataset if sized else unsized(dataset)
        for table, columns in ranges.items():
            for column, (low, high) in columns.items():
                dataset = dataset.with_range("public", table, column, low, high)
        found = self.job["sets"][name]
        unit = [
            (table, [], found["unit"])
            for table, spec in found["tables"].items()
            if not spec.get("public")
        ]
        return engine, dataset, unit

    def rewritten(
        self, dataset: Any, unit: Any, sql: str, rows: int, groups: int, epsilon: float
    ) -> Any:
        relation = dataset.relation(sql, Dialect.PostgreSql)
        return relation.rewrite_with_differential_privacy(
            dataset,
            unit,
            {"epsilon": epsilon, "delta": self.job["delta"]},
            max_multiplicity=float(rows),
            max_privacy_unit_groups=groups,
        )

    def asker(self, question: dict[str, Any]) -> Any:
        table, key, sql = question["table"], question["key"], question["sql"]
        ranges: dict[str, Any] = {}
        if question["column"] is not None:
            ranges = {table: {question["column"]: (question["low"], question["high"])}}
        engine, dataset, unit = self.connect(question["set"], ranges)
        if question["public"] is not None:
            if isinstance(question["public"][0], str):
                dataset = dataset.with_possible_values("public", table, key, question["public"])
            else:
                listed = ", ".join(map(str, question["public"]))
                sql = sql.replace(" GROUP BY", f" WHERE {key} IN ({listed}) GROUP BY")

        def ask() -> list[Any]:
            private = self.rewritten(
                dataset, unit, sql, question["rows"], question["groups"], self.job["epsilon"]
            )
            return execute(engine, private.relation())[1]

        return ask

    def admitted(self, epsilon: float, target: float) -> Any:
        """How many Gaussian COUNTs its events allow by dp_accounting: by hand, nothing stops."""
        import dp_accounting
        from dp_accounting.pld import PLDAccountant
        from dp_accounting.rdp import RdpAccountant

        engine, dataset, unit = self.connect("rand", {})
        sql = "SELECT COUNT(*) AS v FROM persons"
        low, high = 1e-4, 10.0
        for _ in range(60):  # ε at which the noise has the target's RMSE (sensitivity 1)
            middle = math.sqrt(low * high)
            event = self.rewritten(dataset, unit, sql, 1, 1, middle).dp_event().to_dict()
            low, high = (middle, high) if event["noise_multiplier"] > target else (low, middle)
        private = self.rewritten(dataset, unit, sql, 1, 1, high)
        multiplier = private.dp_event().to_dict()["noise_multiplier"]
        values = [int(execute(engine, private.relation())[1][0][0]) for _ in range(30)]
        for way, make in (("RDP", RdpAccountant), ("PLD", PLDAccountant)):

            def spent(count: int, make: Any = make) -> float:
                event = dp_accounting.GaussianDpEvent(multiplier)
                return float(make().compose(event, count).get_epsilon(self.job["delta"]))

            below, above = 0, 1
            while above < MANY and spent(above) <= self.job["epsilon"]:
                below, above = above, above * 2
            while above - below > 1:
                middle = (below + above) // 2
                fits = spent(middle) <= self.job["epsilon"]
                below, above = (middle, above) if fits else (below, middle)
            yield {
                "way": f"dp_accounting {way}, by hand (does not stop)",
                "count": below,
                "values": values,
                "stopped": False,
            }

    def answer(self, case: dict[str, Any]) -> tuple[list[str], list[Any]]:
        if self.open is None:
            self.open = self.connect("shop", self.job["ranges"], sized=True)
        engine, dataset, unit = self.open
        caps = self.job["coverage"]
        try:
            private = self.rewritten(
                dataset, unit, case["postgres"], caps["rows"], caps["groups"], ALMOST_NOISELESS
            )
        except BaseException as error:
            # A panic that says "not yet implemented" is a refusal, though `except Exception`
            # does not catch it. Other panics are crashes.
            panicked = type(error).__name__ == "PanicException"
            if isinstance(error, Exception) or (panicked and "not yet impl" in str(error)):
                raise Refused(f"{type(error).__name__}: {error}") from None
            raise
        return execute(engine, private.relation())


def unsized(dataset: Any) -> Any:
    """The dataset with every table's exact size replaced by a bound that says nothing."""

    def widened(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                k: str(LARGEST) if k == "size" and isinstance(v, str) else widened(v)
                for k, v in node.items()
            }
        return [widened(v) for v in node] if isinstance(node, list) else node

    size = json.loads(dataset.size)
    described = {
        "@type": "sarus_data_spec/sarus_data_spec.Dataset",
        "uuid": size["dataset"],
        "name": "Transformed",
        "spec": {"transformed": {"transform": "0", "arguments": [], "named_arguments": {}}},
        "properties": {},
        "doc": "",
    }
    return Dataset.from_str(json.dumps(described), dataset.schema, json.dumps(widened(size)))


def execute(engine: Any, relation: Any) -> tuple[list[str], list[Any]]:
    sql = relation.to_query(Dialect.PostgreSql).replace("%", "%%")
    with engine.connect() as connection:
        cursor = connection.exec_driver_sql(sql)
        return list(cursor.keys()), [list(row) for row in cursor.fetchall()]


if __name__ == "__main__":
    run(Qrlew)
