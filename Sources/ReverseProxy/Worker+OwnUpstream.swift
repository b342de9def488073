internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor

/// Connections to processes that belong to one client's connection.
///
/// With NTLM, and Negotiate where it stands for NTLM, a process signs in the connection: whoever speaks
/// on it is taken for that user. So it is kept for the client who asked for it, for as long as both are
/// there, and nobody else gets it. A connection of HTTP/2 carries requests side by side, to which this
/// cannot be fitted: there it ends with its response.
extension Worker {
    /// The connection to the process that is the client's own, taken out to be used; nil: there is none.
    func ownUpstream(_ process: ProcessHandle, group: Int, for exchange: Int) -> Int? {
        let client = Int(exchanges[exchange].downstream)
        var place = Int(downstreams[client].ownUpstream)
        while place >= 0 {
            if Int(upstreams[place].group) == group,
                upstreams[place].process.serial == process.serial,
                upstreams[place].process.index == process.index
            {
                guard upstreams[place].transport?.socket.isSilent == true else {
                    closeUpstream(place)
                    return nil
                }
                unlinkOwn(place)
                return place
            }
            place = Int(upstreams[place].nextIdle)
        }
        return nil
    }

    /// Keeps a connection for the client of the exchange, or closes it.
    func keepForClient(_ place: Int, after exchange: Int) {
        let client = Int(exchanges[exchange].downstream)
        guard !downstreams[client].carrier.isStream, downstreams[client].keepAlive,
            !downstreams[client].peerClosed
        else { return closeUpstream(place) }
        let first = downstreams[client].ownUpstream
        upstreams[place].owner = Int32(truncatingIfNeeded: client)
        upstreams[place].grant = exchanges[exchange].machine.grant
        upstreams[place].nextIdle = first
        upstreams[place].previousIdle = -1
        if first >= 0 { upstreams[Int(first)].previousIdle = Int32(truncatingIfNeeded: place) }
        downstreams[client].ownUpstream = Int32(truncatingIfNeeded: place)
    }

    /// Takes one out of the list of its owner.
    func unlinkOwn(_ place: Int) {
        let next = upstreams[place].nextIdle
        let previous = upstreams[place].previousIdle
        let client = Int(upstreams[place].owner)
        if previous >= 0 {
            upstreams[Int(previous)].nextIdle = next
        } else {
            downstreams[client].ownUpstream = next
        }
        if next >= 0 { upstreams[Int(next)].previousIdle = previous }
        upstreams[place].nextIdle = -1
        upstreams[place].previousIdle = -1
    }

    /// The client has gone: what was kept for it ends.
    func closeOwnUpstreams(_ client: Int) {
        while downstreams[client].ownUpstream >= 0 {
            closeUpstream(Int(downstreams[client].ownUpstream))
        }
    }

    /// Lets the request just parsed go where its client has signed in, though it brings no cookie.
    ///
    /// Where the client's connection turns out to carry several users, as a proxy's does, the sign-in ends:
    /// the others would be taken for whoever signed in.
    func followSignIn(_ exchange: Int, _ bytes: Span<UInt8>) {
        let client = Int(exchanges[exchange].downstream)
        let isProxy =
            downstreams[client].isTrusted || downstreams[client].address == nil
            || requestHead.cameThroughProxy(bytes)
        var place = Int(downstreams[client].ownUpstream)
        while place >= 0 {
            let next = Int(upstreams[place].nextIdle)
            if upstreams[place].group == exchanges[exchange].group,
                let grant = upstreams[place].grant
            {
                if isAnothers(exchange, grant, isProxy) {
                    closeUpstream(place)
                } else if exchanges[exchange].machine.admission.claim == nil,
                    let session = grant.session
                {
                    exchanges[exchange].machine.admission.claim = .init(
                        session: session, process: grant.incarnation)
                }
            }
            place = next
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
