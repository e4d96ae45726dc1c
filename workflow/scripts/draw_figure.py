"""Rule draw_figure: to come."""
