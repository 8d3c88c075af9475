"""Colors of the reports, shared by the style sheet and the plots."""

LIGHT = {
    "page": "#f6f6f3",
    "card": "#ffffff",
    "text": "#1d1f23",
    "muted": "#6b6f76",
    "line": "#e3e3de",
    "accent": "#2f62c9",
    "series-1": "#3568cf",
    "series-2": "#e08a1e",
    "series-3": "#2a9d74",
    "series-4": "#b04a8f",
    "series-5": "#7a7f87",
    "first-stroke": "#14315f",
    "last-stroke": "#4f9be8",
}
"""Name of each CSS variable and its color in the light theme; all are different."""

DARK = {
    "page": "#15171a",
    "card": "#1e2125",
    "text": "#e9eaec",
    "muted": "#9ba1a9",
    "line": "#33373d",
    "accent": "#86aef5",
    "series-1": "#7ba4f2",
    "series-2": "#eeaa55",
    "series-3": "#5cc59c",
    "series-4": "#d983bd",
    "series-5": "#9ba1a9",
    "first-stroke": "#f4f7fd",
    "last-stroke": "#5f93e0",
}
"""The same variables in the dark theme."""

STROKE_SHADES = 6
"""Number of shades from a drawing's first stroke to its last."""
