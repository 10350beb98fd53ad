"""The words every stage shares: numbers, domains, relations, bounds. Knows no SQL, no engine."""
