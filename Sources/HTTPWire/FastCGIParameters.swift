/// Parameters of a FastCGI request (FastCGI specification 1.0 section 3.4; RFC 3875 section 4.1): each a name
/// and a value, with their lengths before them.
package enum FastCGIParameters {
    /// Writes one parameter.
    package static func write(
        _ name: StaticString, _ value: Span<UInt8>, into sink: inout ByteSink
    ) {
        writeLengths(name.utf8CodeUnitCount, value.count, into: &sink)
        sink.append(name)
        sink.append(value)
    }

    /// Writes one parameter whose value is a text of the source.
    package static func write(
        _ name: StaticString, text: StaticString, into sink: inout ByteSink
    ) {
        writeLengths(name.utf8CodeUnitCount, text.utf8CodeUnitCount, into: &sink)
        sink.append(name)
        sink.append(text)
    }

    /// Writes one parameter whose name is not known here.
    package static func write(
        name: Span<UInt8>, _ value: Span<UInt8>, into sink: inout ByteSink
    ) {
        writeLengths(name.count, value.count, into: &sink)
        sink.append(name)
        sink.append(value)
    }

    /// Writes one parameter whose value is a number.
    package static func write(
        _ name: StaticString, decimal value: UInt64, into sink: inout ByteSink
    ) {
        var digits = 1
        var rest = value / 10
        while rest > 0 {
            digits &+= 1
            rest /= 10
        }
        writeLengths(name.utf8CodeUnitCount, digits, into: &sink)
        sink.append(name)
        sink.append(decimal: value)
    }

    static func writeLengths(_ name: Int, _ value: Int, into sink: inout ByteSink) {
        write(length: name, into: &sink)
        write(length: value, into: &sink)
    }

    private static func write(length: Int, into sink: inout ByteSink) {
        if length > 127 {
            sink.append(UInt8(truncatingIfNeeded: length >> 24) | 0x80)
            sink.append(UInt8(truncatingIfNeeded: length >> 16))
            sink.append(UInt8(truncatingIfNeeded: length >> 8))
        }
        sink.append(UInt8(truncatingIfNeeded: length))
    }
}
