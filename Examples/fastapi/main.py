"""Counts each session's calls in the memory of the process; Mooring tells which session it is."""

import os

from fastapi import FastAPI, Header

app = FastAPI()
counts: dict[str, int] = {}


@app.get("/")
async def count(mooring_session: str = Header()):
    counts[mooring_session] = counts.get(mooring_session, 0) + 1
    return {"pid": os.getpid(), "count": counts[mooring_session]}
