/// One step through a body.
package enum BodyEvent: Equatable, Sendable {
    /// Data at the given range, which may be empty; `consumed` counts up to its end.
    case data(consumed: Int, Range<Int>)
    /// More bytes are needed; pass what was not consumed again, followed by more.
    case needMore(consumed: Int)
    /// The body is complete; what follows is another message.
    ///
    /// The last `trailerLength` bytes are the trailer section.
    case end(consumed: Int)
    case bad
}

/// Decodes a body of any framing piece by piece; a few bytes of plain data.
package struct BodyDecoder: Sendable {
    private enum Kind: UInt8 {
        case none, length, chunked, untilClose
        /// The same without framing of their own: `endStream` reports their end.
        case streamedNone, streamedLength, streamed
        /// `endStream` has reported it.
        case streamEnded
    }

    private var kind: Kind
    private var remaining: UInt64 = 0
    private var chunks = ChunkedDecoder()

    /// No body.
    package static var none: BodyDecoder { BodyDecoder(.none) }

    /// - Parameters:
    ///   - framing: the message's framing.
    ///   - holdsTrailers: whether trailers are wanted: they are consumed together with the end of
    ///     the body.
    ///   - breakMark: see `ResponseHead`; chunked bodies only.
    package init(_ framing: BodyFraming, holdsTrailers: Bool = false, breakMark: UInt64 = 0) {
        if holdsTrailers || breakMark != 0 {
            chunks = ChunkedDecoder(holdsTrailers: holdsTrailers, breakMark: breakMark)
        }
        switch framing {
        case .none: kind = .none
        case .length(let length):
            kind = .length
            remaining = length
        case .chunked: kind = .chunked
        case .untilClose: kind = .untilClose
        }
    }

    /// A body in the records of FastCGI, which are removed before, and whose end `endStream` reports.
    ///
    /// - Parameter framing: What the head says of it; what is beyond a length is thrown away.
    package init(streamed framing: BodyFraming) {
        switch framing {
        case .none: kind = .streamedNone
        case .length(let length):
            kind = .streamedLength
            remaining = length
        case .chunked, .untilClose: kind = .streamed
        }
    }

    /// The stream has ended; false: the head has announced more.
    package mutating func endStream() -> Bool {
        kind = .streamEnded
        return remaining == 0
    }

    /// The same decoder without a mark, for callers that only need the end of the body.
    package var ignoringMark: BodyDecoder {
        var decoder = self
        decoder.chunks.ignoreMark()
        return decoder
    }

    /// Whether the whole body was decoded.
    package var isEnded: Bool {
        switch kind {
        case .none: true
        case .length: remaining == 0
        case .chunked: chunks.isEnded
        case .untilClose, .streamedNone, .streamedLength, .streamed: false
        case .streamEnded: true
        }
    }

    /// Whether closing the connection is the regular end of the body.
    package var endsWithConnection: Bool { kind == .untilClose }

    /// Its end was no part of it: in chunks one has to be made.
    package var endedBesideIt: Bool { kind == .untilClose || kind == .streamEnded }

    /// Bytes of the trailer section so far, including line ends and the empty line.
    package var trailerLength: Int { Int(chunks.trailerLength) }

    /// The space that the receiver needs for the next event in addition to one byte of data.
    package var roomWanted: Int {
        kind == .chunked && chunks.isInTrailers ? BodyFrame.endRoom : BodyFrame.overhead + 1
    }

    /// The next step over the bytes after those consumed; not after the end.
    ///
    /// - Parameters:
    ///   - bytes: at least one.
    ///   - limit: the most data that one event may name.
    package mutating func next(_ bytes: Span<UInt8>, limit: Int) -> BodyEvent {
        switch kind {
        case .none: return .end(consumed: 0)
        case .length:
            let count = Int(min(UInt64(min(bytes.count, limit)), remaining))
            remaining &-= UInt64(count)
            return .data(consumed: count, 0..<count)
        case .chunked: return chunks.next(bytes, limit: limit)
        case .untilClose, .streamed:
            let count = min(bytes.count, limit)
            return .data(consumed: count, 0..<count)
        case .streamedLength:
            if remaining == 0 { return .data(consumed: bytes.count, 0..<0) }
            let count = Int(min(UInt64(min(bytes.count, limit)), remaining))
            remaining &-= UInt64(count)
            return .data(consumed: count, 0..<count)
        case .streamedNone: return .data(consumed: bytes.count, 0..<0)
        case .streamEnded: return .end(consumed: 0)
        }
    }
}

/// Writes data in a body's framing.
package enum BodyFrame {
    /// The framing overhead of one piece of data, including the last chunk, at most.
    package static let overhead = 32
    /// Ends a chunked body.
    package static let lastChunk: StaticString = "0\r\n\r\n"
    /// The size of the end of a chunked body with trailers, at most.
    package static let endRoom = Trailers.limit + 7
    /// The length of a trailer section without trailers: its empty line.
    package static let noTrailers = 2

    /// Writes the end of a chunked body with those of its trailers that may be forwarded.
    ///
    /// - Parameters:
    ///   - trailers: the trailer section as the decoder received it, or empty.
    ///   - sink: receives the end.
    package static func writeEnd(trailers: Span<UInt8>, into sink: inout ByteSink) {
        sink.append("0\r\n")
        Trailers.write(trailers, into: &sink)
        sink.append("\r\n")
    }

    /// Writes one piece of data, as a chunk or unframed; writes nothing for no data, since an empty
    /// chunk would be the end.
    package static func write(_ data: Span<UInt8>, chunked: Bool, into sink: inout ByteSink) {
        if data.isEmpty { return }
        if chunked {
            sink.append(hex: UInt64(data.count))
            sink.append("\r\n")
        }
        sink.append(data)
        if chunked { sink.append("\r\n") }
    }
}
