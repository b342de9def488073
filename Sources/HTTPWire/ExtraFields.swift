/// Fields that the configuration adds to responses (`headers`), replacing the process's own.
package struct ExtraFields: Equatable, Sendable {
    private struct Entry: Equatable {
        /// In lower case.
        var name: [UInt8]
        /// Including its CRLF; empty: the field is removed.
        var line: [UInt8]
        var kind: Kind
    }

    private enum Kind: Equatable {
        case plain
        /// Only valid on an encrypted connection (RFC 6797 section 7.2).
        case secure
        /// Controls caches; dropped from a response that sets Mooring's cookie, which controls them
        /// itself.
        case caching
        /// A `Cache-Control` that excludes every shared cache, as a response that sets the cookie
        /// needs.
        case confining
    }

    private var entries: [Entry] = []

    /// - Parameter fields: validated; an empty value removes the field.
    package init(_ fields: [(name: String, value: String)] = []) {
        entries = fields.map { field in
            let name = Array(field.name.lowercased().utf8)
            let line = field.value.isEmpty ? [] : Array("\(field.name): \(field.value)\r\n".utf8)
            return Entry(
                name: name, line: line,
                kind: Self.kind(field.name.lowercased(), field.value.lowercased()))
        }
    }

    private static func kind(_ name: String, _ value: String) -> Kind {
        if name == "strict-transport-security" { return .secure }
        if name == "cache-control" {
            let directives = value.split { $0 == "," || $0 == " " || $0 == "\t" }
            if directives.contains("no-store") || directives.contains("private") {
                return .confining
            }
        }
        let isCaching =
            name.hasSuffix("cache-control") || name == "surrogate-control" || name == "expires"
        return isCaching ? .caching : .plain
    }

    /// There are none.
    package var isEmpty: Bool { entries.isEmpty }

    /// The total size of the lines in bytes.
    package var length: Int { entries.reduce(0) { $0 + $1.line.count } }

    /// These fields merged over others; fields here win.
    package func over(_ others: ExtraFields) -> ExtraFields {
        var all = self
        all.entries += others.entries.filter { other in
            !entries.contains { $0.name == other.name }
        }
        return all
    }

    /// The fields that apply to a response.
    ///
    /// - Parameters:
    ///   - isSecure: whether the client's connection is encrypted.
    ///   - setsCookie: whether the response sets Mooring's cookie.
    package func suiting(isSecure: Bool, setsCookie: Bool) -> ExtraFields {
        var suited = self
        suited.entries.removeAll { entry in
            entry.kind == .secure && !isSecure || entry.kind == .caching && setsCookie
        }
        return suited
    }

    /// Whether they already exclude shared caches, so that a response with a cookie needs no
    /// further `Cache-Control`.
    var confinesCaches: Bool { entries.contains { $0.kind == .confining } }

    /// Without the fields that control caches, for a response that does so itself.
    package var withoutCaching: ExtraFields {
        var rest = self
        rest.entries.removeAll { $0.kind == .caching || $0.kind == .confining }
        return rest
    }

    /// Writes the lines.
    package func write(into sink: inout ByteSink) {
        for entry in entries { sink.append(entry.line.span) }
    }

    /// Whether a field of Mooring's own is replaced or removed.
    ///
    /// - Parameter name: in lower case.
    func replaces(_ name: StaticString) -> Bool {
        entries.contains { entry in
            entry.name.count == name.utf8CodeUnitCount
                && entry.name.indices.allSatisfy { entry.name[$0] == name.octet($0) }
        }
    }

    /// Whether a field of the response is replaced or removed.
    func replaces(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        entries.contains { entry in
            guard entry.name.count == name.count else { return false }
            for offset in 0..<name.count
            where Octets.lowered(bytes[name.lowerBound &+ offset]) != entry.name[offset] {
                return false
            }
            return true
        }
    }
}

extension ResponseHead {
    /// Removes the fields that the configuration replaces.
    package mutating func remove(replacedBy extra: ExtraFields, in bytes: Span<UInt8>) {
        for index in 0..<fields.count where !fields[index].removed {
            if extra.replaces(bytes, fields[index].name.range) { fields.remove(index) }
        }
    }
}
