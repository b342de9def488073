/// Lines of a head: where it ends, and its field lines checked one by one.
enum HeadLines {
    enum End: Equatable {
        case incomplete
        /// Behind the empty line.
        case found(Int)
        /// A line that ends without CR (RFC 9112 section 2.2), which hides where the head ends.
        case bareLineFeed
    }

    /// Looks for the end of a head that begins at `start`, from where the last look ended.
    static func end(_ bytes: Span<UInt8>, start: Int, resumeFrom: inout Int) -> End {
        var position = max(resumeFrom, start)
        while let feed = lineFeed(bytes, from: position) {
            if feed == start || bytes[feed &- 1] != 0x0d { return .bareLineFeed }
            if feed >= start &+ 3, bytes[feed &- 2] == 0x0a, bytes[feed &- 3] == 0x0d {
                return .found(feed &+ 1)
            }
            position = feed &+ 1
        }
        resumeFrom = bytes.count
        return .incomplete
    }

    /// The next LF, eight octets at a time.
    static func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var position = start
        let raw = unsafe bytes.bytes
        while position &+ 8 <= bytes.count {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            let differs = word ^ (ones &* 0x0a)
            let hit = (differs &- ones) & ~differs & highs
            if hit != 0 { return position &+ hit.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < bytes.count {
            if bytes[position] == 0x0a { return position }
            position &+= 1
        }
        return nil
    }

    /// Puts the field lines between `start` and the empty line at the end into the table.
    ///
    /// - Returns: What is wrong with one of them (RFC 9112 section 5, RFC 9110 section 5.5), if
    ///   anything is.
    static func parseFields(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, into table: inout FieldTable
    ) -> StaticString? {
        var position = start
        table.removeAll()
        while position < end &- 2 {
            guard let feed = lineFeed(bytes, from: position) else { return "field without an end" }
            let line = position..<feed &- 1
            if let problem = parseField(bytes, line, into: &table) { return problem }
            position = feed &+ 1
        }
        return nil
    }

    private static func parseField(
        _ bytes: Span<UInt8>, _ line: Range<Int>, into table: inout FieldTable
    ) -> StaticString? {
        var colon = line.lowerBound
        var hasUnderscore = false
        while colon < line.upperBound, Octets.isToken(bytes[colon]) {
            if bytes[colon] == 0x5f { hasUnderscore = true }
            colon &+= 1
        }
        guard colon < line.upperBound, bytes[colon] == 0x3a else {
            if colon == line.lowerBound, colon < line.upperBound, Octets.isSpace(bytes[colon]) {
                return "folded field"
            }
            return "bad field name"
        }
        let name = line.lowerBound..<colon
        if name.isEmpty { return "empty field name" }
        let value = Octets.trimmed(bytes, colon &+ 1..<line.upperBound)
        if !isFieldValue(bytes, value) { return "bad field value" }
        let added = table.append(
            FieldLine(
                name: ByteRange(name), value: ByteRange(value),
                line: ByteRange(line.lowerBound..<line.upperBound &+ 2),
                known: FieldName.of(bytes, name, hasUnderscore: hasUnderscore), removed: false))
        return added ? nil : tooMany
    }

    /// The reason that is answered with 431 and not with 400.
    static let tooMany: StaticString = "too many fields"

    /// Whether all octets may stand in a value; a bare CR, NUL and other controls may not.
    private static func isFieldValue(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        let raw = unsafe bytes.bytes
        while position &+ 8 <= range.upperBound {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            if Octets.mayHoldControl(word) {
                for offset in 0..<8 where !Octets.isFieldValue(bytes[position &+ offset]) {
                    return false
                }
            }
            position &+= 8
        }
        while position < range.upperBound {
            if !Octets.isFieldValue(bytes[position]) { return false }
            position &+= 1
        }
        return true
    }

    /// Marks the fields that end at this connection (RFC 9110 section 7.6.1) and those that
    /// `Connection` names; false: it names more than a sane message would.
    static func removeHopByHop(_ bytes: Span<UInt8>, in table: inout FieldTable) -> Bool {
        var nominations = 0
        for index in 0..<table.count {
            switch table[index].known {
            case .connection:
                table.remove(index)
                var elements = ListElements(table[index].value.range)
                while let element = elements.next(bytes) {
                    nominations += 1
                    if nominations > 64 { return false }
                    removeNominated(bytes, element, in: &table)
                }
            case .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te,
                .trailer, .transferEncoding, .upgrade:
                table.remove(index)
            case .other, .altSvc, .cacheControl, .contentLength, .cookie, .date, .expect,
                .forwarded, .host, .mooringAffinity, .mooringPin, .mooringSession, .proxy,
                .setCookie, .via, .xForwardedFor, .xForwardedHost, .xForwardedProto, .imitation:
                break
            }
        }
        return true
    }

    private static func removeNominated(
        _ bytes: Span<UInt8>, _ name: Range<Int>, in table: inout FieldTable
    ) {
        for index in 0..<table.count where !table[index].removed {
            let other = table[index].name.range
            guard other.count == name.count, table[index].known.mayBeNominated else { continue }
            var same = true
            for offset in 0..<name.count
            where lowered(bytes[name.lowerBound &+ offset])
                != lowered(bytes[other.lowerBound &+ offset])
            {
                same = false
                break
            }
            if same { table.remove(index) }
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }
}
