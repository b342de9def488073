/// Where a request came from, as far as its sender is trusted.
///
/// For an untrusted sender: the sender itself. For a trusted proxy: the client that it forwards
/// for, which is the right-most address of its list that is not itself a trusted proxy's.
package struct RequestOrigin: Equatable, Sendable {
    /// The client's address; nil: a unix socket of this machine.
    package private(set) var client: IPAddress?
    /// Whether the client's own connection is encrypted, possibly according to a trusted sender.
    package private(set) var isSecure: Bool
    /// The authority that the client requested, from a trusted `X-Forwarded-Host` or `Forwarded`,
    /// in the head's bytes; empty: `Host` applies.
    package private(set) var host = ByteRange.empty

    /// The peer of the connection.
    let peer: IPAddress?
    let peerIsSecure: Bool
    /// The sender's fields are kept and extended.
    let isTrusted: Bool
    /// The sender used `Forwarded` without contradicting itself: it is extended.
    private(set) var extendsForwarded = false
    /// The sender used only `Forwarded`: `X-Forwarded-For` is derived from it.
    private(set) var listsForwarded = false

    /// A client that connects directly.
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
    /// Reads a trusted proxy's statements about the client (`X-Forwarded-*`, and RFC 7239
    /// `Forwarded`).
    ///
    /// `X-Forwarded-For` takes precedence over `Forwarded`: a proxy that knows only the former
    /// forwards a client's own `Forwarded`. If the two contradict each other, `Forwarded` is
    /// dropped. Scheme and host are those that the client's own proxy saw: in lists, the element as
    /// far from the end as the client's address.
    ///
    /// - Parameters:
    ///   - bytes: the parsed bytes.
    ///   - peer: the peer of the connection; nil: a unix socket. If it is not trusted, it is the
    ///     origin.
    ///   - isSecure: whether the connection is encrypted.
    ///   - trusted: the proxies to trust.
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

    /// The element with the given number of others after it, over all lines of the name; empty:
    /// none.
    ///
    /// The first if there are fewer: some proxies write one element for all.
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

    /// Applies what `Forwarded` states besides the client, or checks that it does not contradict.
    ///
    /// `X-Forwarded-Proto` and `-Host` take precedence, for the same reason as `-For`; if only
    /// `Forwarded` names the client, it decides.
    fileprivate mutating func reconcile(
        with element: ForwardedElements.Element, _ bytes: Span<UInt8>
    ) {
        guard extendsForwarded else { return }
        if listsForwarded { noteProto(bytes, element.proto) }
        if listsForwarded || host.isEmpty { noteHost(bytes, element.host) }
        var reconciled = self
        reconciled.noteProto(bytes, element.proto)
        reconciled.noteHost(bytes, element.host)
        extendsForwarded =
            reconciled.isSecure == isSecure
            && Octets.isSame(bytes, reconciled.host.range, host.range)
    }
}

/// Finds the right-most address that is not a trusted proxy's, reading from the left.
///
/// If all are trusted it is the left-most; an obfuscated node ends the trust.
private struct ClientSearch {
    private let trusted: TrustedNetworks
    /// There was at least one node.
    private(set) var isUsed = false
    private(set) var client: IPAddress?
    /// The element with the client's address, completed from the nearest proxy after it.
    private(set) var element = ForwardedElements.Element()
    /// The number of nodes after the client's.
    private(set) var hopsBehind = 0

    init(_ trusted: TrustedNetworks) { self.trusted = trusted }

    mutating func read(list bytes: Span<UInt8>, _ value: Range<Int>) {
        var elements = ListElements(value)
        while let node = elements.next(bytes) {
            take(ForwardedNode.address(bytes, node), ForwardedElements.Element(node: node))
        }
    }

    /// Reads a field; false: a syntax error invalidates it.
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

    private mutating func take(_ address: IPAddress?, _ stated: ForwardedElements.Element) {
        isUsed = true
        if let address, client != nil, trusted.contains(address) {
            hopsBehind += 1
            if element.proto.isEmpty { element.proto = stated.proto }
            if element.host.isEmpty { element.host = stated.host }
            return
        }
        client = address
        hopsBehind = 0
        element = stated
    }
}
