"""`python -m rnn_model.sweep`; see `rnn_model/sweep/command.py`."""

from rnn_model.sweep.command import run

if __name__ == "__main__":
    run()
