"""The record format: what a drawing is on disk, and how it is written and read.

In the order in which a drawing meets the modules:

    schema         names, types and shapes of the features
    encode         drawing → `tf.train.Example` → TFRecord
    dataset_info   dataset_info.json: classes, splits, shards
    read           records → arrays, without TensorFlow
    decode         records → tensors; the only module that imports TensorFlow
    storage        local and remote files, for the whole project
"""
