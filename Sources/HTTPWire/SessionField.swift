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

private let locationName = Array("location".utf8)

extension ResponseHead {
    /// The line that says where the client is led; nil: none, or several.
    package func location(_ bytes: Span<UInt8>) -> Int? {
        fields.only(locationName.span, in: bytes)
    }

    /// Takes a field out, for which the caller writes another line.
    ///
    /// - Returns: the line without its line end.
    package mutating func takeOut(_ index: Int) -> ByteRange {
        fields.remove(index)
        return ByteRange(fields[index].name.range.lowerBound..<fields[index].value.range.upperBound)
    }
}

/// A field in which a trusted proxy names the user.
extension RequestHead {
    /// Takes out what may not speak for the user: fields that CGI would take for this one, and the
    /// field itself where its sender is not trusted or sent it more than once.
    ///
    /// - Parameter name: in lower case.
    package mutating func dropClaims(
        of name: Span<UInt8>, isTrusted: Bool, in bytes: Span<UInt8>
    ) {
        let own = isTrusted ? fields.only(name, in: bytes) : nil
        for index in 0..<fields.count where index != own {
            let range = fields[index].name.range
            if FieldTable.resembles(bytes, range, name) { fields.remove(index) }
        }
    }
}
