"""How questions that ask the same are found, compared and sorted: the inside of `deduplicate`."""
