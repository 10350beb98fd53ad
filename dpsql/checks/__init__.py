"""One refusal a file: what is not allowed, found before anything is charged."""
