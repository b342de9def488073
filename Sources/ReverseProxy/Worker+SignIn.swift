internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Clients that have signed in on a connection to a process, which is theirs alone.
extension Worker {
    /// Keeps a connection for the client of the exchange, or closes it.
    ///
    /// A connection of HTTP/2 carries requests side by side, to which this cannot be fitted: there it ends
    /// with its response.
    func keepForClient(_ place: Int, after exchange: Int) {
        let client = Int(exchanges[exchange].downstream)
        guard !downstreams[client].carrier.isStream, downstreams[client].keepAlive,
            !downstreams[client].peerClosed
        else { return upstreams.close(place) }
        upstreams.keep(place, for: client, exchanges[exchange].machine.grant)
    }

    /// Lets the request just parsed go where its client has signed in, though it brings no cookie.
    ///
    /// Where the client's connection turns out to carry several users, as a proxy's does, the sign-in ends:
    /// the others would be taken for whoever signed in.
    func followSignIn(_ exchange: Int, _ bytes: Span<UInt8>) {
        let client = Int(exchanges[exchange].downstream)
        let isProxy =
            downstreams[client].isTrusted || downstreams[client].address == nil
            || exchanges.heads.request.cameThroughProxy(bytes)
        var next = upstreams.firstOwn(of: client)
        while let place = next {
            next = upstreams.nextOwn(after: place)
            if upstreams[place].group == exchanges[exchange].group,
                let grant = upstreams[place].grant
            {
                if isAnothers(exchange, grant, isProxy) {
                    upstreams.close(place)
                } else if exchanges[exchange].machine.admission.claim == nil,
                    let session = grant.session
                {
                    exchanges[exchange].machine.admission.claim = .init(
                        session: session, process: grant.incarnation)
                }
            }
        }
    }

    /// Whether the request is not that of the user who was last served on the connection, or may not be.
    private func isAnothers(_ exchange: Int, _ grant: Grant, _ isProxy: Bool) -> Bool {
        guard let claim = exchanges[exchange].machine.admission.claim else {
            return isProxy && !exchanges[exchange].signsInConnection
        }
        guard let session = grant.session else { return false }
        return !session.isSame(as: claim.session)
    }
}
