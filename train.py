"""Trains a model; see `rnn_model/train_command.py`."""

from rnn_model.train_command import run

if __name__ == "__main__":
    run()
