"""Limits of requests and connections, in the order in which a request meets them.

    http_limits    open connections; size and time of a request's head
    rate_limiter   requests per second of a client address
    request_body   size, time and total memory of bodies

Limits that depend on the content of a body are those of `workers.inference`.
"""
