"""The `math` verifier beside its peers: accuracy on labelled pairs, and pairs per second of CPU time."""
