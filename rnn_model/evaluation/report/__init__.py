"""The result of an evaluation as files.

metrics_json   `metrics.json` and the text table
html_report    the page: metrics, subgroups, calibration, learning curves
pair_sections  its sections about pairs of runs
run_sections   its sections about each run: confusion matrix, classes, drawings
formatting     numbers, plots and drawings, shared by the sections
plots          the plots
"""
