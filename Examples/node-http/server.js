// Counts each session's calls in the memory of the process; Mooring tells which session it is.
const http = require("node:http");
const counts = new Map();

http.createServer((request, response) => {
    const session = request.headers["mooring-session"];
    counts.set(session, (counts.get(session) ?? 0) + 1);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ pid: process.pid, count: counts.get(session) }));
}).listen(process.env.PORT, process.env.HOST);
