"""Published drawings → a data set of records, and the geometry of drawings.

In the order in which a drawing meets the modules:

    sample, download   make or fetch drawings
    formats            files of every input format → `Drawing`
    class_names        the official words, and the classes that a user names
    simplification     raw strokes → simplified strokes
    strokes            strokes ↔ points ↔ ink, shared by training and serving
    rasterize          points → bitmap
    beam_job           drawings → shards; `create_dataset` is its command
    describe, report   pages about drawings and data sets
    convert            a data set → ndjson, pictures or parquet

Every module of this package works without TensorFlow, with which a Beam worker would
take four times the time and memory to start.
"""
