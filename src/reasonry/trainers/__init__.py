"""Trainers: from conversations to a checkpoint, and from a checkpoint to answers."""
