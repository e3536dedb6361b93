"""Whose traffic moves: questions asked of the listener model."""
