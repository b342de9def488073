/// The first bytes of an HTTP/1.1 response, parsed only up to its status (RFC 9112 section 4).
struct HealthAnswer: Equatable, Sendable {
    /// The most bytes of a response that are read; the status comes first, or there is none.
    static let sizeLimit = 4096

    enum Status: Equatable, Sendable {
        /// More bytes are needed.
        case incomplete
        case code(Int)
        /// Not HTTP, or a head without an end within the limit.
        case malformed
    }

    private var bytes: [UInt8] = []

    var isFull: Bool { bytes.count >= Self.sizeLimit }

    mutating func append(_ more: Span<UInt8>) {
        for index in 0..<min(more.count, Self.sizeLimit - bytes.count) { bytes.append(more[index]) }
    }

    /// The final status so far; interim ones (1xx) are skipped.
    var status: Status {
        var start = 0
        while true {
            guard let end = lineEnd(from: start) else {
                let isImpossible = !canBeStatusLine(from: start) || isFull
                return isImpossible ? .malformed : .incomplete
            }
            guard let code = code(start, end) else { return .malformed }
            if code >= 200 { return .code(code) }
            guard let next = headEnd(from: end) else { return isFull ? .malformed : .incomplete }
            start = next
        }
    }

    /// The position of the line's LF.
    private func lineEnd(from start: Int) -> Int? {
        bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
    }

    /// The position after the empty line that ends the head whose first line ends at `firstEnd`.
    private func headEnd(from firstEnd: Int) -> Int? {
        var start = firstEnd + 1
        while let end = lineEnd(from: start) {
            let isEmpty = end == start || (end == start + 1 && bytes[start] == UInt8(ascii: "\r"))
            if isEmpty { return end + 1 }
            start = end + 1
        }
        return nil
    }

    private func canBeStatusLine(from start: Int) -> Bool {
        zip(bytes[start...], "HTTP/1.".utf8).allSatisfy(==)
    }

    /// `HTTP/1.x SP 3DIGIT`, then a space or the end of the line.
    private func code(_ start: Int, _ end: Int) -> Int? {
        let line = bytes[start..<end]
        guard line.count >= 12, canBeStatusLine(from: start), line[start + 8] == UInt8(ascii: " ")
        else { return nil }
        if line.count > 12, ![UInt8(ascii: " "), UInt8(ascii: "\r")].contains(line[start + 12]) {
            return nil
        }
        var code = 0
        for byte in line[(start + 9)..<(start + 12)] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            code = code * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return code >= 100 && code < 600 ? code : nil
    }
}
