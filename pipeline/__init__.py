"""From published drawings to a data set of records, as a Beam job.

Nothing here imports TensorFlow: a Beam worker starts in a fraction of the time and
memory without it.
"""
