"""Evaluation of trained runs on one split of a data set.

In the order in which a drawing passes through:

  loaded_run        a run's best model and training history
  evaluator         logits of a model; metrics of one model, also used in training
  compare_runs      one pass over the split, for several runs on the same drawings
  run_metrics       everything that is accumulated for a run, and for a pair of runs
  metrics           top-k, MAP@3, loss and calibration as weighted sums
  bootstrap         Poisson bootstrap weights and 95 % intervals
  mcnemar           McNemar's test
  confusion_matrix  counts, most confused pairs, ordering by clustering
  subgroups         metrics by country, number of points, recognized or not
  example_gallery   examples of each class for the report
  unknown_words     AUROC of the confidence for known against unknown words
  partial_drawings  metrics on the first 25, 50 and 75 % of the points
  latency           milliseconds for a single drawing
  metrics_json      the result as `metrics.json` and as a text table
  report/           the result as an HTML report
"""
