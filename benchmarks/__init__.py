"""Measurements of speed and memory; most modules are commands.

Data sets: `create_dataset`, compared with the tutorial's method and plain Beam
(`beam_elementwise`). Training: `train`, compared with the tutorial's model,
`input_pipeline` and `training_memory`. Evaluation: `evaluate`. Serving: `serve`, with
`hostile_clients`. Growth: `scale`, and `plan` to extrapolate. `tutorial` is the
baseline; `data_job` and `processes` are shared helpers.
"""
