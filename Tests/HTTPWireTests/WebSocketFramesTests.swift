internal import HTTPWire
internal import Testing

/// RFC 6455 section 5.2, as far as it shows whether the user is active.
@Suite struct WebSocketFramesTests {
    /// Whether the bytes hold payload, gone over at once and one by one.
    private func payload(_ frames: [UInt8]..., fromClient: Bool) -> [Bool] {
        var whole = WebSocketFrames(isMasked: fromClient)
        let atOnce = frames.map { whole.pass($0.span) }
        var pieces = WebSocketFrames(isMasked: fromClient)
        for (frame, expected) in zip(frames, atOnce) {
            var seen = false
            for byte in frame {
                let one = [byte]
                if pieces.pass(one.span) { seen = true }
            }
            #expect(seen == expected)
        }
        return atOnce
    }

    private func frame(
        _ first: UInt8, _ length: Int, masked: Bool, longLength: Int? = nil
    ) -> [UInt8] {
        var bytes = [first]
        let bit: UInt8 = masked ? 0x80 : 0
        switch longLength {
        case 2: bytes += [bit | 126, UInt8(length >> 8), UInt8(length & 255)]
        case 8:
            bytes += [bit | 127]
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
        default: bytes.append(bit | UInt8(length))
        }
        if masked { bytes += [1, 2, 3, 4] }
        // Data that looks like the start of a message must not be taken for one.
        return bytes + Array(repeating: 0x81, count: length)
    }

    @Test(arguments: [0x81, 0x82, 0x80, 0x01, 0xc1] as [UInt8])
    func `messages and their fragments are payload`(first: UInt8) {
        #expect(payload(frame(first, 5, masked: true), fromClient: true) == [true])
        #expect(payload(frame(first, 5, masked: false), fromClient: false) == [true])
    }

    @Test(arguments: [0x88, 0x89, 0x8a] as [UInt8])
    func `close, ping and pong are not, whatever they carry`(first: UInt8) {
        let data = frame(first, 125, masked: true)
        #expect(payload(data, frame(first, 0, masked: true), fromClient: true) == [false, false])
    }

    @Test func `a ping between messages is recognised`() {
        let seen = payload(
            frame(0x01, 3, masked: false), frame(0x89, 4, masked: false),
            frame(0x80, 2, masked: false), frame(0x8a, 0, masked: false), fromClient: false)
        #expect(seen == [true, false, true, false])
    }

    @Test func `long lengths are read and passed over`() {
        let seen = payload(
            frame(0x82, 300, masked: true, longLength: 2), frame(0x89, 1, masked: true),
            frame(0x82, 70_000, masked: true, longLength: 8), frame(0x89, 1, masked: true),
            fromClient: true)
        #expect(seen == [true, false, true, false])
    }

    @Test func `an empty message is payload`() {
        #expect(payload(frame(0x81, 0, masked: false), fromClient: false) == [true])
    }

    @Test(
        arguments: [
            // Reserved opcodes; a control frame in fragments, and one that is too long.
            [0x83, 0x00], [0x8b, 0x00], [0x09, 0x00], [0x89, 0x7e],
            // Masked where it must not be.
            [0x89, 0x80],
            // A length of more than 63 bits.
            [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func `what is no frame counts as payload from then on`(start: [UInt8]) {
        let ping: [UInt8] = [0x89, 0x00]
        #expect(payload(start, ping, fromClient: false) == [true, true])
    }

    @Test func `a client's frame without a mask is none`() {
        #expect(
            payload([0x89, 0x00], [0x89, 0x80, 0, 0, 0, 0], fromClient: true) == [true, true])
    }
}
