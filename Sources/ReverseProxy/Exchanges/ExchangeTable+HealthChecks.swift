internal import HTTPWire
internal import Reactor

/// Health checks of load balancers and monitors before us: they want no session.
extension ExchangeTable {
    /// Whether the parsed head asks the group's processes whether they are well.
    ///
    /// A browser that opens the path as a page is a visitor like any.
    ///
    /// - Parameter path: as it is matched, with its query.
    func isHealthCheck(_ exchange: Int, _ route: Int, _ path: Span<UInt8>) -> Bool {
        guard heads.request.method == .get || heads.request.method == .head else { return false }
        let start = self[exchange].prefixLength
        let length = plan.routes.healthPaths[route].count
        guard path.count >= start + length else { return false }
        for index in 0..<length where path[start + index] != plan.routes.healthPaths[route][index] {
            return false
        }
        let end = start + length
        guard end == path.count || path[end] == UInt8(ascii: "?") else { return false }
        let readable = unsafe downstreams[Int(self[exchange].downstream)].input.readable
        return unsafe !heads.request.asksForPage(readable.span)
    }
}
