internal import SessionAffinity
internal import TestSupport
internal import Testing

@Suite struct CookieScannerTests {
    /// The values found and what is left when all pairs are taken out.
    func scan(_ field: String, name: String = "mooring") -> (values: [String], rest: String) {
        let bytes = Array(field.utf8)
        let nameBytes = Array(name.utf8)
        var scanner = CookieScanner(bytes.span, name: nameBytes.span)
        var values: [String] = []
        var rest: [UInt8] = []
        var position = 0
        while let pair = scanner.next() {
            values.append(String(decoding: bytes[pair.value], as: UTF8.self))
            rest += bytes[position..<pair.removal.lowerBound]
            position = pair.removal.upperBound
        }
        rest += bytes[position...]
        return (values, String(decoding: rest, as: UTF8.self))
    }

    @Test(arguments: [
        ("a=1; mooring=x; b=2", ["x"], "a=1; b=2"),
        ("mooring=x", ["x"], ""),
        ("mooring=x; a=1", ["x"], "a=1"),
        ("a=1; mooring=x", ["x"], "a=1"),
        ("mooring=x; a=1; mooring=y", ["x", "y"], "a=1"),
        ("mooring=x; mooring=y; a=1", ["x", "y"], "a=1"),
        ("a=1; mooring=x; mooring=y", ["x", "y"], "a=1"),
        ("mooring=x; mooring=y", ["x", "y"], ""),
        ("a=1;mooring=x;b=2", ["x"], "a=1;b=2"),
        ("  mooring = x ;  a=1", ["x"], "a=1"),
        ("; ;mooring=x; ;a=1", ["x"], "a=1"),
        ("mooring=x;", ["x"], ""),
        ("a=1; mooring=x;", ["x"], "a=1;"),
        ("mooring=", [""], ""),
        ("mooring=\"x\"; a=1", ["x"], "a=1"),
        ("mooring=\"", ["\""], ""),
        ("mooring=\"\"", [""], ""),
        ("mooring=x=y", ["x=y"], ""),
        ("mooring", [], "mooring"),
        ("mooring; a=1", [], "mooring; a=1"),
        ("Mooring=x; mooringa=y; amooring=z", [], "Mooring=x; mooringa=y; amooring=z"),
        ("a=mooring=x", [], "a=mooring=x"),
        ("", [], ""),
        (";;; ", [], ";;; "),
    ])
    func `pairs of the name are found and taken out`(
        field: String, values: [String], rest: String
    ) {
        let found = scan(field)
        #expect(found.values == values)
        #expect(found.rest == rest)
    }

    @Test func `eight occurrences are looked at and no more`() {
        let field = (1...12).map { "mooring=\($0)" }.joined(separator: "; ")
        let found = scan(field)
        #expect(found.values == (1...8).map { String($0) })
        #expect(found.rest == (9...12).map { "mooring=\($0)" }.joined(separator: "; "))
    }

    @Test func `any bytes are read without harm, and taking out leaves none of the name`() {
        var generator = SeededGenerator(seed: 7)
        let pieces = ["m", "=", ";", " ", "\t", "\"", "m=", "; m=1", "é", "a=1", "\0"]
        for _ in 0..<5000 {
            let count = Int.random(in: 0...12, using: &generator)
            let field = (0..<count).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            let found = scan(field, name: "m")
            let model = Self.model(field)
            #expect(found.values == Array(model.values.prefix(8)), "\(field)")
            if model.values.count <= 8 {
                let again = Self.model(found.rest)
                #expect(again.values == [] && again.others == model.others, "\(field)")
            }
        }
    }

    /// The same by splitting: the values of `m`, and every other pair.
    private static func model(_ field: String) -> (values: [String], others: [String]) {
        var values: [String] = []
        var others: [String] = []
        for pair in field.split(separator: ";") {
            let content = trim(pair)
            let sides = content.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, trim(sides[0]) == "m" else {
                if !content.isEmpty { others.append(String(content)) }
                continue
            }
            var value = trim(sides[1])
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = value.dropFirst().dropLast()
            }
            values.append(String(value))
        }
        return (values, others)
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
