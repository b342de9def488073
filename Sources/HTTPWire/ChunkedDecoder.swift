/// Takes chunked framing off a body (RFC 9112 section 7.1): strict, and bounded in everything.
///
/// A few bytes of plain data. Chunk extensions and trailers are checked and dropped, which a
/// recipient may do (sections 7.1.1 and 7.1.2).
package struct ChunkedDecoder: Sendable {
    private enum State: UInt8 {
        /// At the first digit of a size. Can transition to: size.
        case sizeStart
        /// To: sizePadding, chunkExtension, sizeLineFeed.
        case size
        /// White space behind a size, which some servers write. To: chunkExtension, sizeLineFeed.
        case sizePadding
        /// To: sizeLineFeed.
        case chunkExtension
        /// To: data, trailerStart.
        case sizeLineFeed
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
    private static let trailerLimit: UInt16 = 8192

    private var state = State.sizeStart
    private var digits: UInt8 = 0
    private var trailerHasColon = false
    /// Bytes of extension or trailers seen.
    private var extra: UInt16 = 0
    private var remaining: UInt64 = 0

    package init() {}

    package var isEnded: Bool { state == .ended }

    /// Goes over bytes up to the next piece of data, the end, or the end of the bytes.
    package mutating func next(_ bytes: Span<UInt8>, limit: Int) -> BodyEvent {
        var position = 0
        while position < bytes.count {
            if state == .data {
                let available = min(bytes.count &- position, limit)
                let count = Int(min(UInt64(available), remaining))
                remaining &-= UInt64(count)
                if remaining == 0 { state = .dataReturn }
                return .data(consumed: position &+ count, position..<position &+ count)
            }
            if !step(bytes[position]) { return .bad }
            position &+= 1
            if state == .ended { return .end(consumed: position) }
        }
        return .needMore(consumed: position)
    }

    /// One byte of framing; false: it may not stand there.
    private mutating func step(_ byte: UInt8) -> Bool {
        switch state {
        case .sizeStart, .size: return stepSize(byte)
        case .sizePadding, .chunkExtension: return stepExtension(byte)
        case .sizeLineFeed:
            state = remaining == 0 ? .trailerStart : .data
            extra = 0
            return byte == 0x0a
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
        case .data, .ended:
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
            // Fifteen digits are below 2^60: no sum of ours overflows.
            guard digits <= 15 else { return false }
            remaining = remaining << 4 | UInt64(value)
            state = .size
            return true
        }
        return state == .size && stepExtension(byte)
    }

    /// Whatever is between a size and the end of its line.
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
        extra += 1
        guard extra <= Self.trailerLimit else { return false }
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
