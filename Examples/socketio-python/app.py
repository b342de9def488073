"""A Socket.IO server that counts what each client sends."""

import os

import socketio

# A client that is gone is noticed within seconds.
server = socketio.AsyncServer(async_mode="asgi", ping_interval=5)
app = socketio.ASGIApp(server)
counts = {}


@server.event
async def count(sid, data):
    counts[sid] = counts.get(sid, 0) + 1
    return {"pid": os.getpid(), "count": counts[sid]}


@server.event
async def disconnect(sid, reason):
    counts.pop(sid, None)
