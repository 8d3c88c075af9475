"""The HTTP API, in the order in which a request meets its modules.

    limits/      size, time and rate limits
    middleware   rate limit, unread bodies, security headers, metrics
    routes/      a module per group of paths
    workers/     the processes that run the model, and what they do with a request
    schemas      requests and responses of `/v1`
    tf_serving   requests and responses of TensorFlow Serving's REST API
    errors       error responses
    openapi      the OpenAPI document, and the page `/docs` from `templates/`
    metrics      metrics for Prometheus

`app` creates the application. `settings` are the limits that are command-line flags of
`serve_export.server`.
"""
