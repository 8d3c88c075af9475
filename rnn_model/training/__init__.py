"""Training of one run, in the order in which it happens.

loop            train_and_evaluate: the whole of it
precision       bfloat16 or float32
class_balance   repetition of rare classes, offsets of the logits
train_state     model, optimizer, position in the data; the content of a checkpoint
optimizer       optimizer and learning rate schedule
resume          continues a run, or refuses to
warm_start      starts from the weights of another run
distillation    the loss of learning from trained runs
train_step      loss, gradients and update of a batch, on all replicas
graceful_stop   stops after the current step on SIGTERM and Ctrl-C
"""
