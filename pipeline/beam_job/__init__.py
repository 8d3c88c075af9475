"""The Beam job that makes a data set.

In the order of the work:

    launcher        checks the flags, locks the output folder, runs the job
    config          the settings that decide what a data set contains
    pipeline        the steps of the job, in order
    transforms      what each step does: read, parse, write
    splits          the split, the shard and the position of a drawing, from its key
    class_caps      at most N drawings of a class
    shard_shuffle   sorted runs of drawings, merged when a shard is written
    shard_writer    drawings to the bytes of a shard
    result          counts of lines and files, and the job's result
    output_dir      what an output folder may contain, and how it is published

How the job is run:

    local_runner    Beam on this machine, with worker_pool and progress
    cluster_runner  Beam on Flink, Spark or Dataflow
    errors          the errors of a runner as one line
"""
