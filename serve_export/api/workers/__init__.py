"""The processes that run the model.

    worker_groups        a queue for small jobs and one for large jobs
    worker_processes     one worker: a process, or a thread for a SavedModel
    inference            the jobs of a worker: parse, preprocess, run the model
    tf_serving_requests  parses the requests of TensorFlow Serving's REST API

The server's own process imports neither numpy nor LiteRT.
"""
