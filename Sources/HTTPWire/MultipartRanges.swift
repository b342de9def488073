/// Several parts of a file in one body: `multipart/byteranges` (RFC 9110 section 14.6).
package struct MultipartRanges: Sendable {
    private let type: MediaType
    private let size: Int64
    private let boundary: (high: UInt64, low: UInt64)
    /// The parts that have not begun yet are those from `next` on.
    private let ranges: [Range<Int64>]
    private var next = 0
    private var isClosed = false

    /// - Parameters:
    ///   - type: of the file.
    ///   - size: of the file.
    ///   - boundary: at random, so that no file has it.
    package init(
        _ ranges: [Range<Int64>], type: MediaType, size: Int64,
        boundary: (high: UInt64, low: UInt64)
    ) {
        self.ranges = ranges
        self.type = type
        self.size = size
        self.boundary = boundary
    }

    /// The length of the whole body.
    package var length: Int64 {
        var room = InlineArray<512, UInt8>(repeating: 0)
        var bytes = room.mutableSpan
        var length: Int64 = 0
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            for range in ranges {
                var sink = unsafe ByteSink(buffer)
                writeHead(of: range, into: &sink)
                length += Int64(sink.count) + Int64(range.count)
            }
            var sink = unsafe ByteSink(buffer)
            writeEnd(into: &sink)
            length += Int64(sink.count)
        }
        return length
    }

    /// Everything was written.
    package var isOver: Bool { isClosed }

    /// Writes what stands before the next part, or the end of the body.
    ///
    /// - Returns: the part's bytes in the file, which follow; empty at the end.
    package mutating func writeNext(into sink: inout ByteSink) -> Range<Int64> {
        guard next < ranges.count else {
            writeEnd(into: &sink)
            isClosed = true
            return 0..<0
        }
        defer { next += 1 }
        writeHead(of: ranges[next], into: &sink)
        return ranges[next]
    }

    private func writeHead(of range: Range<Int64>, into sink: inout ByteSink) {
        sink.append("\r\n--")
        writeBoundary(into: &sink)
        sink.append("\r\nContent-Type: ")
        sink.append(type.name)
        sink.append("\r\n")
        FileHead.writeContentRange(range, size: size, into: &sink)
        sink.append("\r\n")
    }

    private func writeEnd(into sink: inout ByteSink) {
        sink.append("\r\n--")
        writeBoundary(into: &sink)
        sink.append("--\r\n")
    }

    func writeBoundary(into sink: inout ByteSink) {
        sink.append(hex: boundary.high, digits: 16)
        sink.append(hex: boundary.low, digits: 16)
    }
}
