"""Every form in which drawings are published or saved, read as `Drawing`.

In the order in which a file meets the modules:

    input_files    which files a command reads
    reader         opens a file, plain or gzipped, local or remote
    registry       recognizes its format; the table of all formats
    blocks         blocks of complete drawings, the elements of the Beam job
    text           ndjson, JSON documents, CSV, and the rows of parquet files
    numpy_files    .npy and .npz: bitmaps and Sketch-RNN
    binary         Google's .bin
    images         folders of PNG, JPEG, GIF and WebP pictures
    vector_ink     SVG and InkML
    parquet        rows as Hugging Face publishes them
    tfrecord       the records of this package and of TensorFlow's tutorial
    words          the class name in a record, a file name or a folder name
    drawing        `Drawing`, the result

A format cuts a file into blocks and parses one item of a block. An item that is not a
drawing is a ValueError with the message `kind` or `kind: detail`; rejected items are
counted by kind. docs/formats.md shows a sample of each format.
"""

INPUT_FORMATS = (
    "auto",
    "simplified",
    "raw",
    "binary",
    "sketchrnn",
    "bitmap",
    "png",
    "svg",
    "inkml",
    "tfrecord",
)
"""The values of `--input_format`; all but "auto" are keys of `registry.FORMATS`."""
