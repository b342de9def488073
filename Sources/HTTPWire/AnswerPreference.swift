/// The format that a client prefers for Mooring's own responses (RFC 9110 section 12.5.1).
package struct AnswerPreference: Equatable, Sendable {
    /// The format of a response.
    package enum Form: Equatable, Sendable {
        case text
        /// HTML, for people.
        case page
        /// `application/problem+json` (RFC 9457), for programs.
        case problem
    }

    package private(set) var form = Form.text
    /// Whether a browser will show the response to its user, as far as the head shows.
    package private(set) var isNavigation = false

    /// Reads the head of a request, line by line; malformed lines are ignored.
    package init(of head: Span<UInt8>) {
        var html = 0
        var json = 0
        var mode: Bool?
        var start = 0
        while let feed = HeadLines.lineFeed(head, from: start) {
            let line = start..<feed
            start = feed &+ 1
            if let value = Self.value(of: "accept", head, line) {
                var elements = ListElements(value)
                while let element = elements.next(head) { Self.note(head, element, &html, &json) }
            } else if let value = Self.value(of: "sec-fetch-mode", head, line) {
                mode = Octets.spells(head, value, "navigate")
            }
        }
        if html > 0, html >= json {
            form = .page
            isNavigation = mode ?? true
        } else if json > 0 {
            form = .problem
        }
    }

    /// The value of a line with the given name.
    private static func value(
        of name: StaticString, _ head: Span<UInt8>, _ line: Range<Int>
    ) -> Range<Int>? {
        let colon = line.lowerBound &+ name.utf8CodeUnitCount
        guard colon < line.upperBound, head[colon] == 0x3a,
            Octets.spells(head, line.lowerBound..<colon, name)
        else { return nil }
        let hasReturn = head[line.upperBound &- 1] == 0x0d
        return Octets.trimmed(
            head, colon &+ 1..<(hasReturn ? line.upperBound &- 1 : line.upperBound))
    }

    private static func note(
        _ head: Span<UInt8>, _ element: Range<Int>, _ html: inout Int, _ json: inout Int
    ) {
        var end = element.lowerBound
        while end < element.upperBound, head[end] != 0x3b { end &+= 1 }
        let type = Octets.trimmed(head, element.lowerBound..<end)
        let weight = weight(head, end..<element.upperBound)
        if Octets.spells(head, type, "text/html")
            || Octets.spells(head, type, "application/xhtml+xml")
        {
            html = max(html, weight)
        } else if Octets.spells(head, type, "application/json")
            || Octets.spells(head, type, "application/problem+json")
        {
            json = max(json, weight)
        }
    }

    /// The `q` parameter in thousandths (RFC 9110 section 12.4.2); 1000 if there is none.
    static func weight(_ head: Span<UInt8>, _ parameters: Range<Int>) -> Int {
        var position = parameters.lowerBound
        while position < parameters.upperBound {
            var end = position &+ 1
            while end < parameters.upperBound, head[end] != 0x3b { end &+= 1 }
            let parameter = Octets.trimmed(head, position &+ 1..<end)
            position = end
            guard parameter.count >= 3, Octets.lowered(head[parameter.lowerBound]) == 0x71,
                head[parameter.lowerBound &+ 1] == 0x3d
            else { continue }
            var weight = 0
            var unit = 1000
            for index in parameter.lowerBound &+ 2..<parameter.upperBound {
                if head[index] == 0x2e { continue }
                guard Octets.isDigit(head[index]), unit > 0 else { break }
                weight += Int(head[index] &- 0x30) * unit
                unit /= 10
            }
            return weight
        }
        return 1000
    }
}
