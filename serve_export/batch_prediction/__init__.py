"""Batch prediction as a Beam job; the command is `serve_export.predict_batch`.

`launcher` checks and runs the job, `pipeline` has its steps in order, `model_handlers`
run the model by Beam's RunInference, `output_files` writes the results.
"""
