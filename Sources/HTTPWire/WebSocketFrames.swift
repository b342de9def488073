/// Distinguishes payload from pings in one direction of a WebSocket (RFC 6455 section 5.2).
///
/// Scans the bytes that pass without changing them; a few bytes of plain data. On a frame that is
/// invalid for the direction it gives up: from then on every byte counts as payload, since the
/// result only decides whether the user is active.
package struct WebSocketFrames: Sendable {
    private enum State: UInt8 {
        /// At the first byte of a frame. Can transition to: length, gaveUp.
        case start
        /// At the byte with the mask bit. To: extended, data, start, gaveUp.
        case length
        /// In the extended length and the mask, which are skipped.
        ///
        /// To: data, start, gaveUp.
        case extended
        /// To: start.
        case data
        /// Not a WebSocket in the sense of RFC 6455.
        case gaveUp
    }

    private let isMasked: Bool
    private var state = State.start
    private var opcode: UInt8 = 0
    /// Bytes of extended length still to be read.
    private var lengthLeft: UInt8 = 0
    /// Bytes of mask still to be skipped.
    private var maskLeft: UInt8 = 0
    /// Bytes of data left in the frame; while the extended length is read, its value so far.
    private var remaining: UInt64 = 0

    /// - Parameter isMasked: Whether frames must be masked: those of clients must, others must not be.
    package init(isMasked: Bool) { self.isMasked = isMasked }

    /// Whether another frame may be inserted between those that pass.
    package var isBetweenFrames: Bool { state == .start }

    /// An unmasked close frame with code 1001, "going away" (RFC 6455 sections 5.5.1 and 7.4.1).
    package static var goingAway: [4 of UInt8] { [0x88, 0x02, 0x03, 0xe9] }

    /// Scans the next bytes; true: they contain payload.
    package mutating func pass(_ bytes: Span<UInt8>) -> Bool {
        var sawPayload = false
        var position = 0
        while position < bytes.count {
            if state == .gaveUp { return true }
            if state == .data {
                let count = Int(min(remaining, UInt64(bytes.count &- position)))
                remaining &-= UInt64(count)
                position &+= count
                if !isControl { sawPayload = true }
                if remaining == 0 { state = .start }
                continue
            }
            step(bytes[position])
            position &+= 1
            // An empty message is payload too.
            if state == .start, !isControl { sawPayload = true }
        }
        return sawPayload || state == .gaveUp
    }

    /// Close, ping and pong.
    private var isControl: Bool { opcode >= 8 }

    private mutating func step(_ byte: UInt8) {
        switch state {
        case .start:
            opcode = byte & 0x0f
            let isKnown = opcode <= 2 || opcode >= 8 && opcode <= 10
            // A control frame is never a fragment.
            state = isKnown && (!isControl || byte & 0x80 != 0) ? .length : .gaveUp
        case .length: readLength(byte)
        case .extended:
            if lengthLeft > 0 {
                // The first bit of 64 must be 0 (section 5.2).
                if remaining >> 55 != 0 {
                    state = .gaveUp
                    return
                }
                remaining = remaining << 8 | UInt64(byte)
                lengthLeft -= 1
            } else {
                maskLeft -= 1
            }
            beginDataIfComplete()
        case .data, .gaveUp:
            preconditionFailure("data is not gone through byte by byte")
        }
    }

    private mutating func readLength(_ byte: UInt8) {
        let short = byte & 0x7f
        guard (byte & 0x80 != 0) == isMasked, !isControl || short <= 125 else {
            state = .gaveUp
            return
        }
        maskLeft = isMasked ? 4 : 0
        switch short {
        case 126: lengthLeft = 2
        case 127: lengthLeft = 8
        default: lengthLeft = 0
        }
        remaining = lengthLeft == 0 ? UInt64(short) : 0
        state = .extended
        beginDataIfComplete()
    }

    private mutating func beginDataIfComplete() {
        guard lengthLeft == 0, maskLeft == 0 else { return }
        state = remaining > 0 ? .data : .start
    }
}
