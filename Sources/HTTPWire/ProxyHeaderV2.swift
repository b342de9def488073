/// Version 2: binary, with additional fields after the addresses (proxy-protocol.txt section 2.2).
enum ProxyHeaderV2 {
    /// Signature, command, family and length.
    static let fixedLength = 16

    private enum Family: UInt8 {
        case unspecified = 0
        case v4 = 1
        case v6 = 2
        case unix = 3

        /// Bytes of both addresses and ports.
        var length: Int {
            switch self {
            case .unspecified: 0
            case .v4: 12
            case .v6: 36
            case .unix: 216
            }
        }
    }

    /// Parses from the sixteenth byte on; the caller has checked the signature and that many bytes.
    static func parse(_ bytes: Span<UInt8>) -> ProxyHeaderParse {
        let command = bytes[12] & 15
        guard bytes[12] >> 4 == 2, command <= 1 else { return .invalid("bad PROXY version") }
        // Stream, or unspecified; datagrams do not arrive over TCP.
        guard let family = Family(rawValue: bytes[13] >> 4), bytes[13] & 15 <= 1 else {
            return .invalid("bad PROXY family")
        }
        let length = fixedLength + (Int(bytes[14]) << 8 | Int(bytes[15]))
        guard length <= ProxyHeader.maximumLength else { return .invalid("PROXY header too long") }
        let fieldsStart = fixedLength + family.length
        guard command == 0 || fieldsStart <= length else { return .invalid("short PROXY header") }
        if bytes.count < length { return .incomplete }
        let header = bytes.extracting(0..<length)
        if command == 0 {
            // Whatever follows LOCAL must be skipped.
            return .local(length: length)
        }
        var fields = Fields()
        guard fields.read(header, from: fieldsStart) else { return .invalid("bad PROXY field") }
        let isStream = bytes[13] & 15 == 1
        guard family != .unspecified, isStream else { return .local(length: length) }
        return .parsed(parsed(header, family, fields))
    }

    private static func parsed(
        _ header: Span<UInt8>, _ family: Family, _ fields: Fields
    ) -> ProxyHeader {
        func end(_ address: Range<Int>, _ port: Int) -> ProxyHeader.End {
            let number = UInt16(header[port]) << 8 | UInt16(header[port + 1])
            return ProxyHeader.End(
                address: IPAddress(bytes: header.extracting(address)), port: number)
        }
        let none = ProxyHeader.End(address: nil, port: 0)
        let ends =
            switch family {
            case .v4: (end(16..<20, 24), end(20..<24, 26))
            case .v6: (end(16..<32, 48), end(32..<48, 50))
            case .unix, .unspecified: (none, none)
            }
        return ProxyHeader(
            source: ends.0, destination: ends.1, isSecure: fields.isSecure, length: header.count)
    }

    /// The additional fields (section 2.2.1): type, two bytes of length, value.
    private struct Fields {
        private static let checksum: UInt8 = 0x03
        private static let secure: UInt8 = 0x20

        private(set) var isSecure = false

        /// Reads the fields; false: one is truncated, or the checksum is wrong.
        mutating func read(_ header: Span<UInt8>, from start: Int) -> Bool {
            var position = start
            var hasChecksum = false
            while position < header.count {
                guard header.count - position >= 3 else { return false }
                let type = header[position]
                let count = Int(header[position + 1]) << 8 | Int(header[position + 2])
                let value = position + 3..<position + 3 + count
                guard value.upperBound <= header.count else { return false }
                if type == Self.checksum {
                    guard !hasChecksum, Self.isRight(header, value) else { return false }
                    hasChecksum = true
                }
                if type == Self.secure {
                    guard count >= 5 else { return false }
                    // PP2_CLIENT_SSL: the client connected over TLS.
                    isSecure = header[value.lowerBound] & 1 == 1
                }
                position = value.upperBound
            }
            return true
        }

        /// Verifies the CRC-32C over the whole header with zeros in place of the checksum (section
        /// 2.2.3).
        private static func isRight(_ header: Span<UInt8>, _ value: Range<Int>) -> Bool {
            guard value.count == 4 else { return false }
            var given: UInt32 = 0
            var sum = CRC32C()
            for index in 0..<header.count {
                let isChecksum = value.contains(index)
                if isChecksum { given = given << 8 | UInt32(header[index]) }
                sum.add(isChecksum ? 0 : header[index])
            }
            return sum.value == given
        }
    }
}

/// CRC-32 with Castagnoli's polynomial, as in RFC 9260 appendix A.
struct CRC32C {
    private var register = UInt32.max

    mutating func add(_ byte: UInt8) {
        register ^= UInt32(byte)
        // Bit by bit suffices: it covers a few hundred bytes, once per connection.
        for _ in 0..<8 {
            register = register & 1 == 1 ? register >> 1 ^ 0x82f6_3b78 : register >> 1
        }
    }

    var value: UInt32 { ~register }
}
