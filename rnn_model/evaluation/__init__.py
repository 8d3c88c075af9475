"""Evaluation of trained runs on one split of a data set.

In the order in which a drawing meets them:

  loaded_run        a run with its best model and training history
  evaluator         logits of a model; metrics of one model, also used in training
  compare_runs      one pass over the split, for several runs on the same drawings
  metrics           top-k, MAP@3, loss and calibration as weighted sums
  bootstrap         weights of the Poisson bootstrap, 95 % confidence intervals
  run_metrics       everything that is accumulated for a run, and for a pair of runs
  subgroups         metrics by country, by number of points, recognized or not
  confusion_matrix  counts, most confused pairs, order by clustering
  mcnemar           McNemar's test for a pair of runs
  example_gallery   example drawings for the report
  partial_drawings  metrics on the first 25, 50 and 75 % of the points of a sample
  unknown_words     AUROC of the confidence for known against unknown words
  latency           milliseconds for a single drawing
  report/           the result as `metrics.json`, text table and HTML report
"""
