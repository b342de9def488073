"""Counts the clicks of each page in the memory of the process."""

import os

import gradio


def click(count):
    return count + 1, f"count={count + 1} pid={os.getpid()}."


with gradio.Blocks() as demo:
    count = gradio.State(0)
    more = gradio.Button("more", elem_id="more")
    out = gradio.Textbox(f"count=0 pid={os.getpid()}.", elem_id="out")
    more.click(click, count, [count, out])

demo.launch(server_name="127.0.0.1", quiet=True)
