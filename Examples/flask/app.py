"""Counts each visitor's calls in the memory of the process; the cookie of Flask tells who it is."""

import os
import secrets

from flask import Flask, session

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY", "for the example only")
counts = {}


@app.get("/")
def count():
    name = session.setdefault("name", secrets.token_hex(8))
    counts[name] = counts.get(name, 0) + 1
    return {"pid": os.getpid(), "count": counts[name]}
