/// One field line of a head.
package struct FieldLine: Sendable {
    package var name: ByteRange
    /// Without surrounding white space.
    package var value: ByteRange
    /// Including its line end.
    package var line: ByteRange
    package var known: FieldName
    /// Not forwarded.
    package var removed: Bool
}

/// The field lines of the head parsed last; memory for the maximum, allocated once.
@safe
package struct FieldTable: ~Copyable {
    /// More field lines than this are refused.
    package static let capacity = 128

    private let lines: UnsafeMutablePointer<FieldLine>
    package private(set) var count = 0
    /// A line ends without CR, so lines cannot be copied unchanged.
    private(set) var hasBareLineFeeds = false

    package init() { unsafe lines = .allocate(capacity: Self.capacity) }

    deinit { unsafe lines.deallocate() }

    package subscript(index: Int) -> FieldLine {
        precondition(index >= 0 && index < count)
        return unsafe lines[index]
    }

    /// Marks a line as not forwarded.
    mutating func remove(_ index: Int) {
        precondition(index >= 0 && index < count)
        unsafe lines[index].removed = true
    }

    /// The same, and it means nothing here.
    mutating func disregard(_ index: Int) {
        remove(index)
        unsafe lines[index].known = .other
    }

    /// The one line with this name; nil: there is none, or there are several.
    ///
    /// - Parameters:
    ///   - name: in lower case.
    ///   - orForwarded: whether it may be an `X-Forwarded-…` field, which only trusted proxies send.
    package func only(
        _ name: Span<UInt8>, in bytes: Span<UInt8>, orForwarded: Bool = false
    ) -> Int? {
        var found: Int?
        for index in 0..<count
        where !self[index].removed || orForwarded && self[index].known == .xForwardedOther {
            let range = self[index].name.range
            guard range.count == name.count, Self.spells(bytes, range, name) else { continue }
            if found != nil { return nil }
            found = index
        }
        return found
    }

    /// Whether a name is this one for CGI, which maps `-` and `_` to one.
    static func resembles(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ name: Span<UInt8>
    ) -> Bool {
        guard range.count == name.count else { return false }
        for offset in 0..<name.count {
            let octet = Octets.lowered(bytes[range.lowerBound &+ offset])
            if Octets.hyphenated(octet) != name[offset] { return false }
        }
        return true
    }

    private static func spells(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ name: Span<UInt8>
    ) -> Bool {
        for offset in 0..<name.count
        where Octets.lowered(bytes[range.lowerBound &+ offset]) != name[offset] {
            return false
        }
        return true
    }

    /// Whether another line has the same name with `-` in place of a `_` of this one.
    ///
    /// CGI-like servers, including WSGI servers, map both to one variable and let one overwrite the
    /// other.
    func hasTwin(of index: Int, in bytes: Span<UInt8>) -> Bool {
        let name = self[index].name.range
        for other in 0..<count where other != index {
            let range = self[other].name.range
            if range.count == name.count, Self.areTwins(bytes, name, range) { return true }
        }
        return false
    }

    private static func areTwins(
        _ bytes: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>
    ) -> Bool {
        var differ = false
        for offset in 0..<one.count {
            let left = Octets.lowered(bytes[one.lowerBound &+ offset])
            let right = Octets.lowered(bytes[other.lowerBound &+ offset])
            if left == right { continue }
            guard Octets.hyphenated(left) == Octets.hyphenated(right) else { return false }
            differ = true
        }
        return differ
    }

    mutating func removeAll() {
        count = 0
        hasBareLineFeeds = false
    }

    mutating func noteBareLineFeed() { hasBareLineFeeds = true }

    /// False: the table is full.
    mutating func append(_ line: FieldLine) -> Bool {
        guard count < Self.capacity else { return false }
        unsafe (lines + count).initialize(to: line)
        count &+= 1
        return true
    }
}
