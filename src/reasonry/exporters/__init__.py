"""Exporters: from the sealed tables of a run to files that others can load."""
