"""Answers as text and bytes: what the command line, the demo and notebooks have in common.

`numbers` (value ± half-width), `text` (safe and aligned), `terminal` (what the other end can
show), `table`, `chart`, `records` (csv, json, jsonl), `binary` (parquet, arrow). Nothing here
reads data: values come from answers that are released already. `answers` and `declared` also show
what the policy says, prices and rules.
"""
