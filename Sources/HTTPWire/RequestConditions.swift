/// What the conditions of a request say about the state of a file.
package enum ConditionOutcome: Equatable, Sendable {
    /// The method is performed.
    case holds
    /// The client has this state already: 304.
    case notModified
    /// 412.
    case failed
}

/// Conditions of a request for a file (RFC 9110 section 13).
extension RequestHead {
    /// Evaluates the conditions of a GET or HEAD, in the order of RFC 9110 section 13.2.2.
    ///
    /// - Parameters:
    ///   - bytes: the parsed bytes.
    ///   - file: the state of the file.
    package func conditions(_ bytes: Span<UInt8>, on file: FileValidators) -> ConditionOutcome {
        if let matches = names(file, in: "if-match", bytes, weakly: false) {
            if !matches { return .failed }
        } else if let date = date(of: "if-unmodified-since", bytes), file.modified > date {
            return .failed
        }
        if let matches = names(file, in: "if-none-match", bytes, weakly: true) {
            return matches ? .notModified : .holds
        }
        if let date = date(of: "if-modified-since", bytes), file.modified <= date {
            return .notModified
        }
        return .holds
    }

    /// Whether `Range` applies to the state of the file: there is no `If-Range`, or it names it.
    package func rangeApplies(_ bytes: Span<UInt8>, to file: FileValidators) -> Bool {
        guard let value = onlyValue(of: "if-range", bytes) else { return true }
        guard !value.isEmpty else { return false }
        // A weak tag begins with W/, and is none of ours.
        if bytes[value.lowerBound] == UInt8(ascii: "\"") { return file.isTag(bytes, value) }
        return file.hasStrongDate && CookieDate.seconds(bytes, value) == file.modified
    }

    /// Whether a list of entity tags names the state of a file; nil: there is no such field.
    private func names(
        _ file: FileValidators, in name: StaticString, _ bytes: Span<UInt8>, weakly: Bool
    ) -> Bool? {
        var isThere = false
        for index in 0..<fields.count where Octets.spells(bytes, fields[index].name.range, name) {
            isThere = true
            var elements = ListElements(fields[index].value.range)
            while let element = elements.next(bytes) {
                if element.count == 1, bytes[element.lowerBound] == UInt8(ascii: "*") {
                    return true
                }
                let isWeak =
                    element.count > 2 && bytes[element.lowerBound] == UInt8(ascii: "W")
                    && bytes[element.lowerBound &+ 1] == UInt8(ascii: "/")
                if isWeak, !weakly { continue }
                let opaque = isWeak ? element.lowerBound &+ 2..<element.upperBound : element
                if file.isTag(bytes, opaque) { return true }
            }
        }
        return isThere ? false : nil
    }

    /// The date of a field; nil: there is none, or it is no date, which counts as none.
    private func date(of name: StaticString, _ bytes: Span<UInt8>) -> Int64? {
        onlyValue(of: name, bytes).flatMap { CookieDate.seconds(bytes, $0) }
    }

    /// The value of a field that may be there once; nil if it is not.
    func onlyValue(of name: StaticString, _ bytes: Span<UInt8>) -> Range<Int>? {
        var value: Range<Int>?
        for index in 0..<fields.count where Octets.spells(bytes, fields[index].name.range, name) {
            if value != nil { return 0..<0 }
            value = fields[index].value.range
        }
        return value
    }
}
