internal import Settings

/// Host names as used in certificates and cookies.
enum HostName {
    /// Whether it is a name for the name service, and no address; names within a container network may
    /// have underscores.
    static func canBeLookedUp(_ name: some StringProtocol) -> Bool {
        isValid(String(name.map { $0 == "_" ? "-" : $0 }))
            && ProcessAddress.tcp(host: String(name), port: 0).name != nil
    }

    /// Whether the name consists of letters, digits, hyphens and dots (RFC 1123 section 2.1).
    ///
    /// All digits are valid too, so an IPv4 address also passes.
    static func isValid(_ name: some StringProtocol) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    TOMLText.isBareKeyByte($0) && $0 != UInt8(ascii: "_")
                }
        }
    }
}
