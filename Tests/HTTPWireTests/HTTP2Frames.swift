@testable internal import HTTPWire

/// Frames as octets, for what no well-behaved client sends.
enum HTTP2Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// The preface, and SETTINGS without a setting.
    static let hello = preface + frame(4, 0, 0, [])

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: Int32, _ payload: [UInt8]) -> [UInt8]
    {
        let count = payload.count
        let length = [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255)]
        return length + [type, flags] + word(UInt32(bitPattern: stream)) + payload
    }

    static func word(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// A header block of literals that no table keeps (RFC 7541 section 6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        var octets: [UInt8] = []
        for (name, value) in fields {
            octets += [0] + length(name.utf8.count) + Array(name.utf8)
            octets += length(value.utf8.count) + Array(value.utf8)
        }
        return octets
    }

    /// RFC 7541 section 5.1, with a prefix of seven bits.
    private static func length(_ count: Int) -> [UInt8] {
        if count < 127 { return [UInt8(count)] }
        var octets: [UInt8] = [127]
        var rest = count - 127
        while rest >= 128 {
            octets.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return octets + [UInt8(rest)]
    }

    static func headers(
        _ stream: Int32, _ fields: [(String, String)], endsStream: Bool = true,
        endsBlock: Bool = true
    ) -> [UInt8] {
        frame(1, (endsStream ? 1 : 0) | (endsBlock ? 4 : 0), stream, block(fields))
    }

    static func get(_ stream: Int32, endsStream: Bool = true) -> [UInt8] {
        headers(stream, HTTP2Client.head("GET", "/"), endsStream: endsStream)
    }

    static func data(_ stream: Int32, _ text: String, endsStream: Bool = false) -> [UInt8] {
        frame(0, endsStream ? 1 : 0, stream, Array(text.utf8))
    }

    static func reset(_ stream: Int32) -> [UInt8] { frame(3, 0, stream, word(8)) }

    static func windowUpdate(_ stream: Int32, _ count: UInt32) -> [UInt8] {
        frame(8, 0, stream, word(count))
    }

    /// One frame that was sent.
    struct Sent: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: Int32
        var payload: [UInt8]

        /// The error code of RST_STREAM or GOAWAY.
        var code: UInt32? {
            guard type == 3 || type == 7 else { return nil }
            return payload.dropFirst(type == 7 ? 4 : 0).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Takes the whole frames from the front.
    static func parse(_ bytes: inout [UInt8]) -> [Sent] {
        var frames: [Sent] = []
        var start = 0
        while start + 9 <= bytes.count {
            let head = bytes[start..<start + 9].map { Int($0) }
            let count = head[0] << 16 | head[1] << 8 | head[2]
            guard start + 9 + count <= bytes.count else { break }
            let stream = head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8]
            frames.append(
                Sent(
                    type: UInt8(head[3]), flags: UInt8(head[4]),
                    stream: Int32(truncatingIfNeeded: stream),
                    payload: Array(bytes[start + 9..<start + 9 + count])))
            start += 9 + count
        }
        bytes.removeFirst(start)
        return frames
    }
}

/// A connection that receives octets, and its user, who answers only on demand.
final class HTTP2Raw {
    let pair: HTTP2Pair
    private(set) var sent: [HTTP2Frames.Sent] = []
    private var output: [UInt8] = []
    /// The client takes what is sent to it.
    var takes = true

    init(
        _ settings: HTTP2Settings = HTTP2Settings(), memory: HTTP2Memory = HTTP2Memory()
    ) {
        pair = HTTP2Pair(settings, memory: memory)
        feed(HTTP2Frames.hello)
    }

    func feed(_ bytes: [UInt8]) {
        pair.feed(bytes)
        if takes { take() }
    }

    /// Takes what the server has to send.
    func take() {
        output += pair.output()
        sent += HTTP2Frames.parse(&output)
    }

    /// Feeds the same again and again, `count` times at most; false: the connection was closed.
    func repeatedly(_ count: Int, _ bytes: (Int) -> [UInt8]) -> Bool {
        for index in 0..<count {
            feed(bytes(index))
            if pair.progress != .ok { return false }
        }
        return true
    }

    var goAways: [UInt32] { sent.filter { $0.type == 7 }.compactMap(\.code) }

    func resetCode(_ stream: Int32) -> UInt32? {
        sent.first { $0.type == 3 && $0.stream == stream }?.code
    }
}
