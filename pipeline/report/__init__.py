"""HTML reports: self-contained pages with tables, plots and thumbnails.

The describe command counts the drawings of a data set (`dataset_stats`), plots the
counts (`dataset_plots`) and arranges them on a page (`dataset_page`). The other
modules serve every report of the project: `page` (sections and their elements),
`thumbnails` (drawings), `figures` (matplotlib in the style of the page), `theme`
(colors), `text_table` (tables for terminals and Markdown).
"""
