/// Why a message is refused: the status of the response and a word for the log.
package struct HTTPProblem: Equatable, Sendable {
    package var status: UInt16
    package var reason: StaticString

    package init(status: UInt16, reason: StaticString) {
        self.status = status
        self.reason = reason
    }

    package static func == (left: HTTPProblem, right: HTTPProblem) -> Bool {
        left.status == right.status && left.reason.description == right.reason.description
    }

    static func bad(_ reason: StaticString) -> HTTPProblem {
        HTTPProblem(status: 400, reason: reason)
    }
}

/// The result of parsing a head.
package enum HeadParse: Equatable, Sendable {
    /// More bytes are needed.
    case incomplete
    case complete
    case rejected(HTTPProblem)
}

/// The methods that matter to a proxy; case-sensitive (RFC 9110 section 9.1).
package enum RequestMethod: UInt8, Sendable {
    case get, head, post, put, delete, patch, options, connect, trace, other

    /// Whether a request may be retried when no response came (RFC 9110 section 9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        func equals(_ literal: StaticString) -> Bool {
            guard range.count == literal.utf8CodeUnitCount else { return false }
            for offset in 0..<range.count
            where bytes[range.lowerBound &+ offset] != literal.octet(offset) {
                return false
            }
            return true
        }
        switch range.count {
        case 3: self = equals("GET") ? .get : equals("PUT") ? .put : .other
        case 4: self = equals("POST") ? .post : equals("HEAD") ? .head : .other
        case 5: self = equals("PATCH") ? .patch : equals("TRACE") ? .trace : .other
        case 6: self = equals("DELETE") ? .delete : .other
        case 7: self = equals("OPTIONS") ? .options : equals("CONNECT") ? .connect : .other
        default: self = .other
        }
    }
}

/// Where a message's body ends (RFC 9112 section 6.3).
package enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Until the connection closes; responses only.
    case untilClose

    /// There is no body.
    @inline(__always)
    package var isEmpty: Bool {
        if case .none = self { true } else { false }
    }

    /// A chunked body.
    @inline(__always)
    package var isChunked: Bool {
        if case .chunked = self { true } else { false }
    }

    /// Whether no byte of a body follows the head.
    @inline(__always)
    package var endsWithHead: Bool {
        switch self {
        case .none, .length(0): true
        case .length, .chunked, .untilClose: false
        }
    }

    /// Whether the head does not define where the body ends.
    @inline(__always)
    package var isOpenEnded: Bool {
        switch self {
        case .chunked, .untilClose: true
        case .none, .length: false
        }
    }
}

/// How a response's body is framed for the client.
package enum ResponseFraming: UInt8, Sendable {
    /// No body, or as many bytes as the head declares.
    case none, length
    case chunked, untilClose

    /// Chunked, with an explicit end.
    @inline(__always)
    package var isChunked: Bool {
        if case .chunked = self { true } else { false }
    }

    /// The body ends with the connection.
    @inline(__always)
    package var endsWithConnection: Bool {
        if case .untilClose = self { true } else { false }
    }
}
