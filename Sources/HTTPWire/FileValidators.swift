/// What tells one state of a file from another (RFC 9110 section 8.8).
package struct FileValidators: Sendable {
    /// The entity tag, with its quotes.
    private var text = InlineArray<64, UInt8>(repeating: 0)
    private let tagLength: Int
    /// When the file was modified, in seconds of the Unix era.
    package let modified: Int64
    /// The date alone is a strong validator: the file cannot have changed again in that second.
    let hasStrongDate: Bool

    /// - Parameters:
    ///   - size: in bytes.
    ///   - modifiedNanoseconds: of the Unix era.
    ///   - inode: its number, which another file under the name does not have.
    ///   - coding: of the content; nil: none.
    ///   - now: seconds of the Unix era.
    package init(
        size: UInt64, modifiedNanoseconds: Int64, inode: UInt64, coding: ContentCoding? = nil,
        now: Int64
    ) {
        let seconds = max(0, modifiedNanoseconds / 1_000_000_000)
        // A date in the future would say more than is known (RFC 9110 section 8.8.2.1).
        modified = min(seconds, now)
        hasStrongDate = seconds < now
        var bytes = text.mutableSpan
        tagLength = unsafe bytes.withUnsafeMutableBufferPointer { room in
            var sink = unsafe ByteSink(room)
            sink.append("\"")
            sink.append(hex: UInt64(bitPattern: modifiedNanoseconds))
            sink.append("-")
            sink.append(hex: size)
            sink.append("-")
            // Its number itself is nobody's affair.
            sink.append(hex: (inode &* 0x9e37_79b9_7f4a_7c15) >> 32, digits: 8)
            if let coding {
                sink.append("-")
                sink.append(coding.name)
            }
            sink.append("\"")
            return sink.count
        }
    }

    /// The entity tag, with its quotes.
    package var tag: [UInt8] { (0..<tagLength).map { text[$0] } }

    func writeTag(into sink: inout ByteSink) {
        for index in 0..<tagLength { sink.append(text[index]) }
    }

    /// Whether a range spells the opaque part of the tag, with its quotes.
    func isTag(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == tagLength else { return false }
        for offset in 0..<tagLength where bytes[range.lowerBound &+ offset] != text[offset] {
            return false
        }
        return true
    }
}
