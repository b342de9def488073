"""Counts the clicks of each page in the memory of the process."""

import os

from shiny import App, reactive, render, ui

page = ui.page_fluid(ui.input_action_button("more", "more"), ui.output_text("out"))


def server(input, output, session):
    @render.text
    def out():
        return f"count={input.more()} pid={os.getpid()}."


app = App(page, server)
