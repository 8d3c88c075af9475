"""The TensorFlow tutorial `tutorials/rnn/quickdraw`, as the baseline of the benchmarks.

`create_dataset` has its data preparation, `model` its network; `train` trains the
network to the end.
"""
