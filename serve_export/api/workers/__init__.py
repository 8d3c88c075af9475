"""The processes that run the model.

    worker_groups      a queue for small jobs and one for large jobs
    worker_processes   one worker: a process, or a thread for a SavedModel
    inference          what a worker does with a body: parse, preprocess, run the model

Only workers load numpy and LiteRT.
"""
