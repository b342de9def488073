/// Lines of a head: where it ends, and its field lines checked one by one.
enum HeadLines {
    enum End: Equatable {
        case incomplete
        /// The position after the empty line.
        case found(Int)
        /// A line ends without CR (RFC 9112 section 2.2), which makes the end of the head
        /// ambiguous.
        case bareLineFeed
    }

    /// Searches the end of a head that begins at `start`, continuing where the last search ended.
    ///
    /// - Parameter allowsBareLineFeeds: whether lines may end without CR, as RFC 9112 section 2.2
    ///   permits: for processes, where strictness would protect no one.
    static func end(
        _ bytes: Span<UInt8>, start: Int, resumeFrom: inout Int, allowsBareLineFeeds: Bool = false
    ) -> End {
        let raw = unsafe bytes.bytes
        var position = max(resumeFrom, start)
        while position &+ 8 <= bytes.count {
            var feeds = OctetWord.equal(raw.octetWord(position), 0x0a)
            while feeds != 0 {
                let found = atLineFeed(
                    bytes, position &+ OctetWord.first(feeds), start, allowsBareLineFeeds)
                if found != .incomplete { return found }
                feeds &= feeds &- 1
            }
            position &+= 8
        }
        while position < bytes.count {
            if bytes[position] == 0x0a {
                let found = atLineFeed(bytes, position, start, allowsBareLineFeeds)
                if found != .incomplete { return found }
            }
            position &+= 1
        }
        resumeFrom = bytes.count
        return .incomplete
    }

    /// What a line feed at a position means for the head.
    @inline(__always)
    private static func atLineFeed(
        _ bytes: Span<UInt8>, _ feed: Int, _ start: Int, _ allowsBareLineFeeds: Bool
    ) -> End {
        if feed == start { return .bareLineFeed }
        if allowsBareLineFeeds {
            let isCRLF = feed >= start &+ 2 && bytes[feed &- 1] == 0x0d
            return bytes[isCRLF ? feed &- 2 : feed &- 1] == 0x0a ? .found(feed &+ 1) : .incomplete
        }
        if bytes[feed &- 1] != 0x0d { return .bareLineFeed }
        let isEmptyLine =
            feed >= start &+ 3 && bytes[feed &- 2] == 0x0a && bytes[feed &- 3] == 0x0d
        return isEmptyLine ? .found(feed &+ 1) : .incomplete
    }

    /// The next LF, eight octets at a time.
    static func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        let raw = unsafe bytes.bytes
        var position = start
        while position &+ 8 <= bytes.count {
            let feeds = OctetWord.equal(raw.octetWord(position), 0x0a)
            if feeds != 0 { return position &+ OctetWord.first(feeds) }
            position &+= 8
        }
        while position < bytes.count {
            if bytes[position] == 0x0a { return position }
            position &+= 1
        }
        return nil
    }

    /// Whether eight octets begin with `HTTP/1.`; the caller checks the last one.
    static func isHTTP1(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard start >= 0, start &+ 8 <= bytes.count else { return false }
        let raw = unsafe bytes.bytes
        let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
        // "HTTP/1." reversed, as it is loaded little-endian.
        return UInt64(littleEndian: word) & 0x00ff_ffff_ffff_ffff == 0x002e_312f_5054_5448
    }

    /// Where the empty line of a head that ends at `end` begins.
    static func emptyLine(_ bytes: Span<UInt8>, endingAt end: Int) -> Int {
        bytes[end &- 2] == 0x0d ? end &- 2 : end &- 1
    }

    /// Adds the field lines between `start` and the final empty line to the table.
    ///
    /// - Returns: the problem with one of them (RFC 9112 section 5, RFC 9110 section 5.5), or that
    ///   there are too many.
    static func parseFields(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, allowsBareLineFeeds: Bool = false,
        into table: inout FieldTable
    ) -> HTTPProblem? {
        var position = start
        table.removeAll()
        let last = emptyLine(bytes, endingAt: end)
        while position < last {
            switch parseField(bytes, from: position, to: end, allowsBareLineFeeds, into: &table) {
            case .next(let next): position = next
            case .problem(let problem): return problem
            }
        }
        return nil
    }

    private enum Step {
        /// Where the next line begins.
        case next(Int)
        case problem(HTTPProblem)
    }

    /// Parses one field line in one pass: name, colon, value, line end.
    private static func parseField(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, _ allowsBareLineFeeds: Bool,
        into table: inout FieldTable
    ) -> Step {
        var hasUnderscore = false
        let colon = endOfName(bytes, from: start, to: end, &hasUnderscore)
        guard colon < end, bytes[colon] == 0x3a, colon > start else {
            let isFolded = colon == start && Octets.isSpace(bytes[start])
            return .problem(.bad(isFolded ? "folded field" : "bad field name"))
        }
        let valueEnd = endOfValue(bytes, from: colon &+ 1, to: end)
        let next: Int
        if valueEnd &+ 1 < end, bytes[valueEnd] == 0x0d, bytes[valueEnd &+ 1] == 0x0a {
            next = valueEnd &+ 2
        } else if allowsBareLineFeeds, valueEnd < end, bytes[valueEnd] == 0x0a {
            next = valueEnd &+ 1
            table.noteBareLineFeed()
        } else {
            return .problem(.bad("bad field value"))
        }
        let name = start..<colon
        let added = table.append(
            FieldLine(
                name: ByteRange(name),
                value: ByteRange(Octets.trimmed(bytes, colon &+ 1..<valueEnd)),
                line: ByteRange(start..<next),
                known: FieldName.of(bytes, name, hasUnderscore: hasUnderscore), removed: false))
        return added ? .next(next) : .problem(HTTPProblem(status: 431, reason: "too many fields"))
    }

    /// The first octet that cannot be part of a name: the colon, or one that makes the line
    /// invalid.
    private static func endOfName(
        _ bytes: Span<UInt8>, from start: Int, to end: Int, _ hasUnderscore: inout Bool
    ) -> Int {
        var position = start
        let raw = unsafe bytes.bytes
        while position < end {
            if position &+ 8 <= end {
                let plain = OctetWord.nameCharacters(raw.octetWord(position))
                let others = ~plain & 0x8080_8080_8080_8080
                if others == 0 {
                    position &+= 8
                    continue
                }
                position &+= OctetWord.first(others)
            }
            let octet = bytes[position]
            if !Octets.isToken(octet) { return position }
            if octet == 0x5f { hasUnderscore = true }
            position &+= 1
        }
        return end
    }

    /// The first octet that cannot be part of a value: the CR, or one that makes the line invalid.
    private static func endOfValue(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        let raw = unsafe bytes.bytes
        while position &+ 8 <= end {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            let hits = Octets.controls(word)
            if hits == 0 {
                position &+= 8
                continue
            }
            // The lowest mark is always right: wrong ones come from its borrow.
            position &+= hits.trailingZeroBitCount / 8
            if !Octets.isFieldValue(bytes[position]) { return position }
            position &+= 1
        }
        while position < end, Octets.isFieldValue(bytes[position]) { position &+= 1 }
        return position
    }
}
