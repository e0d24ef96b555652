"""What runs on the other side of the wall: standard library only, never imported by the host's own code.

The box is started by the base interpreter without `site`, so nothing here may need an installed package.
"""
