internal import Backends
internal import Reactor

/// Connections to processes that belong to one client's connection.
///
/// With NTLM, and Negotiate where it stands for NTLM, a process signs in the connection: whoever speaks
/// on it is taken for that user. So it is kept for the client who asked for it, for as long as both are
/// there, and nobody else gets it.
extension Upstreams {
    /// The first connection that is kept for a client, the others by `nextIdle`; nil: none is.
    func firstOwn(of client: Int) -> Int? {
        // Nobody has one, as a rule.
        ownFirst.isEmpty ? nil : ownFirst[client]
    }

    /// The client's own connection to a process, taken out to be used; nil: there is none.
    func takeOwn(of client: Int, _ process: ProcessHandle, _ group: Int) -> Int? {
        var next = firstOwn(of: client)
        while let place = next {
            if Int(self[place].group) == group, self[place].process.serial == process.serial,
                self[place].process.index == process.index
            {
                guard self[place].transport?.socket.isSilent == true else {
                    close(place)
                    return nil
                }
                unlinkOwn(place)
                return place
            }
            next = nextOwn(after: place)
        }
        return nil
    }

    /// The next connection that is kept for the same client; nil: that was the last.
    func nextOwn(after place: Int) -> Int? {
        let next = Int(self[place].nextIdle)
        return next >= 0 ? next : nil
    }

    /// Keeps a connection for a client after a response.
    ///
    /// - Parameter grant: of the request that was served.
    func keep(_ place: Int, for client: Int, _ grant: Grant?) {
        rest(place)
        let first = firstOwn(of: client)
        self[place].owner = Int32(truncatingIfNeeded: client)
        self[place].grant = grant
        self[place].nextIdle = Int32(truncatingIfNeeded: first ?? -1)
        self[place].previousIdle = -1
        if let first { self[first].previousIdle = Int32(truncatingIfNeeded: place) }
        ownFirst[client] = place
    }

    /// Takes one out of the list of its owner.
    func unlinkOwn(_ place: Int) {
        let next = self[place].nextIdle
        let previous = self[place].previousIdle
        if previous >= 0 {
            self[Int(previous)].nextIdle = next
        } else {
            ownFirst[Int(self[place].owner)] = next >= 0 ? Int(next) : nil
        }
        if next >= 0 { self[Int(next)].previousIdle = previous }
        self[place].nextIdle = -1
        self[place].previousIdle = -1
    }

    /// The client has gone: what was kept for it ends.
    func closeOwn(of client: Int) {
        while let place = firstOwn(of: client) { close(place) }
    }
}
