"""`python -m reasonry` is `reasonry`."""

from reasonry.cli.main import main

main()
