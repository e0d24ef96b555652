"""Where questions come from: `(options) -> Iterator[Question or Drop]`, streamed, the same ones each time."""
