"""The rules of the select stage, one file each: what is kept of a question, of its traces, and of each group."""
