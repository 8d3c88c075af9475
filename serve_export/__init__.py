"""From a trained run to answers: the export, and what stands on it."""
