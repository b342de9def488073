/// What a client's request is told apart by: `X-Request-Id`, and W3C Trace Context's `traceparent`.
///
/// What is not of the known form is not passed on: logs and pages repeat it.
struct RequestIdentifiers {
    /// The request's id; empty: none came that may be passed on.
    private(set) var id = ByteRange.empty
    /// The trace's context; empty likewise.
    private(set) var trace = ByteRange.empty
    private var ids = 0
    private var traces = 0
    private var states = 0

    /// The longest id that is passed on.
    static let longest = 128

    /// One line of a name among the three; of two with one name neither counts.
    mutating func note(_ bytes: Span<UInt8>, _ field: FieldLine) {
        switch field.name.count {
        case 12:
            ids += 1
            id = ids == 1 && Self.isID(bytes, field.value.range) ? field.value : .empty
        case 11:
            traces += 1
            trace = traces == 1 && Self.isTrace(bytes, field.value.range) ? field.value : .empty
        default: states += 1
        }
    }

    /// There are lines that are not passed on.
    var hasBadID: Bool { ids > 0 && id.isEmpty }
    var hasBadTrace: Bool { traces + states > 0 && trace.isEmpty }

    /// Letters, digits and what identifiers are put together with; nothing that means something
    /// in a log, a page or a shell.
    static func isID(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard (1...longest).contains(range.count) else { return false }
        for index in range {
            switch bytes[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"),
                UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
                continue
            default: return false
            }
        }
        return true
    }

    /// Trace Context section 3.2: `00-TRACE-PARENT-FLAGS`; later versions may have more behind it.
    static func isTrace(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = range.lowerBound
        guard range.count >= 55, range.count <= 512 else { return false }
        let version = start..<start &+ 2
        let trace = start &+ 3..<start &+ 35
        let parent = start &+ 36..<start &+ 52
        let flags = start &+ 53..<start &+ 55
        guard bytes[start &+ 2] == 0x2d, bytes[start &+ 35] == 0x2d, bytes[start &+ 52] == 0x2d,
            isHex(bytes, version), isHex(bytes, trace), isHex(bytes, parent),
            isHex(bytes, flags), !isZero(bytes, trace), !isZero(bytes, parent),
            !Octets.spells(bytes, version, "ff")
        else { return false }
        if range.count == 55 { return true }
        return !isZero(bytes, version) && bytes[start &+ 55] == 0x2d
    }

    private static func isHex(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            let octet = bytes[index]
            guard Octets.isDigit(octet) || (0x61...0x66).contains(octet) else { return false }
        }
        return true
    }

    private static func isZero(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where bytes[index] != 0x30 { return false }
        return true
    }
}

/// An id that Mooring gives a request: 128 random bits, written as 32 hexadecimal digits.
package struct GeneratedID: Equatable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// Never all zeros, which names no trace.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = high | low == 0 ? 1 : low
    }

    /// Writes the digits.
    package func write(into sink: inout ByteSink) {
        sink.append(hex: high, digits: 16)
        sink.append(hex: low, digits: 16)
    }

    /// Writes the line of a request that came without an id.
    package func writeRequestID(into sink: inout ByteSink) {
        sink.append("X-Request-Id: ")
        write(into: &sink)
        sink.append("\r\n")
    }

    /// Writes the line that begins a trace, which has this id.
    ///
    /// It is not marked as sampled: nothing of it is recorded here, and 0 is the default for who begins a
    /// trace (W3C Trace Context, "Sampled flag").
    ///
    /// - Parameter span: Random, for the id of Mooring's own part in it.
    package func writeTraceparent(span: UInt64, into sink: inout ByteSink) {
        sink.append("traceparent: 00-")
        write(into: &sink)
        sink.append("-")
        sink.append(hex: span == 0 ? 1 : span, digits: 16)
        sink.append("-00\r\n")
    }
}

extension RequestHead {
    /// The client's `X-Request-Id`, where it may be passed on; empty: there is none.
    package var requestID: ByteRange { identifiers.id }

    /// Whether the client's `traceparent` may be passed on; without one a trace begins here.
    package var isTraced: Bool { !identifiers.trace.isEmpty }

    /// Marks an `X-Request-Id` that may not be passed on.
    package mutating func dropBadRequestID() {
        if identifiers.hasBadID { dropIdentifiers { $0 == 12 } }
    }

    /// Marks a `traceparent` that may not be passed on, and the `tracestate` that belongs to it.
    package mutating func dropBadTrace() {
        if identifiers.hasBadTrace { dropIdentifiers { $0 != 12 } }
    }

    private mutating func dropIdentifiers(_ isMeant: (UInt32) -> Bool) {
        for index in 0..<fields.count
        where fields[index].known == .identifier && isMeant(fields[index].name.count) {
            fields.remove(index)
        }
    }
}
