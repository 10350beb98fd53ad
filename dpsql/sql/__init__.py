"""Reading SQL text: sqlglot's parsers with GoogleSQL's privacy clauses, parameters, carets."""
