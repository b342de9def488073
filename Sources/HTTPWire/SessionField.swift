/// A field of the application that carries a session, with a token of Mooring's behind its value.
extension RequestHead {
    /// Takes a token off the field that ends with it.
    ///
    /// - Parameter token: where it is, with all that belongs to it.
    /// - Returns: what remains of the line, without a line end; the caller writes it.
    package mutating func cutOff(_ token: ByteRange) -> ByteRange {
        let end = token.range.upperBound
        for index in 0..<fields.count where fields[index].value.range.upperBound == end {
            fields.remove(index)
            return ByteRange(fields[index].name.range.lowerBound..<token.range.lowerBound)
        }
        return .empty
    }
}

extension ResponseHead {
    /// Takes a field out, for which the caller writes another line.
    ///
    /// - Returns: the line without its line end.
    package mutating func takeOut(_ index: Int) -> ByteRange {
        fields.remove(index)
        return ByteRange(fields[index].name.range.lowerBound..<fields[index].value.range.upperBound)
    }
}
