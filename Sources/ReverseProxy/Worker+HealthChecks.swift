internal import HTTPWire
internal import Reactor

/// Health checks of load balancers and monitors before us: they want no session.
extension Worker {
    /// Whether the parsed head asks the group's processes whether they are well.
    ///
    /// A browser that opens the path as a page is a visitor like any.
    ///
    /// - Parameter path: as it is matched, with its query.
    func isHealthCheck(_ exchange: Int, _ route: Int, _ path: Span<UInt8>) -> Bool {
        guard requestHead.method == .get || requestHead.method == .head else { return false }
        let start = exchanges[exchange].prefixLength
        let length = routes.healthPaths[route].count
        guard path.count >= start + length else { return false }
        for index in 0..<length where path[start + index] != routes.healthPaths[route][index] {
            return false
        }
        let end = start + length
        guard end == path.count || path[end] == UInt8(ascii: "?") else { return false }
        let readable = unsafe downstreams[Int(exchanges[exchange].downstream)].input.readable
        return unsafe !requestHead.asksForPage(readable.span)
    }
}
