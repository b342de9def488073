internal import HTTPWire
internal import Routing

/// The part of a request's path that its script is found by.
extension ExchangeTable {
    /// The path behind what its route takes off; nil: it has a zero byte.
    ///
    /// - Parameter bytes: those of the head that was parsed last, which is the exchange's.
    func scriptPath(_ exchange: Int, _ bytes: Span<UInt8>) -> ScriptPath? {
        let path = bytes.extracting(heads.request.path.range)
        let start = self[exchange].prefixLength
        guard self[exchange].resolvesPath else {
            return ScriptPath(path.extracting(min(start, path.count)...))
        }
        let resolved = RequestPath.resolved(path)
        return ScriptPath(resolved.span.extracting(min(start, resolved.count)...))
    }

    /// What its route takes off, decoded; empty: nothing.
    func mount(_ exchange: Int, _ bytes: Span<UInt8>) -> [UInt8] {
        let length = self[exchange].prefixLength
        if length == 0 { return [] }
        let path = bytes.extracting(heads.request.path.range)
        guard self[exchange].resolvesPath else {
            return ScriptPath(path.extracting(..<min(length, path.count)))?.path ?? []
        }
        let resolved = RequestPath.resolved(path)
        return ScriptPath(resolved.span.extracting(..<min(length, resolved.count)))?.path ?? []
    }
}
