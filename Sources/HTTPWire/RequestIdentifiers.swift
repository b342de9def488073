/// A client's identifiers of a request: `X-Request-Id`, and `traceparent` of W3C Trace Context.
///
/// Invalid ones are not forwarded, since logs and pages repeat them.
struct RequestIdentifiers {
    /// The request's id; empty: none that may be forwarded.
    private(set) var id = ByteRange.empty
    /// The trace's context; empty: none that may be forwarded.
    private(set) var trace = ByteRange.empty
    private var ids = 0
    private var traces = 0
    private var states = 0

    /// The longest id that is forwarded.
    static let longest = 128

    /// Records one line of one of the three names; if a name occurs twice, neither line counts.
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

    /// Whether there are ids, but none that may be forwarded.
    var hasBadID: Bool { ids > 0 && id.isEmpty }
    var hasBadTrace: Bool { traces + states > 0 && trace.isEmpty }

    /// Letters, digits and the usual separators of identifiers; nothing with a special meaning in a
    /// log, a page or a shell.
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

    /// Trace Context section 3.2: `00-TRACE-PARENT-FLAGS`; later versions may append fields.
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

    /// Writes a `traceparent` line that starts a trace with this id.
    ///
    /// It is not marked as sampled: Mooring records nothing of it, and 0 is the default for the
    /// originator of a trace (W3C Trace Context, "Sampled flag").
    ///
    /// - Parameter span: random, the id of Mooring's own span.
    package func writeTraceparent(span: UInt64, into sink: inout ByteSink) {
        sink.append("traceparent: 00-")
        write(into: &sink)
        sink.append("-")
        sink.append(hex: span == 0 ? 1 : span, digits: 16)
        sink.append("-00\r\n")
    }
}

extension RequestHead {
    /// The client's `X-Request-Id`, if it may be forwarded; empty: none.
    package var requestID: ByteRange { identifiers.id }

    /// Whether the client's `traceparent` may be forwarded; without one a trace starts here.
    package var isTraced: Bool { !identifiers.trace.isEmpty }

    /// Marks an `X-Request-Id` that must not be forwarded.
    package mutating func dropBadRequestID() {
        if identifiers.hasBadID { dropIdentifiers { $0 == 12 } }
    }

    /// Marks a `traceparent` that must not be forwarded, and the `tracestate` that belongs to it.
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
