"""Measurements of speed and memory; each module is a command.

Data sets: `create_dataset` beside the tutorial's method (`tutorial_create_dataset`) and
plain Beam (`beam_elementwise`). Training: `train` beside the tutorial's model
(`tutorial_model`, trained to the end by `train_tutorial`), `input_pipeline`,
`training_memory`. Evaluation: `evaluate`. Serving: `serve`. Growth: `scale`, and `plan`
to extrapolate. `data_job` and `processes` are shared helpers.
"""
