"""The simulated teacher, and the endpoint that it is behind."""
