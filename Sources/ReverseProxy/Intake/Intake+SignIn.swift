internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Requests of clients that have signed in on a connection to a process, which is theirs alone.
extension Intake {
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
        while let entry = next {
            next = upstreams.nextOwn(after: entry)
            if upstreams[entry].group == exchanges[exchange].group,
                let grant = upstreams[entry].grant
            {
                if isAnothers(exchange, grant, isProxy) {
                    upstreams.close(entry)
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
