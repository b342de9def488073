/// Follows the frames of one connection in the incoming bytes, before nghttp2 sees them.
///
/// nghttp2 silently skips frames on closed streams, and all PRIORITY frames; to judge them (RFC
/// 9113 sections 5.1, 5.1.1 and 6.3) they must be found first.
struct HTTP2FrameScanner {
    /// A frame whose header has arrived, with as much of its payload as is checked.
    struct Frame: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: Int32
        /// A header block was open before it, so it must be a CONTINUATION.
        var isInBlock: Bool
        /// Its offset in the given bytes; 0 if it began before them.
        var start: Int
        /// The stream that a PRIORITY of valid length depends on.
        var dependency: Int32?
    }

    private static let prefaceLength = 24
    private static let headLength = 9
    /// A PRIORITY's header with the stream that it depends on.
    private static let priorityLength = 13

    private var preface = Self.prefaceLength
    private var gathered = InlineArray<13, UInt8>(repeating: 0)
    private var count = 0
    /// Octets of the current frame that are still to come.
    private var left = 0
    private var type: UInt8 = 0
    /// A header block has begun, and its last frame has not arrived.
    private var isInBlock = false
    /// The number of frames begun outside of header blocks.
    private var begun = 0

    /// The number of the incomplete frame or header block, if clients send such a one in one go;
    /// nil: none.
    ///
    /// DATA is excluded, since it arrives as the application produces it. Number 1 is the preface
    /// with the first frame.
    var openHead: Int? {
        if isInBlock { return begun }
        if begun == 0 || count > 0 { return begun + 1 }
        return left > 0 && type != 0 ? begun : nil
    }

    /// The next frame whose header is complete within the bytes, once for each; nil: all bytes were
    /// scanned.
    mutating func next(_ bytes: Span<UInt8>, from position: inout Int) -> Frame? {
        while position < bytes.count {
            if preface > 0 {
                skip(&preface, bytes, &position)
            } else if left > 0 {
                skip(&left, bytes, &position)
            } else {
                gathered[count] = bytes[position]
                count += 1
                position += 1
                if isGathered { return takeFrame(endingAt: position) }
            }
        }
        return nil
    }

    private func skip(_ amount: inout Int, _ bytes: Span<UInt8>, _ position: inout Int) {
        let step = min(amount, bytes.count - position)
        amount -= step
        position += step
    }

    private var isGathered: Bool {
        let isPriority = count >= Self.headLength && gathered[3] == 2 && length == 5
        return count == (isPriority ? Self.priorityLength : Self.headLength)
    }

    private var length: Int {
        Int(gathered[0]) << 16 | Int(gathered[1]) << 8 | Int(gathered[2])
    }

    private mutating func takeFrame(endingAt end: Int) -> Frame {
        let hasDependency = count == Self.priorityLength
        let frame = Frame(
            type: gathered[3], flags: gathered[4], stream: stream(at: 5), isInBlock: isInBlock,
            start: max(0, end - count), dependency: hasDependency ? stream(at: 9) : nil)
        left = length - (count - Self.headLength)
        count = 0
        type = frame.type
        if !isInBlock { begun += 1 }
        let endsBlock = frame.flags & 0x4 != 0
        // HEADERS and CONTINUATION.
        if type == 1 { isInBlock = !endsBlock } else if type == 9, endsBlock { isInBlock = false }
        return frame
    }

    private func stream(at offset: Int) -> Int32 {
        var id = UInt32(gathered[offset] & 0x7f)
        for index in 1..<4 { id = id << 8 | UInt32(gathered[offset + index]) }
        return Int32(truncatingIfNeeded: id)
    }
}
