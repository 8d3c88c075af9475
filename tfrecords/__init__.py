"""The record: what a drawing is on disk, and how it is written and read."""
