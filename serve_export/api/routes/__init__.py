"""The paths of the server; each module makes the operations of one group.

    page             `/`, `/words` and their files; `/v1/about`
    predict          `/v1/predict`, `/v1/score`
    classes          `/v1/classes`, `/v1/examples/{word}` (with `animated_svg`)
    stored_drawings  `/v1/drawings`
    qr_code          `/v1/qr_code`
    tf_serving       `/v1/models/quickdraw`, TensorFlow Serving's REST API
    monitoring       `/healthz`, `/readyz`, `/metrics`

`job_handler` passes a body to the workers.
"""
