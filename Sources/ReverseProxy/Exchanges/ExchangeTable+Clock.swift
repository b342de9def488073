internal import Backends
internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Settings

/// The time that a process has for a request, which is paused while the process waits for the
/// client.
extension ExchangeTable {
    /// The response timeouts of an exchange with a route.
    func timeouts(_ exchange: Int) -> RouteTimeouts {
        plan.routes.plans[Int(self[exchange].route)].timeouts
    }

    /// No deadline: the process waits for the client, who has one.
    func clearUpstreamDeadline(_ entry: Int) {
        upstreams[entry].deadline = Int64.max
        self[Int(upstreams[entry].exchange)].machine.clock.pause(now: now)
    }

    func setUpstreamDeadline(_ entry: Int, after span: Interval) {
        let exchange = Int(upstreams[entry].exchange)
        upstreams.setDeadline(entry, after: span, atMost: requestEnd(exchange))
    }

    /// When the request's time is over, if it is not paused; monotonic ns.
    @inline(__always)
    func requestEnd(_ exchange: Int) -> Int64 {
        self[exchange].machine.clock.limit(.max)
    }
}
