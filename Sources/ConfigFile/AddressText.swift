package import Settings

/// Why an address is invalid.
package struct AddressError: Error, Equatable, Sendable {
    package var wrong: String
    package var right: String
}

/// Addresses as written in the configuration and on the command line.
package enum AddressText {
    /// The longest unix socket path in bytes (`sun_path` without its terminating zero).
    package static let longestSocketPath = 107

    private static let forms = "write 127.0.0.1:8080, [::1]:8080 or unix:/path"

    /// Parses `host:port`, `[v6]:port` or `unix:/path`; `localhost` is 127.0.0.1.
    ///
    /// - Parameters:
    ///   - allowsPortZero: whether port 0 is valid (listeners only: the kernel chooses the port).
    ///   - keepsNames: whether to keep names, which are looked up later, and `localhost`, which then
    ///     means both loopback addresses (servers only).
    /// - Throws: the problem and how to fix it.
    package static func parse(
        _ text: String, allowsPortZero: Bool = false, keepsNames: Bool = false
    ) throws(AddressError) -> ProcessAddress {
        if text.hasPrefix("unix:") {
            return .unix(path: try socketPath(String(text.dropFirst("unix:".count))))
        }
        if let port = UInt16(text), "\(port)" == text {
            throw AddressError(
                wrong: "is \(TOMLText.excerpt(text)), without a host",
                right: "write 127.0.0.1:\(text) for this machine, 0.0.0.0:\(text) for all")
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw AddressError(wrong: "is \(TOMLText.excerpt(text)), without a port", right: forms)
        }
        let name = text[..<colon]
        let isKept =
            keepsNames && (name == ProcessAddress.localhost || HostName.canBeLookedUp(name))
        let host = isKept ? name.lowercased() : try self.host(name, of: text)
        let digits = text[text.index(after: colon)...]
        let isNumber = (1...5).contains(digits.utf8.count) && !digits.hasPrefix("+")
        guard isNumber, let port = UInt16(digits), port > 0 || allowsPortZero else {
            throw AddressError(
                wrong: "has the port \(TOMLText.excerpt(String(digits)))",
                right: "needs a number from \(allowsPortZero ? 0 : 1) to 65535")
        }
        return .tcp(host: host, port: port)
    }

    /// Checks a unix socket's path.
    static func socketPath(_ path: String) throws(AddressError) -> String {
        guard path.hasPrefix("/"), path != "/" else {
            throw AddressError(
                wrong: "has the socket path \(TOMLText.excerpt(path))",
                right: "needs a whole path, like unix:/run/app.sock")
        }
        guard path.utf8.count <= longestSocketPath else {
            throw AddressError(
                wrong: "has a socket path of \(path.utf8.count) bytes",
                right: "the system takes \(longestSocketPath); choose a shorter folder")
        }
        return path
    }

    private static func host(_ host: Substring, of text: String) throws(AddressError) -> String {
        if host == "*" || host.isEmpty {
            throw AddressError(
                wrong: "is \(TOMLText.excerpt(text))",
                right: "write 0.0.0.0 for every IPv4 address of this machine, or [::] for IPv6")
        }
        if host == "localhost" { return "127.0.0.1" }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let address = NumericHost.parseIPv6(host.dropFirst().dropLast()) else {
                throw AddressError(
                    wrong: "is \(TOMLText.excerpt(text)), whose brackets hold no IPv6 address",
                    right: "write it like [::1]:8080")
            }
            return address
        }
        if host.contains(":") {
            throw AddressError(
                wrong: "is \(TOMLText.excerpt(text))",
                right: "write an IPv6 address in brackets, like [::1]:8080, and no scheme")
        }
        guard let address = NumericHost.parseIPv4(host) else {
            throw AddressError(
                wrong: "is \(TOMLText.excerpt(text)), whose host is no address",
                right: "names are not looked up; \(forms)")
        }
        return address
    }
}

extension TableReader {
    /// Parses an address, or records the problem.
    func address(
        _ located: Located<String>, allowsPortZero: Bool = false, keepsNames: Bool = false
    ) -> ProcessAddress? {
        do throws(AddressError) {
            return try AddressText.parse(
                located.value, allowsPortZero: allowsPortZero, keepsNames: keepsNames)
        } catch {
            problems.add(located.node, error.wrong, error.right)
            return nil
        }
    }
}
