/// The content of the session cookie: a session's id and its process.
package struct Token: Equatable, Sendable {
    /// Characters of the cookie's value: 42 bytes in base64url without padding.
    package static let encodedLength = 56
    /// Bytes before the MAC: version, key, issued, session, process.
    static let signedLength = 26
    /// All bytes, including the MAC.
    static let length = 42
    /// The first byte of every token of this form.
    static let version: UInt8 = 1

    /// When it was created, in seconds of the Unix era (wall clock).
    package var issued: UInt32
    /// The random id of the session, 12 bytes: the first eight.
    package var sessionHigh: UInt64
    /// The last four bytes of the session's id.
    package var sessionLow: UInt32
    /// The random id of the process, drawn when it was spawned.
    package var process: UInt64

    package init(issued: UInt32, sessionHigh: UInt64, sessionLow: UInt32, process: UInt64) {
        self.issued = issued
        self.sessionHigh = sessionHigh
        self.sessionLow = sessionLow
        self.process = process
    }
}

/// The token as bytes, all integers big-endian, the MAC in the last sixteen.
typealias TokenBytes = InlineArray<42, UInt8>

extension Token {
    /// The bytes with an empty MAC.
    func bytes(key: UInt8) -> TokenBytes {
        var bytes = TokenBytes(repeating: 0)
        bytes[0] = Self.version
        bytes[1] = key
        Self.store(issued, at: 2, in: &bytes)
        Self.store(sessionHigh, at: 6, in: &bytes)
        Self.store(sessionLow, at: 14, in: &bytes)
        Self.store(process, at: 18, in: &bytes)
        return bytes
    }

    /// Reads the bytes between the key and the MAC; the caller has checked both.
    init(_ bytes: TokenBytes) {
        issued = Self.load(at: 2, from: bytes)
        sessionHigh = Self.load(at: 6, from: bytes)
        sessionLow = Self.load(at: 14, from: bytes)
        process = Self.load(at: 18, from: bytes)
    }

    private static func store(
        _ value: some FixedWidthInteger, at offset: Int, in bytes: inout TokenBytes
    ) {
        let width = value.bitWidth / 8
        for index in 0..<width {
            let shift = 8 * (width - 1 - index)
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    private static func load<Integer: FixedWidthInteger>(
        at offset: Int, from bytes: TokenBytes
    ) -> Integer {
        var value: Integer = 0
        for index in 0..<(Integer.bitWidth / 8) {
            value = (value << 8) | Integer(truncatingIfNeeded: bytes[offset + index])
        }
        return value
    }
}
