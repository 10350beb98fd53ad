"""The SQLAlchemy dialect: `create_engine("dpsql:///dpsql.yaml?analyst=alice")`, 1.4 and 2.x.

    url.py         what a URL says, as arguments of dpsql.connect
    dialect.py     connections, execution, privacy options
    compiler.py    SQLAlchemy's expressions as SQL that dpsql answers
    types.py       the engine's type names as SQLAlchemy types
    reflection.py  tables, columns, keys: from the policy and the schema, never from a row
    old_version.py what pandas is told on SQLAlchemy 1.4

SQLAlchemy finds it by the entry point `sqlalchemy.dialects: dpsql` in pyproject.toml.
"""

from dpsql.alchemy.dialect import DPDialect

__all__ = ["DPDialect"]
