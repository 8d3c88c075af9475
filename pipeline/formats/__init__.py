"""Every form in which Quick, Draw! is published → `Drawing`.

    simplified, raw   lines.py      ndjson
    binary            binary.py     .bin
    sketchrnn         sketchrnn.py  .npz of train, valid and test
    bitmap            bitmaps.py    .npy, and .npz of images and labels
    png               png.py        folders of pictures

A format knows how to cut a file into blocks of whole drawings, and how to parse one of
them; `registry.py` knows all formats. What is no drawing is a ValueError whose message
reads `kind` or `kind: detail`; rejected drawings are counted by kind.
"""
