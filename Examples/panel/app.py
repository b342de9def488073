"""Counts the clicks of each page in the memory of the process."""

import os

import panel

panel.extension(reconnect=True)         # a page whose connection was cut goes on in its process
count = 0
out = panel.pane.Str("", name="out")
more = panel.widgets.Button(name="more")


def click(event=None):
    global count
    count += event is not None
    out.object = f"count={count} pid={os.getpid()}."


click()
more.on_click(click)
panel.Column(more, out).servable()
