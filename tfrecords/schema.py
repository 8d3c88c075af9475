"""What one record holds: the single place for feature names, types and shapes.

One `tf.train.Example` per drawing. Names and types of the first three features are
those of TensorFlow's tutorial `tutorials/rnn/quickdraw`, so its readers read ours.

    ink          FloatList[3·T]  rows (dx, dy, pen); the first row is the first
                                 point's own x/255 and y/255, the others are
                                 differences/255; pen is 1 on the last point of
                                 each stroke
    shape        Int64List[2]    [T, 3]
    class_index  Int64List[1]    place of the word in the sorted list of classes
    key_id       BytesList[1]    Google's key, or one made from the content
    countrycode  BytesList[1]    two letters, empty where not known
    timestamp    BytesList[1]    as published, empty where not known
    recognized   Int64List[1]    1, 0, or -1 where not known

A drawing that was published as a bitmap alone has, in place of ink and shape:

    bitmap       BytesList[1]    28×28 grey values <uint8>, row by row, white ink on
                                 black
"""

import re

FORMAT_VERSION = 1
"""Goes up whenever a reader of the last version would misread the new one."""

INK = "ink"
BITMAP = "bitmap"
SHAPE = "shape"
CLASS_INDEX = "class_index"
KEY_ID = "key_id"
COUNTRYCODE = "countrycode"
TIMESTAMP = "timestamp"
RECOGNIZED = "recognized"

KINDS = (INK, BITMAP)
"""What a data set may hold: one of these features in every record."""

INK_WIDTH = 3
"""Numbers in a row of ink: dx, dy, pen."""

BITMAP_SIDE = 28
"""Pixels along a side of a bitmap."""

RECOGNIZED_VALUES = {True: 1, False: 0, None: -1}

COMPRESSIONS = ("none", "gzip")

_SHARD_NAME = re.compile(r"[\w.+-]+-\d{5,}-of-\d{5,}\.tfrecord(\.gz)?")


def shard_name(split: str, index: int, count: int, compression: str = "none") -> str:
    """Names a shard: `train-00000-of-00010.tfrecord`, with `.gz` where compressed."""
    suffix = ".gz" if compression == "gzip" else ""
    return f"{split}-{index:05d}-of-{count:05d}.tfrecord{suffix}"


def is_shard_name(name: str) -> bool:
    """Says whether `shard_name` can have made a file's name."""
    return _SHARD_NAME.fullmatch(name) is not None
