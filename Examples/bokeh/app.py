"""Counts the changes of each page's field in the memory of the process."""

import os

from bokeh.layouts import column
from bokeh.models import Div, TextInput
from bokeh.plotting import curdoc, figure

count = 0


def more(attribute, old, new):
    global count
    count += 1
    out.text = f"count={count} pid={os.getpid()}."


out = Div(name="out", text=f"count=0 pid={os.getpid()}.")
field = TextInput(name="field")
field.on_change("value", more)
curdoc().add_root(column(figure(height=100), field, out))
