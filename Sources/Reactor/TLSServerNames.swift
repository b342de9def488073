internal import COpenSSL

/// Selects one of several certificates by the client's server name (SNI, RFC 6066 section 3).
///
/// An exact name takes precedence over a wildcard, and an earlier certificate over a later one with
/// the same name.
struct TLSServerNames {
    /// The names of each certificate, in the order given, in lower case.
    private var exact: [String: Int] = [:]
    /// `.example.org` for `*.example.org`.
    private var wildcards: [String: Int] = [:]

    /// Adds the names of the next certificate.
    ///
    /// - Returns: whether it is selected for any name.
    mutating func add(_ names: [String], index: Int) -> Bool {
        var isShown = false
        for name in names {
            if name.hasPrefix("*.") {
                let suffix = String(name.dropFirst())
                if wildcards[suffix] == nil {
                    wildcards[suffix] = index
                    isShown = true
                }
            } else if exact[name] == nil {
                exact[name] = index
                isShown = true
            }
        }
        return isShown
    }

    /// The index of the certificate for a name; nil: none matches.
    ///
    /// A wildcard matches one whole label, the leftmost (RFC 6125 section 6.4.3).
    func index(for asked: String) -> Int? {
        let name = Self.normal(asked)
        if let index = exact[name] { return index }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return nil }
        return wildcards[String(name[dot...])]
    }

    /// The DNS names of a certificate, in lower case; the common name when it has no alternative
    /// names at all.
    static func names(of certificate: TLSCertificate) -> [String] {
        guard let names = unsafe mooring_x509_names(certificate.pointer) else {
            return commonName(of: certificate).map { [$0] } ?? []
        }
        defer { unsafe mooring_x509_names_free(names) }
        var found: [String] = []
        for index in 0..<(unsafe mooring_x509_name_count(names)) {
            guard let name = unsafe mooring_x509_dns_name(names, index) else { continue }
            found.append(normal(unsafe text(of: name)))
        }
        return found
    }

    private static func commonName(of certificate: TLSCertificate) -> String? {
        let subject = unsafe X509_get_subject_name(certificate.pointer)
        let index = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index),
            let name = unsafe X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        return normal(unsafe text(of: name))
    }

    private static func text(of name: UnsafePointer<ASN1_STRING>) -> String {
        let length = max(0, unsafe ASN1_STRING_length(name))
        guard let start = unsafe ASN1_STRING_get0_data(name) else { return "" }
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: Int(length)), as: UTF8.self)
    }

    /// Lower case, without the dot of the root.
    private static func normal(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
