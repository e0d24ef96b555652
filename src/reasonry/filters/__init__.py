"""What happens to questions before money is spent: `(rows, options) -> Iterator[Question or Drop]`.

A filter gives exactly one output for each row, in order: the row itself, or a Drop that says by which rule and why.
"""
