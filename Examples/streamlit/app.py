"""Counts the clicks of each visitor in the memory of the process."""

import os

import streamlit as st

st.session_state.setdefault("count", 0)
if st.button("more"):
    st.session_state.count += 1
st.write(f"count={st.session_state.count} pid={os.getpid()}.")
