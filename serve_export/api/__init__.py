"""The HTTP API, in the order in which a request meets its modules.

http_limits       size and time limits of a request's head, connection limit
middleware        rate limit, security headers, request metrics
rate_limiter      requests per second of one client address
routes/           one module per group of paths
request_body      reads a body within its size and time limits
workers           queues of small and large jobs
worker_processes  the processes that run the model
inference         what a worker does with a body: parse, preprocess, run the model
schemas           requests and responses of `/v1`
tf_serving        requests and responses of TensorFlow Serving's REST API
errors            error responses
app               puts the parts together
openapi           the OpenAPI document and the page `/docs`
settings          limits, each a command-line flag of `serve_export.server`
"""
