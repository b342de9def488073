/// A short text stored inside a plain value: the client's address, prepared fields.
struct InlineText<let capacity: Int> {
    private(set) var bytes = InlineArray<capacity, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Truncates at the capacity.
    init(_ text: String) {
        for byte in text.utf8 {
            if count == capacity { break }
            bytes[count] = byte
            count += 1
        }
    }

    /// Where the text is in `bytes`.
    var range: Range<Int> { 0..<count }
}
