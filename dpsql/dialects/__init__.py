"""Engines: what one must do (`engine`), the normal form in its words (`writing`).

DuckDB, as the owner's database (`duckdb`, and `duckdb_*` for opening, catalog, types, identity, and
what its answers are asked for at opening: `duckdb_drift`) and as the sealed instances above the
noise line (`sealed`, `naming`; `trial` runs over made-up rows before the charge); `interrupts`
serves all.
`files_*` and `duckdb_files`: tables of Parquet and CSV files as views of a database of our own.

PostgreSQL, as the owner's database:

postgres           the engine: snapshots, statements, time limits
postgres_open      a connection with every setting that changes what a text means
postgres_drift     what the server must compute as we rely on, asked when it is opened
postgres_catalog   tables, and keys that are enforced; postgres_types: types as they are read
postgres_checks    enforced CHECKs in DuckDB's words
postgres_rows      rows to Arrow, public values as parameters

and the normal form in its words, every operator in parentheses, total over all rows:

postgres_forms     relations, aggregates, windows
postgres_scalars   expressions over one row: leaves, conditions, choices
postgres_columns   a column read as its type in the catalog has it; told: types, columns in sight
postgres_terms     terms with types; the refusal of what there is no form of
postgres_numbers   arithmetic and functions of numbers, guarded; postgres_casts: conversions
postgres_moments   dates and timestamps; postgres_texts: texts; postgres_hashes: salted hashes
postgres_narrow    which values fit an INT

Spark, as the owner's database:

spark              the engine: statements, one session of its own; spark_stop: time limits
spark_open         sessions: in this process, by Spark Connect, beside an owner's; spark_url: URLs
spark_settings     what a statement's meaning depends on, pinned; spark_drift: asked after that
spark_catalog      tables, never a key; spark_types: types as they are read
spark_rows         rows from Arrow; spark_text: names, constants, given values
spark_files        over the files that a policy names, found as for DuckDB
spark_views        a table of files as a temporary view; spark_csv: a CSV's line as a row
"""
