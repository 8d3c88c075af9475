"""Feature names, types and shapes of a record, defined once.

A record is one `tf.train.Example` per drawing. The first three features have the names
and types of TensorFlow's tutorial `tutorials/rnn/quickdraw`, so its readers work.

    ink          FloatList[3·T]  rows (dx, dy, pen); the first row holds x/255 and
                                 y/255 of the first point, the others differences
                                 of points/255; pen is 1 on the last point of each
                                 stroke
    shape        Int64List[2]    [T, 3]
    class_index  Int64List[1]    index of the word in the sorted list of classes
    key_id       BytesList[1]    Google's key, or a hash of the content
    countrycode  BytesList[1]    two letters, empty if unknown
    timestamp    BytesList[1]    as published, empty if unknown
    recognized   Int64List[1]    1, 0, or -1 if unknown

A drawing that was published as a bitmap has, instead of ink and shape:

    bitmap       BytesList[1]    28×28 gray values <uint8>, row by row, white ink on
                                 black
"""

import re

FORMAT_VERSION = 1
"""Incremented when a reader of the previous version would misread the new one."""

INK = "ink"
BITMAP = "bitmap"
SHAPE = "shape"
CLASS_INDEX = "class_index"
KEY_ID = "key_id"
COUNTRYCODE = "countrycode"
TIMESTAMP = "timestamp"
RECOGNIZED = "recognized"

KINDS = (INK, BITMAP)
"""Kinds of data set, named after the feature that every record has."""

INK_WIDTH = 3
"""Number of columns of ink: dx, dy, pen."""

BITMAP_SIDE = 28
"""Side of a bitmap in pixels."""

RECOGNIZED_VALUES = {True: 1, False: 0, None: -1}

COMPRESSIONS = ("none", "gzip")

_SHARD_NAME = re.compile(r"[\w.+-]+-\d{5,}-of-\d{5,}\.tfrecord(\.gz)?")


def shard_name(split: str, index: int, count: int, compression: str = "none") -> str:
    """Returns the name of a shard: `train-00000-of-00010.tfrecord[.gz]`."""
    suffix = ".gz" if compression == "gzip" else ""
    return f"{split}-{index:05d}-of-{count:05d}.tfrecord{suffix}"


def is_shard_name(name: str) -> bool:
    """Returns whether a file name has the form of `shard_name`."""
    return _SHARD_NAME.fullmatch(name) is not None
