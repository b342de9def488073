/// One step through a body.
package enum BodyEvent: Equatable, Sendable {
    /// Data at the given range, which may be empty; up to and with it, so many bytes are done with.
    case data(consumed: Int, Range<Int>)
    /// What is not consumed is to be given again, with more behind it.
    case needMore(consumed: Int)
    /// The framing says that this was all; what follows is another message. The last
    /// `trailerLength` bytes are the trailer section.
    case end(consumed: Int)
    case bad
}

/// A body in whatever framing, gone through in pieces; a few bytes of plain data.
package struct BodyDecoder: Sendable {
    private enum Kind: UInt8 {
        case none, length, chunked, untilClose
    }

    private var kind: Kind
    private var remaining: UInt64 = 0
    private var chunks = ChunkedDecoder()

    /// No body.
    package static var none: BodyDecoder { BodyDecoder(.none) }

    /// - Parameters:
    ///   - framing: Of the message.
    ///   - holdsTrailers: Trailers are wanted: they are consumed together, with the end of the
    ///     body.
    ///   - breakMark: As of `ResponseHead`; of a body in chunks alone.
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

    /// The same without a mark: for whom it matters only where the body ends.
    package var ignoringMark: BodyDecoder {
        var decoder = self
        decoder.chunks.ignoreMark()
        return decoder
    }

    /// All of it has been gone through.
    package var isEnded: Bool {
        switch kind {
        case .none: true
        case .length: remaining == 0
        case .chunked: chunks.isEnded
        case .untilClose: false
        }
    }

    /// The close of the connection is its regular end.
    package var endsWithConnection: Bool { kind == .untilClose }

    /// Bytes of the trailer section gone over so far, with its line ends and the empty line.
    package var trailerLength: Int { Int(chunks.trailerLength) }

    /// Room that the next event may take at its receiver, beside one byte of data at least.
    package var roomWanted: Int {
        kind == .chunked && chunks.isInTrailers ? BodyFrame.endRoom : BodyFrame.overhead + 1
    }

    /// The next step over bytes that follow what was consumed; not to be called once it has ended.
    ///
    /// - Parameters:
    ///   - bytes: At least one.
    ///   - limit: The most data that one event may name.
    package mutating func next(_ bytes: Span<UInt8>, limit: Int) -> BodyEvent {
        switch kind {
        case .none: return .end(consumed: 0)
        case .length:
            let count = Int(min(UInt64(min(bytes.count, limit)), remaining))
            remaining &-= UInt64(count)
            return .data(consumed: count, 0..<count)
        case .chunked: return chunks.next(bytes, limit: limit)
        case .untilClose:
            let count = min(bytes.count, limit)
            return .data(consumed: count, 0..<count)
        }
    }
}

/// Puts data into a body's framing.
package enum BodyFrame {
    /// What one piece of data costs beyond itself at most, and the last chunk behind it.
    package static let overhead = 32
    /// Ends a chunked body.
    package static let lastChunk: StaticString = "0\r\n\r\n"
    /// What the end of a chunked body with trailers takes at most.
    package static let endRoom = Trailers.limit + 7
    /// The length of a trailer section without trailers: its empty line.
    package static let noTrailers = 2

    /// Ends a chunked body with those of its trailers that may be forwarded.
    ///
    /// - Parameters:
    ///   - trailers: The trailer section as the decoder took it, or nothing.
    ///   - sink: Takes the end.
    package static func writeEnd(trailers: Span<UInt8>, into sink: inout ByteSink) {
        sink.append("0\r\n")
        Trailers.write(trailers, into: &sink)
        sink.append("\r\n")
    }

    /// Writes one piece of data, as a chunk or as it is; nothing for no data, which would be the
    /// end.
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
