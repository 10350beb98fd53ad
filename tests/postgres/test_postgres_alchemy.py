"""SQLAlchemy's reflection over PostgreSQL: tables of its default schema are named plainly."""

from __future__ import annotations

import equivalence_world
import sqlalchemy
import yaml


def test_tables_are_reflected(wide_url, tmp_path):
    policy = {**equivalence_world.POLICY, "database": wide_url, "ledger": "sqlite:///l.db"}
    path = tmp_path / "dpsql.yaml"
    path.write_text(yaml.safe_dump(policy))
    engine = sqlalchemy.create_engine(f"dpsql:///{path}?analyst=ana")
    found = sqlalchemy.inspect(engine)
    assert found.default_schema_name == "public"
    assert found.get_table_names() == ["events", "items", "persons", "shops", "visits"]
    assert found.get_pk_constraint("persons")["constrained_columns"] == ["pid"]
    (key,) = found.get_foreign_keys("visits")
    assert (key["referred_schema"], key["referred_table"]) == (None, "persons")
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT COUNT(*) FROM persons")).all()
    engine.dispose()
    assert rows == [(200,)]
