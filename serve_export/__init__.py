"""Exports a trained model and classifies drawings with it.

In the order in which a model and then a drawing pass through them:

- `export` writes a run in the export formats: `formats` converts it, `validation`
  compares the formats with Keras, `model_card` describes it, `publish` makes the new
  version visible. `layout` holds the file names.
- `predictor` classifies drawings with an export; `predict` and `show` are commands.
- `server` and `api` serve the predictor over HTTP, `static` is the web page.
- `pretrained` holds the bundled model.
"""
