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
    /// client's own `Forwarded` pass. Where the two contradict each other `Forwarded` is dropped.
    /// Scheme and host are those that the client's own proxy saw: of lists, the element as far from
    /// the end as the client's address is.
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
            case .other, .altSvc, .authorization, .cacheControl, .connection, .contentLength,
                .cookie, .date,
                .expect, .host, .keepAlive, .maxForwards, .mooringAffinity, .mooringPin,
                .mooringSession, .mooringWord, .proxy, .proxyAuthenticate, .proxyAuthorization,
                .proxyConnection, .secWebSocketVersion, .setCookie, .te, .trailer,
                .transferEncoding, .upgrade, .via, .xForwardedHost, .xForwardedProto,
                .xForwardedOther, .schemeClaim, .imitation, .targetedCaching, .identifier,
                .underscored:
                break
            }
        }
        if !isStandardGood { standard = ClientSearch(trusted) }
        origin.settle(listed: listed, standard: standard)
        let hops = listed.isUsed ? listed.hopsBehind : standard.hopsBehind
        origin.noteProto(bytes, element(of: .xForwardedProto, hops, bytes))
        origin.noteHost(bytes, element(of: .xForwardedHost, hops, bytes))
        origin.reconcile(with: standard.element, bytes)
        return origin
    }

    /// The element with so many others behind it, over all lines of the name; empty: there is none.
    ///
    /// The first where there are not as many: some proxies write one for all.
    private func element(
        of name: FieldName, _ hops: Int, _ bytes: Span<UInt8>
    ) -> Range<Int> {
        var count = 0
        for index in 0..<fields.count where fields[index].known == name {
            var elements = ListElements(fields[index].value.range)
            while elements.next(bytes) != nil { count += 1 }
        }
        var left = max(0, count - 1 - hops)
        for index in 0..<fields.count where fields[index].known == name {
            var elements = ListElements(fields[index].value.range)
            while let element = elements.next(bytes) {
                if left == 0 { return element }
                left -= 1
            }
        }
        return 0..<0
    }
}

extension RequestOrigin {
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

    fileprivate mutating func settle(listed: ClientSearch, standard: ClientSearch) {
        if listed.isUsed {
            client = listed.client ?? peer
            extendsForwarded = standard.isUsed && standard.client == listed.client
        } else if standard.isUsed {
            client = standard.client ?? peer
            extendsForwarded = true
            listsForwarded = true
        }
    }

    /// Takes up what `Forwarded` says beside the client, where it may; otherwise it must not contradict.
    ///
    /// What `X-Forwarded-Proto` and `-Host` say counts before, for the same reason as with `-For`;
    /// where `Forwarded` alone names the client it has the word.
    fileprivate mutating func reconcile(
        with said: ForwardedElements.Element, _ bytes: Span<UInt8>
    ) {
        guard extendsForwarded else { return }
        if listsForwarded { noteProto(bytes, said.proto) }
        if listsForwarded || host.isEmpty { noteHost(bytes, said.host) }
        var told = self
        told.noteProto(bytes, said.proto)
        told.noteHost(bytes, said.host)
        extendsForwarded =
            told.isSecure == isSecure && Octets.isSame(bytes, told.host.range, host.range)
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
    /// What was said beside the client's address, or by the nearest proxy behind that said it.
    private(set) var element = ForwardedElements.Element()
    /// How many nodes there are behind the client's.
    private(set) var hopsBehind = 0

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
        if let address, client != nil, trusted.contains(address) {
            hopsBehind += 1
            if element.proto.isEmpty { element.proto = said.proto }
            if element.host.isEmpty { element.host = said.host }
            return
        }
        client = address
        hopsBehind = 0
        element = said
    }
}
