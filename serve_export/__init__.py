"""From a trained run to answers: the export, and what stands on it."""

import os

# TensorFlow reads it when first imported; its start-up chatter hides our lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
