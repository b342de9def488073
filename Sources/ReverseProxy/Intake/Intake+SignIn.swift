internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Clients that have authenticated on a connection to a process, which is then theirs alone.
extension Intake {
    /// Sends the request just parsed to the process where its client has authenticated, even
    /// without a cookie.
    ///
    /// If the client's connection turns out to carry several users, as a proxy's does, the
    /// authentication ends: the process would attribute other users' requests to the authenticated
    /// one.
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
                if mayBeOtherUser(exchange, grant, isProxy) {
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

    /// Whether the request is, or may be, from another user than the connection's last one.
    private func mayBeOtherUser(_ exchange: Int, _ grant: Grant, _ isProxy: Bool) -> Bool {
        guard let claim = exchanges[exchange].machine.admission.claim else {
            return isProxy && !exchanges[exchange].signsInConnection
        }
        guard let session = grant.session else { return false }
        return !session.isSame(as: claim.session)
    }
}
