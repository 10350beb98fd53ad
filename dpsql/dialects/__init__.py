"""One engine a file: connection, read-only snapshot, timeout, types, catalog."""
