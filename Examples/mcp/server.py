"""An MCP server over streamable HTTP whose tool counts in the memory of its process."""

import os

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("counter")
counts = {}


@server.tool()
def count(context: Context) -> str:
    """Counts the calls of this session."""
    session = context.headers["mcp-session-id"]
    counts[session] = counts.get(session, 0) + 1
    return f"{os.getpid()} {counts[session]}"


app = server.streamable_http_app()
