"""The command line: verbs become library calls, errors become exit codes. No logic of its own."""
