/// Decodes chunked transfer coding (RFC 9112 section 7.1): strict, with every length bounded.
///
/// A few bytes of plain data. Chunk extensions are checked and dropped, as a recipient must do with
/// those it does not know (section 7.1.1); trailers are checked and left to the caller.
package struct ChunkedDecoder: Sendable {
    private enum State: UInt8 {
        /// At the first digit of a size. Can transition to: size.
        case sizeStart
        /// To: sizePadding, chunkExtension, sizeLineFeed.
        case size
        /// White space after a size, which some servers write.
        ///
        /// To: chunkExtension, sizeLineFeed.
        case sizePadding
        /// To: sizeLineFeed.
        case chunkExtension
        /// To: data, mark, trailerStart.
        case sizeLineFeed
        /// At the first byte of a chunk that is as long as the mark. To: data; or the body is bad.
        case mark
        /// To: dataReturn.
        case data
        /// To: dataLineFeed.
        case dataReturn
        /// To: sizeStart.
        case dataLineFeed
        /// At the beginning of a trailer line or of the last CRLF. To: trailer, endLineFeed.
        case trailerStart
        /// To: trailerLineFeed.
        case trailer
        /// To: trailerStart.
        case trailerLineFeed
        /// To: ended.
        case endLineFeed
        case ended
    }

    private static let extensionLimit: UInt16 = 256
    /// Bytes of framing not justified by data; a sender above the limit only wants to cause work.
    private static let wasteLimit: Int32 = 16 * 1024

    private var state = State.sizeStart
    private var digits: UInt8 = 0
    private var trailerHasColon = false
    /// Whether the trailer section is consumed only when it is complete.
    private let holdsTrailers: Bool
    /// Bytes of extensions so far.
    private var extra: UInt16 = 0
    /// Bytes of the trailer section so far, including line ends and the empty line.
    private(set) var trailerLength: UInt16 = 0
    /// Bytes of extensions that are not offset by data.
    private var waste: Int32 = 0
    private var remaining: UInt64 = 0
    /// See `ResponseHead`.
    private var breakMark: UInt64

    /// - Parameters:
    ///   - holdsTrailers: whether the trailer section is consumed only when it is complete, so that
    ///     it is the end of the bytes consumed with the end of the body.
    ///   - breakMark: a chunk of these eight bytes means that the body was cut off; 0: none does.
    package init(holdsTrailers: Bool = false, breakMark: UInt64 = 0) {
        self.holdsTrailers = holdsTrailers
        self.breakMark = breakMark
    }

    package var isEnded: Bool { state == .ended }

    /// Treats the mark as data from now on.
    mutating func ignoreMark() {
        breakMark = 0
        if state == .mark { state = .data }
    }

    /// Whether the last chunk was seen, so that trailers follow.
    var isInTrailers: Bool {
        switch state {
        case .trailerStart, .trailer, .trailerLineFeed, .endLineFeed: true
        case .sizeStart, .size, .sizePadding, .chunkExtension, .sizeLineFeed, .data, .dataReturn,
            .dataLineFeed, .mark, .ended:
            false
        }
    }

    /// Decodes up to the next piece of data, the end, or the end of the bytes.
    package mutating func next(_ bytes: Span<UInt8>, limit: Int) -> BodyEvent {
        var position = 0
        if isInTrailers { return nextTrailers(bytes, from: 0) }
        while position < bytes.count {
            if state == .data {
                let available = min(bytes.count &- position, limit)
                let count = Int(min(UInt64(available), remaining))
                remaining &-= UInt64(count)
                if remaining == 0 { state = .dataReturn }
                return .data(consumed: position &+ count, position..<position &+ count)
            }
            if state == .mark {
                switch compare(bytes.extracting(position...)) {
                case true?: return .bad
                case false?: state = .data
                case nil: return .needMore(consumed: position)
                }
                continue
            }
            if !step(bytes[position]) { return .bad }
            position &+= 1
            if state == .trailerStart {
                // The caller may first want to make room for the held bytes.
                if holdsTrailers { return .data(consumed: position, position..<position) }
                return nextTrailers(bytes, from: position)
            }
        }
        return .needMore(consumed: position)
    }

    /// Whether a chunk is the mark; nil: it may be, given the bytes so far.
    private func compare(_ chunk: Span<UInt8>) -> Bool? {
        for index in 0..<min(chunk.count, 8) {
            let octet = UInt8(truncatingIfNeeded: breakMark >> UInt64(8 &* (7 &- index)))
            if chunk[index] != octet { return false }
        }
        return chunk.count < 8 ? nil : true
    }

    /// Reads trailers that begin at `start`, or that continue there if they are not held.
    private mutating func nextTrailers(_ bytes: Span<UInt8>, from start: Int) -> BodyEvent {
        var position = holdsTrailers ? start &+ Int(trailerLength) : start
        while position < bytes.count {
            trailerLength &+= 1
            guard step(bytes[position]) else { return .bad }
            position &+= 1
            if state == .ended { return .end(consumed: position) }
            // At the limit but incomplete: a caller that holds them may have no room for more.
            if trailerLength == Trailers.limit { return .bad }
        }
        return .needMore(consumed: holdsTrailers ? start : position)
    }

    /// Consumes one byte of framing; false: it is not allowed here.
    private mutating func step(_ byte: UInt8) -> Bool {
        switch state {
        case .sizeStart, .size: return stepSize(byte)
        case .sizePadding, .chunkExtension: return stepExtension(byte)
        case .sizeLineFeed:
            state =
                remaining == 0
                ? .trailerStart : remaining == 8 && breakMark != 0 ? .mark : .data
            // A few bytes of extension are as good as data; a chunk's own framing is normal.
            let useful = Int32(truncatingIfNeeded: min(remaining, 4096)) &+ 16
            waste = max(0, waste &+ Int32(extra) &- useful)
            return byte == 0x0a && waste <= Self.wasteLimit
        case .dataReturn:
            state = .dataLineFeed
            return byte == 0x0d
        case .dataLineFeed:
            state = .sizeStart
            return byte == 0x0a
        case .trailerStart, .trailer: return stepTrailer(byte)
        case .trailerLineFeed:
            state = .trailerStart
            return byte == 0x0a
        case .endLineFeed:
            state = .ended
            return byte == 0x0a
        case .data, .mark, .ended:
            preconditionFailure("framing is read between data and before the end only")
        }
    }

    private mutating func stepSize(_ byte: UInt8) -> Bool {
        if state == .sizeStart {
            remaining = 0
            digits = 0
            extra = 0
        }
        let value = Octets.hexValue(byte)
        if value != 255 {
            digits += 1
            // Fifteen digits stay below 2^60, so no sum here overflows.
            guard digits <= 15 else { return false }
            remaining = remaining << 4 | UInt64(value)
            state = .size
            return true
        }
        return state == .size && stepExtension(byte)
    }

    /// Consumes a byte between a size and the end of its line.
    private mutating func stepExtension(_ byte: UInt8) -> Bool {
        if byte == 0x0d {
            state = .sizeLineFeed
            return true
        }
        extra += 1
        guard extra <= Self.extensionLimit else { return false }
        if state == .chunkExtension { return Octets.isFieldValue(byte) }
        state = byte == 0x3b ? .chunkExtension : .sizePadding
        return byte == 0x3b || Octets.isSpace(byte)
    }

    private mutating func stepTrailer(_ byte: UInt8) -> Bool {
        if byte == 0x0d {
            if state == .trailerStart {
                state = .endLineFeed
                return true
            }
            state = .trailerLineFeed
            return trailerHasColon
        }
        if state == .trailerStart {
            state = .trailer
            trailerHasColon = false
            return Octets.isToken(byte)
        }
        if !trailerHasColon, byte == 0x3a {
            trailerHasColon = true
            return true
        }
        return trailerHasColon ? Octets.isFieldValue(byte) : Octets.isToken(byte)
    }
}
