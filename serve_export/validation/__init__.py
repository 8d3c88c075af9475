"""Validation of an export before it is published.

`drawings` loads drawings, `compare_formats` classifies them with Keras and with every
format, `quantization_check` reports the accuracy lost by 8-bit weights, and
`export_metrics` collects the results for `metrics.json`.
"""
