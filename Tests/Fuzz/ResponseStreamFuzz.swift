internal import HTTPWire

private let limit = 4096
private let noCookie: [UInt8] = []
private let date = Array("Sun, 22 Nov 2026 10:00:00 GMT".utf8)
private let late = Array("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged".utf8)

/// What one client is sent of a backend's bytes, and how many of them that took.
private struct Passage: Equatable {
    enum End: Equatable {
        /// The response is whole; what follows it belongs to no request.
        case whole
        /// The backend has closed, and that is the end of the body.
        case closed
        case incomplete
        case bad
    }

    var out: [UInt8] = []
    var interims = 0
    var status: UInt16 = 0
    var body: [UInt8] = []
    var consumed = 0
    var end = End.incomplete
}

/// Passes a backend's bytes on as they come, in pieces of at most `step`, and then its close.
private struct Backend {
    let bytes: [UInt8]
    let step: Int
    let method: RequestMethod
    var passage = Passage()
    private var available = 0

    init(_ bytes: [UInt8], step: Int, method: RequestMethod) {
        self.bytes = bytes
        self.step = max(1, step)
        self.method = method
    }

    /// More has come; false: the backend has closed.
    private mutating func receive() -> Bool {
        if available == bytes.count { return false }
        available = min(bytes.count, available + step)
        return true
    }

    private mutating func add(_ write: (inout ByteSink) -> Void) {
        passage.out += written(capacity: 1 << 16, write) ?? []
    }

    mutating func run() -> Passage {
        let bytes = bytes
        var scan = 0
        while true {
            var head = ResponseHead()
            let parsed = head.parse(
                bytes.span.extracting(passage.consumed..<available), resumeFrom: &scan,
                limit: limit, requestMethod: method)
            switch parsed {
            case .rejected: return end(.bad)
            case .incomplete:
                if !receive() { return passage }
            case .complete:
                scan = 0
                if head.isSwitchingProtocols { return end(.bad) }
                if !head.isInformational { return passFinal(head) }
                let said = bytes.span.extracting(passage.consumed..<available)
                passage.out +=
                    written { head.writeInformational(from: said, into: &$0) } ?? []
                passage.interims += 1
                passage.consumed += head.headLength
            }
        }
    }

    private mutating func passFinal(_ head: consuming ResponseHead) -> Passage {
        passage.status = head.status
        let framing: ResponseFraming =
            switch head.body {
            case .none: .none
            case .length: .length
            case .chunked, .untilClose: .chunked
            }
        let bytes = bytes
        let said = bytes.span.extracting(passage.consumed..<available)
        passage.out +=
            written { sink in
                head.write(
                    from: said, framing: framing, closes: false, date: date.span,
                    setCookie: noCookie.span, trailers: false, into: &sink)
            } ?? []
        passage.consumed += head.headLength
        var decoder = BodyDecoder(head.body, breakMark: head.breakMark)
        while !decoder.isEnded {
            if passage.consumed == available, !receive() {
                return decoder.endsWithConnection ? finish(.closed, framing) : passage
            }
            let start = passage.consumed
            switch decoder.next(bytes.span.extracting(start..<available), limit: 1000) {
            case .data(let consumed, let range):
                let data = Array(bytes[start + range.lowerBound..<start + range.upperBound])
                add { BodyFrame.write(data.span, chunked: framing == .chunked, into: &$0) }
                passage.body += data
                passage.consumed += consumed
            case .needMore(let consumed):
                passage.consumed += consumed
                if !receive() { return passage }
            case .end(let consumed):
                passage.consumed += consumed
            case .bad: return end(.bad)
            }
        }
        return finish(.whole, framing)
    }

    private mutating func finish(_ how: Passage.End, _ framing: ResponseFraming) -> Passage {
        if framing == .chunked { add { $0.append(BodyFrame.lastChunk) } }
        return end(how)
    }

    private mutating func end(_ how: Passage.End) -> Passage {
        passage.end = how
        return passage
    }
}

/// What a client of HTTP/2 that reads nothing makes this side hold.
private func requireBounded(_ out: [UInt8]) {
    let memory = HTTP2Memory()
    do {
        var settings = HTTP2Settings()
        settings.outputLimit = 2000
        let connection = HTTP2Connection(settings, memory: memory)
        let request: [UInt8] =
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
            + [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41, 0x01, 0x61]
        require(connection.receive(request.span, now: 1) == .ok, "the request is one")
        for _ in 0..<20 { _ = unsafe out.withUnsafeBytes { unsafe connection.write(1, $0) } }
        require(memory.bytes < 32 * 1024, "unread memory is bounded")
    }
    require(memory.bytes == 0, "nothing is left of a connection")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponseStream(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe input(data, count)
    var dice = InputDice(bytes)
    for method in [RequestMethod.get, .head] {
        var backend = Backend(bytes, step: bytes.count, method: method)
        let whole = backend.run()
        for step in [1, 1 + dice.roll(40), 1 + dice.roll(bytes.count)] {
            var slow = Backend(bytes, step: step, method: method)
            let pieces = slow.run()
            if pieces.end == .bad || whole.end == .bad { continue }
            require(pieces.body == whole.body, "pieces have the body of the whole")
            require(pieces.consumed == whole.consumed, "and end where it ends")
            require(pieces.end == whole.end && pieces.status == whole.status, "and as it does")
        }
        requireBounded(whole.out)
        guard whole.end == .whole || whole.end == .closed else { continue }
        if whole.end == .whole {
            var pouring = Backend(bytes + late, step: bytes.count + late.count, method: method)
            require(pouring.run() == whole, "late bytes belong to no stream")
        }
        var client = Backend(whole.out, step: 1 + dice.roll(200), method: method)
        let seen = client.run()
        require(seen.end == .whole, "what is passed on is a whole response")
        require(seen.consumed == whole.out.count, "and nothing is behind it")
        require(seen.status == whole.status && seen.body == whole.body, "and the same one")
        require(seen.interims == whole.interims, "with the same heads before it")
    }
    return 0
}
