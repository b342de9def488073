/// The combined meaning of `Transfer-Encoding` and `Content-Length` in one message.
struct FramingFacts {
    private var lengths = 0
    private var length: UInt64 = 0
    private(set) var hasEncoding = false
    private(set) var hasLength = false

    /// The problem with the length, if any: RFC 9112 section 6.3, RFC 9110 section 8.6.
    mutating func noteLength(_ bytes: Span<UInt8>, _ value: Range<Int>) -> StaticString? {
        hasLength = true
        lengths += 1
        if lengths > 1 { return "several lengths" }
        guard let number = Octets.decimal(bytes, value) else { return "bad length" }
        length = number
        return nil
    }

    enum Encoding {
        case fine, unknown, bad
    }

    /// Only `chunked`, once and alone, is supported (RFC 9112 sections 6.1 and 7).
    ///
    /// Codings without `chunked`, or with it at their end, are unsupported; if `chunked` occurs
    /// twice or is not the last, the end of the body is ambiguous (section 6.3).
    mutating func noteEncoding(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Encoding {
        let isFirst = !hasEncoding
        hasEncoding = true
        if isFirst, Octets.spells(bytes, value, "chunked") { return .fine }
        var elements = ListElements(value)
        var isChunked = !isFirst
        var verdict = Encoding.bad
        while let element = elements.next(bytes) {
            if isChunked { return .bad }
            if Octets.spells(bytes, element, "chunked") {
                isChunked = true
            } else {
                verdict = .unknown
            }
        }
        return verdict
    }

    var framing: BodyFraming? {
        if hasEncoding { return .chunked }
        return hasLength ? .length(length) : nil
    }
}
