extension ResponseHead {
    /// Whether the body is an event stream, which never ends by itself and whose client reconnects
    /// (HTML, section 9.2 "Server-sent events").
    ///
    /// - Parameter bytes: the parsed bytes.
    package func isEventStream(in bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count where fields[index].known == .other {
            let line = fields[index]
            guard Octets.spells(bytes, line.name.range, "content-type") else { continue }
            var value = line.value.range
            if let parameters = value.first(where: { bytes[$0] == 0x3b }) {
                value = Octets.trimmed(bytes, value.lowerBound..<parameters)
            }
            return Octets.spells(bytes, value, "text/event-stream")
        }
        return false
    }
}
