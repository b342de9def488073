internal import Backends
internal import Glibc

/// Servers at `localhost`, which listen at either loopback address, or both.
extension Worker {
    /// Nobody takes connections at an address of a process: its other one is tried, if it has one.
    func refused(
        _ exchange: Int, _ code: Int32, _ process: ProcessHandle, _ group: Int, byOther: Bool
    ) {
        // What is missing may be IPv4 or IPv6 itself.
        let isAbsent = code == ECONNREFUSED || code == EADDRNOTAVAIL || code == ENETUNREACH
        if byOther { return connectFailed(exchange, isAbsent ? ECONNREFUSED : code) }
        guard isAbsent, let other = pools.otherAddress(of: process, group: group) else {
            return connectFailed(exchange, code)
        }
        connect(exchange, to: other, process: process, group: group, isToOther: true)
    }

    /// A pending connection came to nothing: an errno.
    func upstreamConnectFailed(_ place: Int, _ code: Int32) {
        let exchange = Int(upstreams[place].exchange)
        let (process, group) = (upstreams[place].process, Int(upstreams[place].group))
        let isToOther = upstreams[place].isToOther
        exchanges[exchange].move(source: .undecided)
        closeUpstream(place)
        refused(exchange, code, process, group, byOther: isToOther)
    }

    func upstreamConnectTimedOut(_ place: Int) { upstreamConnectFailed(place, ETIMEDOUT) }
}
