/// The options in a head's `Connection` fields (RFC 9110 section 7.6.1).
struct ConnectionOptions {
    /// More options than this are refused: a sane message has two or three.
    private static let maximum = 64

    private(set) var closes = false
    private(set) var keepsAlive = false
    private(set) var upgrades = false
    /// `TE` was set by this sender rather than forwarded by mistake.
    private(set) var namesTE = false
    /// Names fields that are not known hop-by-hop fields; these could also arrive as trailers.
    private(set) var namesOthers = false
    private var count = 0

    /// Marks the hop-by-hop fields in the table, including those that `Connection` names.
    ///
    /// Nil: it names more than a sane message would.
    static func take(_ bytes: Span<UInt8>, from table: inout FieldTable) -> ConnectionOptions? {
        var options = ConnectionOptions()
        for index in 0..<table.count where table[index].known != .other {
            switch table[index].known {
            case .connection:
                table.remove(index)
                var elements = ListElements(table[index].value.range)
                while let element = elements.next(bytes) {
                    options.note(bytes, element, &table)
                    if options.count > maximum { return nil }
                }
            case .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te,
                .trailer, .transferEncoding, .upgrade:
                table.remove(index)
            case .other, .altSvc, .authorization, .cacheControl, .contentLength, .cookie, .date,
                .expect,
                .forwarded, .host, .maxForwards, .mooringAffinity, .mooringPin, .mooringSession,
                .mooringWord,
                .proxy, .secWebSocketVersion, .setCookie, .via, .xForwardedFor, .xForwardedHost,
                .xForwardedProto, .xForwardedOther, .schemeClaim, .imitation, .targetedCaching,
                .identifier, .underscored:
                break
            }
        }
        return options
    }

    private mutating func note(
        _ bytes: Span<UInt8>, _ option: Range<Int>, _ table: inout FieldTable
    ) {
        count += 1
        if Octets.spells(bytes, option, "keep-alive") {
            keepsAlive = true
        } else if Octets.spells(bytes, option, "close") {
            closes = true
        } else if Octets.spells(bytes, option, "upgrade") {
            upgrades = true
        } else if Octets.spells(bytes, option, "te") {
            namesTE = true
        } else {
            namesOthers = true
            Self.removeNominated(bytes, option, in: &table)
        }
    }

    private static func removeNominated(
        _ bytes: Span<UInt8>, _ name: Range<Int>, in table: inout FieldTable
    ) {
        for index in 0..<table.count where !table[index].removed {
            let other = table[index].name.range
            guard other.count == name.count, table[index].known.mayBeNominated else { continue }
            var same = true
            for offset in 0..<name.count
            where Octets.lowered(bytes[name.lowerBound &+ offset])
                != Octets.lowered(bytes[other.lowerBound &+ offset])
            {
                same = false
                break
            }
            if same { table.remove(index) }
        }
    }
}
