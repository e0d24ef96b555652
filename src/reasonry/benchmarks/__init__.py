"""What students are scored on: `(options) -> Iterator[Question or Drop]`, as a source, with an evaluation's options."""
