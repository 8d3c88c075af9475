"""Models of drawings: input pipeline, networks, training, evaluation, sweeps.

In the order in which a drawing meets them:

    input_pipeline, augmentation    records → batches
    models                          batch → logits
    config, workdir, checkpoints    the settings and the files of a run
    training                        the training loop; train_command is its command line
    distributed, launch             several workers train one model
    evaluation                      metrics, comparison and report of runs;
                                    evaluate_command is its command line
    sweep                           many runs with different settings

Modules that the commands import at their start do not import TensorFlow, so that
`--help` and errors in flags take no time.
"""
