/// Splits the HTTP/1.1 response that is written to a stream into heads, data, trailers and end.
struct HTTP2ResponseTranslator {
    /// One step through the written bytes.
    enum Step: Equatable {
        /// A complete head within the given bytes.
        case head(consumed: Int)
        /// A complete head, collected over several writes.
        case gatheredHead(consumed: Int)
        case data(consumed: Int, Range<Int>)
        case needMore(consumed: Int)
        /// The body has ended; the trailer section may have lines.
        case end(consumed: Int)
        /// Not a response; everything after it is ignored.
        case bad
    }

    private enum State {
        /// Before the final head. Can transition to: body, complete, failed.
        case head
        /// Can transition to: complete, failed.
        case body
        case complete
        /// The written bytes are not a response, or it was abandoned.
        ///
        /// Final.
        case failed
    }

    /// Mooring's own heads are far smaller.
    private static let headLimit = 256 * 1024

    private var state = State.head
    private var decoder = BodyDecoder.none
    /// The beginning of a head.
    private(set) var gathered: [UInt8] = []
    private var scan = 0
    /// The trailer section with its empty line, as it came.
    private(set) var trailers: [UInt8] = []
    /// The request's method was HEAD.
    var answersHead = false
    /// The request asked for a tunnel.
    var answersUpgrade = false

    var isComplete: Bool { state == .complete }
    /// Waits for the final head or more of the body.
    var isUnderWay: Bool { state == .head || state == .body }
    /// Whether closing the virtual connection is the regular end of the body.
    var endsWithConnection: Bool { state == .body && decoder.endsWithConnection }

    /// The next step over the bytes after those consumed; only while `isUnderWay`.
    ///
    /// - Parameters:
    ///   - bytes: at least one.
    ///   - limit: the most data that one step may name, at least 1.
    mutating func next(_ bytes: Span<UInt8>, limit: Int) -> Step {
        switch state {
        case .head: return gatherHead(bytes)
        case .body: return stepBody(bytes, limit: limit)
        case .complete, .failed: return .bad
        }
    }

    private mutating func gatherHead(_ bytes: Span<UInt8>) -> Step {
        if gathered.isEmpty {
            var scan = 0
            if case .found(let end) = HeadLines.end(bytes, start: 0, resumeFrom: &scan) {
                return .head(consumed: end)
            }
        }
        let before = gathered.count
        let count = min(bytes.count, Self.headLimit - before)
        HTTP2RequestTranslator.append(bytes.extracting(0..<count), to: &gathered)
        var resume = scan
        let end = HeadLines.end(gathered.span, start: 0, resumeFrom: &resume)
        scan = resume
        switch end {
        case .found(let end):
            gathered.removeSubrange(end...)
            scan = 0
            return .gatheredHead(consumed: end - before)
        case .incomplete:
            return count == bytes.count ? .needMore(consumed: count) : .bad
        case .bareLineFeed:
            return .bad
        }
    }

    private mutating func stepBody(_ bytes: Span<UInt8>, limit: Int) -> Step {
        let seen = decoder.trailerLength
        let event = decoder.next(bytes, limit: limit)
        switch event {
        case .data(let consumed, let range):
            if decoder.isEnded { state = .complete }
            return .data(consumed: consumed, range)
        case .needMore(let consumed):
            keepTrailers(bytes.extracting(0..<consumed), decoder.trailerLength - seen)
            return .needMore(consumed: consumed)
        case .end(let consumed):
            keepTrailers(bytes.extracting(0..<consumed), decoder.trailerLength - seen)
            state = .complete
            return .end(consumed: consumed)
        case .bad:
            return .bad
        }
    }

    private mutating func keepTrailers(_ bytes: Span<UInt8>, _ count: Int) {
        guard count > 0 else { return }
        HTTP2RequestTranslator.append(bytes.extracting(last: count), to: &trailers)
    }

    /// Continues after a head.
    ///
    /// - Returns: the kind of head; after a 1xx another head follows.
    mutating func headWasRead(_ facts: HTTP2FieldList.Facts) -> HTTP2HeadKind {
        gathered.removeAll(keepingCapacity: false)
        if facts.status == 101 {
            guard answersUpgrade else { return .bad }
            decoder = BodyDecoder(.untilClose)
            state = .body
            return .switching
        }
        if facts.status < 200 { return .informational }
        decoder = BodyDecoder(framing(facts))
        state = decoder.isEnded ? .complete : .body
        return .final
    }

    /// RFC 9112 section 6.3.
    private func framing(_ facts: HTTP2FieldList.Facts) -> BodyFraming {
        if answersHead || facts.status == 204 || facts.status == 304 { return .none }
        if facts.isChunked { return .chunked }
        return facts.length.map { .length($0) } ?? .untilClose
    }

    /// The virtual connection closes; true: this is the regular end of the body.
    mutating func endWithConnection() -> Bool {
        guard endsWithConnection else { return false }
        state = .complete
        return true
    }

    mutating func fail() { state = .failed }
}

/// The kind of a response head.
enum HTTP2HeadKind {
    case informational
    /// The upgrade was accepted.
    case switching
    case final
    case bad
}
