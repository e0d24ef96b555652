"""A package that a sandbox is told to show."""

x = 9
