internal import HTTPWire

private let hint = Array("HTTP/1.1 103 Early Hints\r\n\r\n".utf8)
private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
private let responses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nok",
].map { Array($0.utf8) }

/// What the user of one stream has seen.
private struct Seen {
    var bytes: [UInt8] = []
    var isEnded = false
    var isReset = false
    /// It was given up before all was read.
    var isCut = false
    var isAnswered = false
}

/// A connection that is fed octets, and its user, who does one thing or another by the dice.
private final class Run {
    let connection: HTTP2Connection
    /// What the connection holds.
    let memory = HTTP2Memory()
    /// The client takes what it is sent, now and then; else nothing until all was fed.
    let takes: Bool
    var dice: InputDice
    var streams: [Int32: Seen] = [:]
    var isClosed = false
    private var room = [UInt8](repeating: 0, count: 4096)

    init(_ bytes: [UInt8], takes: Bool) {
        self.takes = takes
        dice = InputDice(bytes)
        var settings = HTTP2Settings()
        settings.maxConcurrentStreams = 8
        settings.maxHeaderListSize = 2048
        settings.streamWindow = 1000
        settings.outputLimit = 50
        connection = HTTP2Connection(settings, memory: memory)
    }

    func feed(_ bytes: [UInt8], step: Int) {
        var start = 0
        while start < bytes.count {
            let end = start + min(step, bytes.count - start)
            let progress = connection.receive(bytes.span.extracting(start..<end), now: 1)
            require(!isClosed || progress != .ok, "a closed connection stays closed")
            isClosed = progress != .ok
            start = end
            takeEvents()
            if takes, dice.roll(3) == 0 { send() }
            require(memory.bytes <= 512 * 1024, "what a client makes this side hold is bounded")
        }
        send()
        for id in streams.keys.sorted() { read(id) }
    }

    private func takeEvents() {
        while let event = connection.nextEvent() {
            switch event {
            case .opened(let id):
                require(streams[id] == nil, "a stream is opened once")
                streams[id] = Seen()
                read(id)
            case .readable(let id):
                require(streams[id] != nil, "events are of open streams")
                if dice.roll(4) > 0 { read(id) }
            case .writable(let id):
                require(streams[id] != nil, "events are of open streams")
            case .reset(let id):
                require(streams[id]?.isReset == false, "a reset is reported once")
                streams[id]?.isReset = true
                connection.forget(id)
            }
        }
        require(connection.openStreams <= 16, "streams are bounded")
    }

    private func read(_ id: Int32) {
        while true {
            let count = 1 + dice.roll(room.count)
            let result = unsafe room.withUnsafeMutableBytes { bytes in
                unsafe connection.read(
                    id, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            }
            switch result {
            case .moved(let moved):
                require(moved <= count, "no more is read than there is room")
                streams[id]?.bytes += room[..<moved]
            case .wouldBlock: return
            case .end:
                streams[id]?.isEnded = true
                return
            case .reset:
                streams[id]?.isCut = true
                return
            }
            act(id)
        }
    }

    private func act(_ id: Int32) {
        switch dice.roll(8) {
        case 0 where streams[id]?.isAnswered == false:
            streams[id]?.isAnswered = true
            let response = responses[dice.roll(responses.count)]
            _ = unsafe response.withUnsafeBytes { unsafe connection.write(id, $0) }
        case 1: connection.finish(id)
        case 4 where streams[id]?.isAnswered == false:
            for _ in 0..<dice.roll(200) {
                _ = unsafe hint.withUnsafeBytes { unsafe connection.write(id, $0) }
            }
        case 2 where dice.roll(10) == 0:
            connection.reset(id)
            streams[id]?.isCut = true
        case 3 where dice.roll(100) == 0: connection.goAway()
        default: break
        }
    }

    private func send() {
        for _ in 0..<1000 {
            let count = 1 + dice.roll(room.count)
            let sent = unsafe room.withUnsafeMutableBytes { bytes in
                unsafe connection.send(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            }
            takeEvents()
            if sent == 0 { return }
        }
    }
}

/// What a stream gave is one request, or the beginning of one that is refused, and nothing behind it.
private func requireOneRequest(_ seen: Seen) {
    var head = RequestHead()
    var scan = 0
    let result = head.parse(seen.bytes.span, resumeFrom: &scan, limit: 2048)
    guard result == .complete else {
        require(result != .incomplete || seen.isCut, "a head is whole or refused")
        return
    }
    if !head.upgrade.isEmpty { return }
    var decoder = BodyDecoder(head.body)
    var position = head.headLength
    while position < seen.bytes.count {
        require(!decoder.isEnded, "nothing is behind a request")
        let rest = seen.bytes.span.extracting(position..<seen.bytes.count)
        switch decoder.next(rest, limit: .max) {
        case .data(let consumed, _), .end(let consumed): position += consumed
        case .needMore: return require(!seen.isEnded, "a body is whole when the stream ends")
        case .bad: fatalError("a body is framed well")
        }
    }
    require(decoder.isEnded || !seen.isEnded, "a body is whole when the stream ends")
}

/// What is still counted when the connection has gone.
private func tryOut(_ bytes: [UInt8], takes: Bool) -> HTTP2Memory {
    let run = Run(bytes, takes: takes)
    run.feed(preface + bytes, step: 1 + run.dice.roll(bytes.count + 24))
    for seen in run.streams.values { requireOneRequest(seen) }
    for id in run.streams.keys.sorted() { run.connection.forget(id) }
    return run.memory
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP2(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    for takes in [true, false] {
        let memory = tryOut(bytes, takes: takes)
        require(memory.bytes == 0, "nothing is left of a connection")
    }
    return 0
}
