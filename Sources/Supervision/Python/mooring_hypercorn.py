"""A WebSocket of hypercorn that tells its application how the client has closed it."""

from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.ws_stream import WSStream
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection


class WebSocketStream(WSStream):
    client_close = None

    async def handle(self, event):
        if isinstance(event, StreamClosed) and self.client_close and self.app_put and not self.closed:
            self.closed = True
            code, reason = self.client_close
            await self.app_put({"type": "websocket.disconnect", "code": code, "reason": reason})
        else:
            await super().handle(event)

    async def _send_wsproto_event(self, event):
        # The answer to the client's close repeats it.
        if isinstance(event, CloseConnection) and self.connection.state is ConnectionState.REMOTE_CLOSING:
            self.client_close = (int(event.code), event.reason)
        await super()._send_wsproto_event(event)
