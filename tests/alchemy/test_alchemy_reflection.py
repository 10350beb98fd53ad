"""Reflection shows what the policy declares, typed, and nothing else that the database holds."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc, types
from sqlalchemy.engine import Connection, Engine

from dpsql.alchemy.types import HUGEINT, reflected


@pytest.fixture(scope="module")
def inspector(engine: Engine) -> Any:
    return sa.inspect(engine)


def test_schemas_and_tables(inspector: Any) -> None:
    assert inspector.default_schema_name == "main"
    assert inspector.get_schema_names() == ["main", "archive"]
    assert inspector.get_table_names() == ["patients", "visits", "cities"]
    assert inspector.get_table_names(schema="main") == ["patients", "visits", "cities"]
    assert inspector.get_table_names(schema="archive") == ["Notes"]
    assert inspector.get_table_names(schema="information_schema") == []
    assert inspector.get_view_names() == inspector.get_view_names("archive") == []
    assert inspector.get_temp_table_names() == []


def test_columns_and_types(inspector: Any) -> None:
    found = inspector.get_columns("patients")
    kinds = {column["name"]: type(column["type"]) for column in found}
    assert kinds == {
        "id": types.BIGINT,
        "age": types.INTEGER,
        "income": types.NUMERIC,
        "weight": types.Float,
        "born": types.DATE,
        "seen": types.TIMESTAMP,
        "member": types.BOOLEAN,
        "city": types.VARCHAR,
    }  # and no `secret`
    income = next(column["type"] for column in found if column["name"] == "income")
    assert (income.precision, income.scale) == (10, 2)
    nullable = {column["name"] for column in found if column["nullable"]}
    assert nullable == set(kinds) - {"id", "city"}  # by the schema, and by the policy
    assert all(column["default"] is None for column in found)
    visits = {column["name"]: column["type"] for column in inspector.get_columns("visits")}
    assert isinstance(visits["id"], HUGEINT)
    assert isinstance(visits["cost"], types.REAL)
    assert isinstance(visits["tags"], types.NullType)
    assert visits["end"].timezone
    assert not next(c["type"] for c in found if c["name"] == "seen").timezone


def test_comments_say_what_the_policy_says(inspector: Any) -> None:
    said = {column["name"]: column["comment"] for column in inspector.get_columns("patients")}
    assert said["city"] == "groups: Berlin, Oslo"
    assert said["age"] == "groups: 121 values; clamped to 0 to 120"
    assert said["id"] == "groups: the privacy unit"
    assert inspector.get_table_comment("patients") == {"text": "aggregates only"}
    assert inspector.get_table_comment("cities") == {"text": "public: may be read exactly"}


def test_keys(inspector: Any) -> None:
    def primary(table: str) -> Any:
        return inspector.get_pk_constraint(table)["constrained_columns"]

    assert (primary("patients"), primary("visits"), primary("cities")) == (
        *(["id"], ["id", "part"]),
        ["name"],
    )
    assert inspector.get_pk_constraint("Notes", "archive")["constrained_columns"] == []
    unique = [one["column_names"] for one in inspector.get_unique_constraints("cities")]
    assert unique == [["people"]]
    assert inspector.get_unique_constraints("patients") == []  # `secret` is hidden
    assert inspector.get_indexes("patients") == inspector.get_check_constraints("patients") == []


def test_foreign_keys_and_unit_paths(inspector: Any) -> None:
    def targets(table: str, schema: str | None = None) -> list[Any]:
        return [
            (
                key["constrained_columns"],
                key["referred_schema"],
                key["referred_table"],
                key["referred_columns"],
            )
            for key in inspector.get_foreign_keys(table, schema)
        ]

    assert targets("visits") == [(["patient_id"], None, "patients", ["id"])]  # once, not twice
    assert targets("visits", "main") == [(["patient_id"], "main", "patients", ["id"])]
    assert targets("patients") == [(["city"], None, "cities", ["name"])]
    # no foreign key in the database: the owner's path to the unit is what joins it
    assert targets("Notes", "archive") == [(["patient_id"], "main", "patients", ["id"])]


@pytest.mark.parametrize("name", ["undeclared", "nothing", "secret", "duckdb_tables", "%", ""])
def test_what_is_not_declared_does_not_exist(inspector: Any, name: str) -> None:
    assert not inspector.has_table(name)
    for ask in (
        inspector.get_columns,
        inspector.get_pk_constraint,
        inspector.get_foreign_keys,
        inspector.get_unique_constraints,
        inspector.get_indexes,
        inspector.get_check_constraints,
        inspector.get_table_comment,
        inspector.get_view_definition,
    ):
        with pytest.raises(exc.NoSuchTableError):
            ask(name)


def test_names_ignore_case_as_the_engine_does(inspector: Any) -> None:
    assert inspector.has_table("PATIENTS")
    assert inspector.has_table("notes", schema="archive")
    assert not inspector.has_table("Notes")


def test_a_whole_schema_is_reflected_with_its_joins(engine: Engine) -> None:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    assert set(metadata.tables) == {"patients", "visits", "cities"}
    patients, visits = metadata.tables["patients"], metadata.tables["visits"]
    joined = sa.join(patients, visits)
    assert str(joined.onclause) == "patients.id = visits.patient_id"
    metadata.reflect(engine, schema="archive")
    assert "archive.Notes" in metadata.tables


def test_reflection_asks_no_sql_and_costs_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dpsql

    with engine.connect() as connection:
        own: Any = connection.connection.dbapi_connection
        before = own.budget().share
        monkeypatch.setattr(dpsql.Cursor, "execute", None)
        sa.MetaData().reflect(connection)
        assert own.budget().share == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM duckdb_tables()",
        "SELECT * FROM sqlite_master",
        "SHOW nosuch",
        "PRAGMA table_info('patients')",
        "SELECT current_setting('memory_limit')",
    ],
)
def test_the_engines_own_metadata_is_refused_politely(connection: Connection, sql: str) -> None:
    with pytest.raises(exc.NotSupportedError) as caught:
        connection.execute(sa.text(sql))
    refusal: Any = caught.value.orig
    assert refusal.code in ("unknown-table", "not-a-query", "unsupported-function")
    assert refusal.hint
    assert "undeclared" not in str(refusal)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT table_name FROM information_schema.tables",
        "SHOW TABLES",
        "DESCRIBE patients",
        "SELECT current_schema()",
        "SELECT * FROM patients LIMIT 0",
    ],
)
def test_metadata_as_sql_is_what_is_declared(connection: Connection, sql: str) -> None:
    result = connection.execute(sa.text(sql))
    assert "undeclared" not in str([*result.keys(), *result.all()])


@pytest.mark.parametrize(
    ("type_text", "kind"),
    [
        ("TINYINT", types.SMALLINT),
        ("UTINYINT", types.SMALLINT),
        ("UINTEGER", types.BIGINT),
        ("UBIGINT", HUGEINT),
        ("DECIMAL(18,2)", types.NUMERIC),
        ("ENUM('a', 'b')", types.VARCHAR),
        ("VARCHAR COLLATE", types.VARCHAR),
        ("TIMESTAMP_NS", types.TIMESTAMP),
        ("TIME", types.TIME),
        ("BLOB", types.BLOB),
        ("INTEGER[]", types.NullType),
        ("STRUCT(a INTEGER)", types.NullType),
        ("INTERVAL", types.NullType),
        ("UUID", types.NullType),
        ("GEOMETRY", types.NullType),
    ],
)
def test_types(type_text: str, kind: type[Any]) -> None:
    assert type(reflected(type_text)) is kind
