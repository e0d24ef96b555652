"""The sandbox: what it refuses, what it bounds, and what it gives back."""
