/// Why an entry of `trusted_proxies` is invalid, and what would be right.
package enum TrustedNetworkProblem: Error, Equatable, Sendable {
    /// Neither an address nor a network.
    case notANetwork(String)
    /// More bits than the address has: 32 or 128 at most.
    case prefixTooLong(String, maximum: Int)
    /// Bits after the prefix are set, so the intention is unclear; `network` contains the address.
    case bitsBehindPrefix(String, network: String)

    /// A sentence for the author of the entry.
    package var description: String {
        switch self {
        case .notANetwork(let text):
            "\"\(text)\" is no network; write an address (10.0.0.7, ::1), a network"
                + " (10.0.0.0/8, fd00::/8), or \"unix\" for peers on unix sockets"
        case .prefixTooLong(let text, let maximum):
            "\"\(text)\" has a prefix of more than \(maximum) bits"
        case .bitsBehindPrefix(let text, let network):
            "\"\(text)\" has bits set behind its prefix; write \(network) for the whole network"
        }
    }
}

/// The peers that are trusted to describe their clients: addresses and networks (RFC 4632, RFC
/// 4291).
package struct TrustedNetworks: Equatable, Sendable {
    private struct Network: Equatable, Sendable {
        var address: IPAddress
        /// Significant bits, of 128.
        var bits: Int
    }

    private var networks: [Network] = []
    /// Peers on unix sockets, which have no address, are trusted.
    private var includesUnix = false

    /// Trusts no peer.
    package init() {}

    /// Reads addresses, networks and the word `unix`.
    package init(parsing entries: [String]) throws(TrustedNetworkProblem) {
        for entry in entries {
            if entry == "unix" || entry == "unix:" {
                includesUnix = true
            } else {
                networks.append(try Self.network(entry))
            }
        }
    }

    /// Whether no peer is trusted, so that look-ups can be skipped.
    package var isEmpty: Bool { networks.isEmpty && !includesUnix }

    /// Whether a peer is trusted; nil: a unix socket.
    package func contains(_ address: IPAddress?) -> Bool {
        guard let address else { return includesUnix }
        for network in networks where Self.contains(network, address) { return true }
        return false
    }

    private static func contains(_ network: Network, _ address: IPAddress) -> Bool {
        // `::/0` means all of IPv6 and no IPv4.
        guard address.isV4 == network.address.isV4 else { return false }
        return masked(address, network.bits) == network.address
    }

    private static func network(_ text: String) throws(TrustedNetworkProblem) -> Network {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = address(parts[0]) else { throw .notANetwork(text) }
        let maximum = address.isV4 && !parts[0].utf8.contains(0x3a) ? 32 : 128
        var bits = maximum
        if parts.count == 2 {
            guard let number = prefix(parts[1]) else { throw .notANetwork(text) }
            guard number <= maximum else { throw .prefixTooLong(text, maximum: maximum) }
            bits = number
        }
        let all = bits + (128 - maximum)
        let network = masked(address, all)
        // A prefix that ends inside `::ffff:0:0/96` matches neither family.
        guard network.isV4 == address.isV4 else { throw .notANetwork(text) }
        guard network == address else {
            let shown = network.isV4 ? all - 96 : bits
            throw .bitsBehindPrefix(text, network: "\(network.text)/\(shown)")
        }
        return Network(address: network, bits: all)
    }

    private static func address(_ text: Substring) -> IPAddress? {
        let bytes = Array(text.utf8)
        return IPAddress(text: bytes.span)
    }

    private static func prefix(_ text: Substring) -> Int? {
        let isNumber = text.utf8.allSatisfy { Octets.isDigit($0) }
        guard isNumber, (1...3).contains(text.utf8.count) else { return nil }
        return text == "0" || text.first != "0" ? Int(text) : nil
    }

    /// The address with all bits after the prefix cleared.
    private static func masked(_ address: IPAddress, _ bits: Int) -> IPAddress {
        // Swift's shift by 64 yields zero.
        let high = UInt64.max << UInt64(max(0, 64 - bits))
        let low = UInt64.max << UInt64(max(0, 128 - max(bits, 64)))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}

extension IPAddress {
    /// The text, for messages.
    package var text: String {
        var memory = [UInt8](repeating: 0, count: Self.maximumTextLength)
        let count = unsafe memory.withUnsafeMutableBufferPointer { buffer in
            var sink = unsafe ByteSink(buffer)
            write(into: &sink)
            return sink.count
        }
        return String(decoding: memory[..<count], as: UTF8.self)
    }
}
