internal import Testing

@testable internal import HTTPWire

/// A request parsed in one go, with its facts taken out.
struct Parsed {
    var result: HeadParse
    var method = RequestMethod.other
    var path = ""
    var host = ""
    var keepAlive = false
    var body = BodyFraming.none
    var headLength = 0
    var expectContinue = false
    var cameThroughProxy = false
    var forwarded = ""

    init(_ text: String, limit: Int = 32 * 1024, strippingPrefix: Int = 0) {
        self.init(Array(text.utf8), limit: limit, strippingPrefix: strippingPrefix)
    }

    init(_ bytes: [UInt8], limit: Int = 32 * 1024, strippingPrefix: Int = 0) {
        var head = RequestHead()
        var scan = 0
        result = head.parse(bytes.span, resumeFrom: &scan, limit: limit)
        guard result == .complete else { return }
        method = head.method
        path = text(bytes, head.path.range)
        host = text(bytes, head.host.range)
        keepAlive = head.keepAlive
        body = head.body
        headLength = head.headLength
        expectContinue = head.expectContinue
        cameThroughProxy = head.cameThroughProxy(bytes.span)
        forwarded = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: strippingPrefix, hiding: OwnCookies(names: []),
                forwarded: Span(), into: &sink)
        }
    }

    /// The status that the request is refused with; nil: it is not.
    var refusal: UInt16? {
        if case .rejected(let problem) = result { return problem.status }
        return nil
    }
}

/// The address that a text spells; nil: none.
func address(_ text: String) -> IPAddress? {
    let bytes = Array(text.utf8)
    return IPAddress(text: bytes.span)
}

func text(_ bytes: [UInt8], _ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
}

/// What is written into a sink of the given size.
func written(capacity: Int = 64 * 1024, _ write: (inout ByteSink) -> Void) -> String {
    var memory = [UInt8](repeating: 0, count: capacity)
    let count = unsafe memory.withUnsafeMutableBufferPointer { buffer in
        var sink = unsafe ByteSink(buffer)
        write(&sink)
        return sink.count
    }
    return text(memory, 0..<count)
}

/// A response parsed in one go and written for a client.
struct ParsedResponse {
    var result: HeadParse
    var status: UInt16 = 0
    var body = BodyFraming.none
    var keepAlive = false
    var pin = PinDirective.none
    /// At 1,800,000,000 s of the Unix era, in January 2027.
    var sessionCookie = CookieChange.none
    /// How many fields set a cookie of ours: `mooring` or `Other`.
    var removedCookies = 0
    var forwarded = ""

    init(
        _ text: String, to method: RequestMethod = .get, framing: ResponseFraming = .length,
        closes: Bool = false, setCookie: String = ""
    ) {
        self.init(
            Array(text.utf8), to: method, framing: framing, closes: closes, setCookie: setCookie)
    }

    init(
        _ bytes: [UInt8], to method: RequestMethod = .get, framing: ResponseFraming = .length,
        closes: Bool = false, setCookie: String = ""
    ) {
        let cookie = Array(setCookie.utf8)
        let date = Array("Sun, 22 Nov 2026 10:00:00 GMT".utf8)
        var head = ResponseHead()
        var scan = 0
        result = head.parse(bytes.span, resumeFrom: &scan, limit: 8192, requestMethod: method)
        guard result == .complete else { return }
        status = head.status
        body = head.body
        keepAlive = head.keepAlive
        pin = head.pinDirective
        sessionCookie = head.change(ofCookie: "sessionid", in: bytes.span, at: 1_800_000_000)
        removedCookies = head.remove(OwnCookies(names: ["mooring", "Other"]), in: bytes.span)
        forwarded = written { sink in
            head.write(
                from: bytes.span, framing: framing, closes: closes, date: date.span,
                setCookie: cookie.span, into: &sink)
        }
    }

    var isRefused: Bool {
        if case .rejected(let problem) = result { return problem.status == 502 }
        return false
    }
}

/// What a decoder made of a body.
struct DecodedBody: Equatable {
    var data: String
    /// What is behind the body.
    var rest: String
    var ended: Bool
}

/// Decodes a body that comes in pieces of at most `step` bytes; nil: it is bad.
func decoded(
    _ body: some Sequence<UInt8>, _ framing: BodyFraming = .chunked, step: Int = .max,
    limit: Int = 1000, breakMark: UInt64 = 0
) -> DecodedBody? {
    let bytes = Array(body)
    var decoder = BodyDecoder(framing, breakMark: breakMark)
    var data: [UInt8] = []
    var position = 0
    var available = min(step, bytes.count)
    steps: while !decoder.isEnded {
        if position == available {
            if available == bytes.count { break }
            available += min(step, bytes.count - available)
            continue
        }
        switch decoder.next(bytes.span.extracting(position..<available), limit: limit) {
        case .data(let consumed, let range):
            data += bytes[position + range.lowerBound..<position + range.upperBound]
            position += consumed
        case .needMore(let consumed):
            position += consumed
            if position < available {
                // It is given again with more behind it.
                if available == bytes.count { break steps }
                available += min(step, bytes.count - available)
            }
        case .end(let consumed):
            position += consumed
        case .bad:
            return nil
        }
    }
    return DecodedBody(
        data: String(decoding: data, as: UTF8.self), rest: text(bytes, position..<bytes.count),
        ended: decoder.isEnded)
}

/// Decodes the body that a text spells.
func decoded(
    _ body: String, _ framing: BodyFraming = .chunked, step: Int = .max, limit: Int = 1000
) -> DecodedBody? {
    decoded(Array(body.utf8), framing, step: step, limit: limit)
}
