"""Text with one JSON object per drawing, in several containers.

In the order in which a file meets the modules:

    containers       ndjson, JSON documents, CSV, parquet rows → lines or items of JSON
    line_ranges      ndjson by ranges of bytes, for several readers of a file
    json_documents   arrays, single drawings, pandas columns, signature_pad
    csv_rows         Kaggle's CSV
    stroke_form      whether a file is simplified or raw, axes or points
    ndjson_lines     one line or item of JSON → `Drawing`
    json_strokes     the strokes of many simplified lines at once
"""
