"""Text with one JSON object per drawing, in several containers.

containers       ndjson, JSON documents, CSV, parquet rows → lines or items of JSON
stroke_layout    whether strokes are lists of axes or lists of points
stroke_form      whether a file is simplified or raw
ndjson_lines     one line or item of JSON → `Drawing`
json_strokes     the strokes of many simplified lines at once
json_documents   arrays, single drawings, pandas columns, signature_pad
csv_rows         Kaggle's CSV
"""
