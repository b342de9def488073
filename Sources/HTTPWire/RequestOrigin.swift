/// Where a request came from, as far as its sender is believed.
///
/// Of a sender that is not trusted: itself. Of a trusted proxy: the client that it speaks for,
/// which is the right-most address of its list that is not itself a trusted proxy's.
package struct RequestOrigin: Equatable, Sendable {
    /// The client's address; nil: it is on a unix socket of this machine.
    package private(set) var client: IPAddress?
    /// The client's own connection, or so the trusted sender says, is encrypted.
    package private(set) var isSecure: Bool
    /// The authority that the client asked for, of a trusted `X-Forwarded-Host` or `Forwarded`, in
    /// the head's bytes; empty: `Host` holds.
    package private(set) var host = ByteRange.empty

    /// Who is at the other end of the connection.
    let peer: IPAddress?
    let peerIsSecure: Bool
    /// The fields of the sender are kept and what Mooring knows is added to them.
    let isTrusted: Bool
    /// The sender used `Forwarded`, and did not contradict it: it is extended.
    private(set) var extendsForwarded = false
    /// The sender used `Forwarded` alone: `X-Forwarded-For` is made of it.
    private(set) var listsForwarded = false

    /// A client that speaks for itself.
    package init(peer: IPAddress?, isSecure: Bool) {
        self.init(peer: peer, isSecure: isSecure, isTrusted: false)
    }

    fileprivate init(peer: IPAddress?, isSecure: Bool, isTrusted: Bool) {
        client = peer
        self.isSecure = isSecure
        self.peer = peer
        peerIsSecure = isSecure
        self.isTrusted = isTrusted
    }
}

extension RequestHead {
    /// Reads what a trusted proxy says of the client (`X-Forwarded-*`, and RFC 7239 `Forwarded`).
    ///
    /// `X-Forwarded-For` counts before `Forwarded`: a proxy that knows the former only lets a
    /// client's own `Forwarded` pass. Where the two name different clients `Forwarded` is dropped.
    ///
    /// - Parameters:
    ///   - bytes: What was parsed.
    ///   - peer: Who is at the other end; nil: a unix socket. Not trusted: it speaks for itself.
    ///   - isSecure: The connection is encrypted.
    ///   - trusted: The proxies that are believed.
    package func origin(
        in bytes: Span<UInt8>, peer: IPAddress?, isSecure: Bool, trusted: TrustedNetworks
    ) -> RequestOrigin {
        guard trusted.contains(peer) else { return RequestOrigin(peer: peer, isSecure: isSecure) }
        var origin = RequestOrigin(peer: peer, isSecure: isSecure, isTrusted: true)
        var listed = ClientSearch(trusted)
        var standard = ClientSearch(trusted)
        var isStandardGood = true
        for index in 0..<fields.count {
            let value = fields[index].value.range
            switch fields[index].known {
            case .xForwardedFor: listed.read(list: bytes, value)
            case .forwarded:
                if isStandardGood { isStandardGood = standard.read(forwarded: bytes, value) }
            case .xForwardedProto, .xForwardedHost:
                origin.note(bytes, fields[index])
            case .other, .altSvc, .cacheControl, .connection, .contentLength, .cookie, .date,
                .expect, .host, .keepAlive, .maxForwards, .mooringAffinity, .mooringPin,
                .mooringSession, .proxy, .proxyAuthenticate, .proxyAuthorization,
                .proxyConnection, .secWebSocketVersion, .setCookie, .te, .trailer,
                .transferEncoding, .upgrade, .via, .xForwardedOther, .imitation, .underscored:
                break
            }
        }
        if !isStandardGood { standard = ClientSearch(trusted) }
        origin.settle(listed: listed, standard: standard, bytes)
        return origin
    }
}

extension RequestOrigin {
    /// The last word of a list is the trusted sender's own.
    fileprivate mutating func note(_ bytes: Span<UInt8>, _ field: FieldLine) {
        var elements = ListElements(field.value.range)
        var last = 0..<0
        while let element = elements.next(bytes) { last = element }
        if field.known == .xForwardedProto {
            noteProto(bytes, last)
        } else {
            noteHost(bytes, last)
        }
    }

    fileprivate mutating func noteProto(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        // Some proxies write the scheme of the WebSocket instead.
        if Octets.spells(bytes, value, "https") || Octets.spells(bytes, value, "wss") {
            isSecure = true
        } else if Octets.spells(bytes, value, "http") || Octets.spells(bytes, value, "ws") {
            isSecure = false
        }
    }

    fileprivate mutating func noteHost(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        if RequestTarget.isAuthority(bytes, value) { host = ByteRange(value) }
    }

    fileprivate mutating func settle(
        listed: ClientSearch, standard: ClientSearch, _ bytes: Span<UInt8>
    ) {
        if listed.isUsed {
            client = listed.client ?? peer
            extendsForwarded = standard.isUsed && standard.client == listed.client
        } else if standard.isUsed {
            client = standard.client ?? peer
            extendsForwarded = true
            listsForwarded = true
        }
        if extendsForwarded {
            // What X-Forwarded-Proto and -Host say counts before, for the same reason.
            let says = standard.element
            if !says.proto.isEmpty, !listed.isUsed { noteProto(bytes, says.proto) }
            if !says.host.isEmpty, host.isEmpty { noteHost(bytes, says.host) }
        }
    }
}

/// Finds the right-most address that is not a trusted proxy's, reading from the left.
///
/// Where all are trusted it is the left-most; beyond a node that hides nobody is believed.
private struct ClientSearch {
    private let trusted: TrustedNetworks
    /// There was a node at all.
    private(set) var isUsed = false
    private(set) var client: IPAddress?
    /// What was said beside the client's address.
    private(set) var element = ForwardedElements.Element()

    init(_ trusted: TrustedNetworks) { self.trusted = trusted }

    mutating func read(list bytes: Span<UInt8>, _ value: Range<Int>) {
        var elements = ListElements(value)
        while let node = elements.next(bytes) {
            take(ForwardedNode.address(bytes, node), ForwardedElements.Element(node: node))
        }
    }

    /// False: the field is not of the grammar and worthless.
    mutating func read(forwarded bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var elements = ForwardedElements(value)
        while true {
            switch elements.next(bytes) {
            case .element(let element):
                take(ForwardedNode.address(bytes, element.node), element)
            case .end: return true
            case .bad: return false
            }
        }
    }

    private mutating func take(_ address: IPAddress?, _ said: ForwardedElements.Element) {
        isUsed = true
        if let address, client != nil, trusted.contains(address) { return }
        client = address
        element = said
    }
}
