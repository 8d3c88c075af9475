"""Converts a data set back to files for other tools.

command          the data set, its splits and the output folder
ndjson_writer    Google's simplified ndjson
png_writer       bitmaps in a folder per split and class
parquet_writer   the layout of the Hugging Face hub
file_names       names of files for arbitrary class names and keys
"""

from pipeline.convert.command import WRITERS, convert, run

__all__ = ["WRITERS", "convert", "run"]
