internal import Backends
internal import HTTPWire
internal import Reactor
internal import Routing

/// Requests as FastCGI parameters (RFC 3875 section 4.1): what is known of each, its fields, and what the
/// configuration adds.
///
/// Belongs to the loop's thread.
@safe
final class FastCGIHeads {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let upstreams: Upstreams
    private let shared: SharedState
    private let plan: Plan
    /// Where parameters are put together; none before the first.
    private var memory: UnsafeMutableBufferPointer<UInt8>

    init(_ owners: Owners) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        upstreams = owners.upstreams
        shared = owners.shared
        plan = owners.plan
        unsafe memory = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    deinit { unsafe memory.deallocate() }

    /// Renders the head that was parsed last into the process's output; false: it does not fit.
    ///
    /// - Parameters:
    ///   - bytes: of the head.
    ///   - lines: the same as HTTP/1.1 would send it: of its fields all that begins with `HTTP_` is made.
    func render(
        _ exchange: Int, _ upstream: Int, _ bytes: Span<UInt8>, lines: Span<UInt8>
    ) -> Bool {
        guard let group = plan.fastCGI[Int(exchanges[exchange].group)],
            let script = exchanges.scriptPath(exchange, bytes)
        else { return false }
        makeRoom(8 * (bytes.count + lines.count) + 16 * 1024 + group.parameters.count)
        var sink = unsafe ByteSink(memory)
        writeRequest(exchange, bytes, into: &sink)
        writeScript(exchange, script.path, group, bytes, into: &sink)
        writeBody(exchange, into: &sink)
        writeEnds(exchange, bytes, into: &sink)
        FastCGIFields(lines).write(into: &sink)
        sink.append(group.parameters.span)
        if sink.overflowed { return false }
        let parameters = unsafe UnsafeBufferPointer(memory).span.extracting(..<sink.count)
        send(parameters, upstream)
        return true
    }

    private func makeRoom(_ count: Int) {
        guard unsafe memory.count < count else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(capacity: count)
    }

    /// What does not fit into the output follows it.
    private func send(_ parameters: Span<UInt8>, _ upstream: Int) {
        let keeps = plan.settings.groups[Int(upstreams[upstream].group)].keepalive
        upstreams.unsentHeads[upstream] = nil
        let fits = upstreams[upstream].output.write { sink in
            FastCGIRecords.writeHead(
                parameters: parameters, keepsConnection: keeps, into: &sink)
        }
        if fits { return }
        let length = FastCGIRecords.headLength(parameters: parameters.count)
        upstreams.unsentHeads[upstream] = FastCGIPlan.bytes(length) { sink in
            FastCGIRecords.writeHead(
                parameters: parameters, keepsConnection: keeps, into: &sink)
        }
    }

    // MARK: Parameters

    private func writeRequest(
        _ exchange: Int, _ bytes: Span<UInt8>, into sink: inout ByteSink
    ) {
        let entry = Int(exchanges[exchange].downstream)
        FastCGIParameters.write("GATEWAY_INTERFACE", text: "CGI/1.1", into: &sink)
        FastCGIParameters.write("SERVER_SOFTWARE", text: "mooring", into: &sink)
        // PHP asks for it where it must not be run by its own name (cgi.force_redirect).
        FastCGIParameters.write("REDIRECT_STATUS", text: "200", into: &sink)
        let method = exchanges.heads.request.methodName
        FastCGIParameters.write("REQUEST_METHOD", bytes.extracting(method), into: &sink)
        let query = exchanges.heads.request.query(bytes)
        FastCGIParameters.write("QUERY_STRING", bytes.extracting(query), into: &sink)
        let target = bytes.extracting(exchanges.heads.request.path.range)
        if exchanges.heads.request.pathIsImplied {
            let slash = Self.joined([UInt8(ascii: "/")].span, target)
            FastCGIParameters.write("REQUEST_URI", slash.span, into: &sink)
        } else {
            FastCGIParameters.write("REQUEST_URI", target, into: &sink)
        }
        let isStream = downstreams[entry].carrier.isStream
        FastCGIParameters.write(
            "SERVER_PROTOCOL",
            text: isStream
                ? "HTTP/2.0" : exchanges.heads.request.isHTTP11 ? "HTTP/1.1" : "HTTP/1.0",
            into: &sink)
        let isSecure = exchanges[exchange].isSecure
        FastCGIParameters.write(
            "REQUEST_SCHEME", text: isSecure ? "https" : "http", into: &sink)
        if isSecure { FastCGIParameters.write("HTTPS", text: "on", into: &sink) }
    }

