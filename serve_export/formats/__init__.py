"""Export formats: conversion from Keras, and runtimes for prediction.

`writer` writes a model in the chosen formats. `savedmodel`, `keras_file`, `litert`
(with `litert_metadata`) and `web` (with `litert_js`) convert it; `preprocessing`
describes its input. `savedmodel_runtime` and `litert_runtime` run it for the
`Predictor`.
"""
