"""Hyperparameter sweeps: many training runs with different settings.

command    flags, and the steps of a sweep from top to bottom
space      the values and ranges to try
store      the trials and their states, an Optuna study in an SQLite file
launcher   runs the trials, several at a time
trial      one trial: a training run in its own process
results    ranking, text table and JSON
page       the HTML report
plots      its plots
"""
