/// One step through what a FastCGI process says.
package enum FastCGIEvent: Equatable, Sendable {
    /// A piece of the response at the given range; up to and with it, so many bytes are done with.
    case output(consumed: Int, Range<Int>)
    /// A piece of what the application says beside it; its record ends with it or goes on.
    case errors(consumed: Int, Range<Int>, endsRecord: Bool)
    /// All of the bytes are done with.
    case needMore
    /// The response is over; what follows belongs to nobody.
    case end(consumed: Int)
    /// No record that could stand there.
    case bad
}

/// Takes the records off the response to one request: strict, and bounded in everything.
///
/// A few bytes of plain data. A record of another request, of an unknown kind or version, and one behind the
/// end of its stream make the response bad: none of their content is given out.
package struct FastCGIDecoder: Sendable {
    private enum State: UInt8 {
        /// In the eight bytes of a header. Can transition to: output, errors, endRequest, padding, header.
        case header
        /// To: padding, header.
        case output
        /// To: padding, header.
        case errors
        /// In the eight bytes of `FCGI_END_REQUEST`. To: padding, ended.
        case endRequest
        /// To: header, ended.
        case padding
        case ended
        case failed
    }

    /// Records without content: with more of them than this in a row the sender wants work, not an answer.
    private static let mostEmpty: UInt16 = 1000

    private var state = State.header
    /// Bytes of a header or an end that have come.
    private var gathered: UInt8 = 0
    /// These bytes.
    private var word: UInt64 = 0
    private var content: UInt16 = 0
    private var paddingLength: UInt8 = 0
    private var emptyRecords: UInt16 = 0
    private var outputIsClosed = false
    private var errorsAreClosed = false
    /// How the response has ended, once its last record has begun to say so; nil: it has not.
    private var said: FastCGIRecords.End?
    /// Bytes have come behind the end.
    private var hasStray = false
    /// Bytes have come, of whatever kind.
    package private(set) var hasSpoken = false

    package init() {}

    /// How the response has ended; nil: it has not.
    package var end: FastCGIRecords.End? { state == .ended ? said : nil }
    /// What came was not of the protocol, or came behind the end.
    package var isBad: Bool { state == .failed || hasStray }
    /// Nothing more of the response comes.
    package var isOver: Bool { state == .ended || state == .failed }

    /// Goes over bytes up to the next piece of content, the end, or the end of the bytes.
    ///
    /// - Parameter bytes: At least one; any behind the end are bad.
    package mutating func next(_ bytes: Span<UInt8>) -> FastCGIEvent {
        hasSpoken = true
        var position = 0
        while position < bytes.count {
            switch state {
            case .header:
                gather(bytes[position])
                position &+= 1
                if gathered == 8, !openRecord() { return fail() }
            case .output, .errors:
                let count = min(bytes.count &- position, Int(content))
                content &-= UInt16(truncatingIfNeeded: count)
                let range = position..<position &+ count
                let isOutput = state == .output
                let isLast = content == 0
                if isLast { closeRecord() }
                return isOutput
                    ? .output(consumed: range.upperBound, range)
                    : .errors(consumed: range.upperBound, range, endsRecord: isLast)
            case .endRequest:
                gather(bytes[position])
                position &+= 1
                if gathered == 8 {
                    // Four bytes of the application's own status, then that of the protocol.
                    said = FastCGIRecords.End(status: UInt8(truncatingIfNeeded: word >> 24))
                    closeRecord()
                }
            case .padding:
                let count = min(bytes.count &- position, Int(paddingLength))
                paddingLength &-= UInt8(truncatingIfNeeded: count)
                position &+= count
                if paddingLength == 0 { begin() }
            case .ended:
                hasStray = true
                return .bad
            case .failed: return .bad
            }
            if state == .ended { return .end(consumed: position) }
        }
        return .needMore
    }

    private mutating func fail() -> FastCGIEvent {
        state = .failed
        return .bad
    }

    private mutating func gather(_ byte: UInt8) {
        word = word << 8 | UInt64(byte)
        gathered &+= 1
    }

    /// The next record, or the end behind the last one.
    private mutating func begin() {
        state = said == nil ? .header : .ended
        gathered = 0
        word = 0
    }

    private mutating func closeRecord() {
        if paddingLength > 0 { state = .padding } else { begin() }
    }

    /// A header is here; false: no such record may come now.
    private mutating func openRecord() -> Bool {
        guard UInt8(truncatingIfNeeded: word >> 56) == FastCGIRecords.version,
            UInt16(truncatingIfNeeded: word >> 32) == FastCGIRecords.requestID,
            let kind = FastCGIRecords.Kind(rawValue: UInt8(truncatingIfNeeded: word >> 48))
        else { return false }
        content = UInt16(truncatingIfNeeded: word >> 16)
        paddingLength = UInt8(truncatingIfNeeded: word >> 8)
        switch kind {
        case .output:
            if content == 0 { outputIsClosed = true }
            return open(.output, isClosed: outputIsClosed)
        case .errors:
            if content == 0 { errorsAreClosed = true }
            return open(.errors, isClosed: errorsAreClosed)
        case .endRequest:
            guard content == 8 else { return false }
            begin()
            state = .endRequest
            return true
        case .beginRequest, .abortRequest, .parameters, .input: return false
        }
    }

    /// A record without content closes its stream.
    private mutating func open(_ stream: State, isClosed: Bool) -> Bool {
        if content == 0 {
            emptyRecords &+= 1
            closeRecord()
            return emptyRecords <= Self.mostEmpty
        }
        emptyRecords = 0
        state = stream
        return !isClosed
    }
}