    /// The path, split at the script.
    private func writeScript(
        _ exchange: Int, _ path: [UInt8], _ group: FastCGIPlan, _ bytes: Span<UInt8>,
        into sink: inout ByteSink
    ) {
        let split = exchanges[exchange].script
        let length = min(Int(split.length), path.count)
        var name = group.frontName
        var file = group.frontFile
        if name.isEmpty {
            name = Array(path[..<max(0, length)]) + (split.addsIndex ? group.index : [])
            if group.findsScripts { file = group.root + name }
        }
        let scriptName = exchanges.mount(exchange, bytes) + name
        let rest = length < 0 ? [] : Array(path[length...])
        FastCGIParameters.write("SCRIPT_NAME", scriptName.span, into: &sink)
        if !file.isEmpty { FastCGIParameters.write("SCRIPT_FILENAME", file.span, into: &sink) }
        if !rest.isEmpty { FastCGIParameters.write("PATH_INFO", rest.span, into: &sink) }
        let uri = scriptName + rest
        FastCGIParameters.write("DOCUMENT_URI", uri.span, into: &sink)
        if !group.root.isEmpty {
            FastCGIParameters.write("DOCUMENT_ROOT", group.root.span, into: &sink)
        }
    }

    private func writeBody(_ exchange: Int, into sink: inout ByteSink) {
        if exchanges[exchange].isMeasured {
            return FastCGIParameters.write(
                "CONTENT_LENGTH", decimal: exchanges[exchange].keptBytes, into: &sink)
        }
        switch exchanges.heads.request.body {
        case .none, .untilClose: break
        case .length(let length):
            FastCGIParameters.write("CONTENT_LENGTH", decimal: length, into: &sink)
        case .chunked:
            let name = plan.groups[Int(exchanges[exchange].group)].name
            shared.logThrottle.note(
                .unmeasuredBody, now: exchanges.now,
                "a body without a length, and longer than limits.request_buffer, goes to a process of"
                    + " group \(name); PHP reads none of such a body")
        }
    }

    /// Whose connection it is, and where it came to.
    private func writeEnds(
        _ exchange: Int, _ bytes: Span<UInt8>, into sink: inout ByteSink
    ) {
        let route = Int(exchanges[exchange].route)
        if plan.routes.plans[route].hasHostHeader {
            let host = plan.routes.hosts[route]
            let port = host.last == UInt8(ascii: "]") ? nil : host.lastIndex(of: UInt8(ascii: ":"))
            FastCGIParameters.write(
                "SERVER_NAME", host.span.extracting(0..<(port ?? host.count)), into: &sink)
        } else {
            let host = exchanges.heads.request.hostName(bytes)
            FastCGIParameters.write("SERVER_NAME", bytes.extracting(host), into: &sink)
        }
        let socket = socket(of: Int(exchanges[exchange].downstream))
        if let local = socket.localAddress, let address = Self.address(local) {
            Self.write("SERVER_ADDR", address, into: &sink)
            FastCGIParameters.write("SERVER_PORT", decimal: UInt64(local.port), into: &sink)
        } else {
            FastCGIParameters.write(
                "SERVER_PORT", decimal: exchanges[exchange].isSecure ? 443 : 80, into: &sink)
        }
        guard let client = exchanges[exchange].client else {
            return FastCGIParameters.write("REMOTE_ADDR", text: "unix:", into: &sink)
        }
        Self.write("REMOTE_ADDR", client, into: &sink)
        // A proxy's port says nothing of its client.
        if let peer = socket.peerAddress, Self.address(peer) == client {
            FastCGIParameters.write("REMOTE_PORT", decimal: UInt64(peer.port), into: &sink)
        }
    }

    private func socket(of downstream: Int) -> StreamSocket {
        switch downstreams[downstream].carrier {
        case .connection(let transport): transport.socket
        case .stream(let stream): downstreams[Int(stream.parent)].carrier.transport.socket
        }
    }

    private static func address(_ address: SocketAddress) -> IPAddress? {
        address.ip.map { IPAddress(high: $0.high, low: $0.low) }
    }

    private static func write(
        _ name: StaticString, _ address: IPAddress, into sink: inout ByteSink
    ) {
        let text = FastCGIPlan.bytes(IPAddress.maximumTextLength) { address.write(into: &$0) }
        FastCGIParameters.write(name, text.span, into: &sink)
    }

    private static func joined(_ one: Span<UInt8>, _ other: Span<UInt8>) -> [UInt8] {
        var all: [UInt8] = []
        for index in 0..<one.count { all.append(one[index]) }
        for index in 0..<other.count { all.append(other[index]) }
        return all
    }
}
