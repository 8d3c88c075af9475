"""Sweeps: a run for each of many settings, and which of them is best."""
