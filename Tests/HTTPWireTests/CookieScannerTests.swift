internal import TestSupport
internal import Testing

@testable internal import HTTPWire

@Suite struct CookieScannerTests {
    /// The values found.
    func scan(_ field: String, name: String = "mooring") -> [String] {
        let bytes = Array(field.utf8)
        let nameBytes = Array(name.utf8)
        var scanner = CookieScanner(0..<bytes.count)
        var values: [String] = []
        while let value = scanner.next(in: bytes.span, named: nameBytes.span) {
            values.append(String(decoding: bytes[value], as: UTF8.self))
        }
        return values
    }

    @Test(arguments: [
        ("a=1; mooring=x; b=2", ["x"]),
        ("mooring=x", ["x"]),
        ("mooring=x; a=1", ["x"]),
        ("a=1; mooring=x", ["x"]),
        ("mooring=x; a=1; mooring=y", ["x", "y"]),
        ("mooring=x; mooring=y; a=1", ["x", "y"]),
        ("a=1; mooring=x; mooring=y", ["x", "y"]),
        ("mooring=x; mooring=y", ["x", "y"]),
        ("a=1;mooring=x;b=2", ["x"]),
        ("  mooring = x ;  a=1", ["x"]),
        ("; ;mooring=x; ;a=1", ["x"]),
        ("mooring=x;", ["x"]),
        ("a=1; mooring=x;", ["x"]),
        ("mooring=", [""]),
        ("mooring=\"x\"; a=1", ["x"]),
        ("mooring=\"", ["\""]),
        ("mooring=\"\"", [""]),
        ("mooring=x=y", ["x=y"]),
        ("mooring", []),
        ("mooring; a=1", []),
        ("Mooring=x; mooringa=y; amooring=z", []),
        ("a=mooring=x", []),
        ("", []),
        (";;; ", []),
    ])
    func `values of the name are found`(field: String, values: [String]) {
        #expect(scan(field) == values)
    }

    @Test func `eight occurrences are looked at and no more`() {
        let field = (1...12).map { "mooring=\($0)" }.joined(separator: "; ")
        #expect(scan(field) == (1...8).map { String($0) })
    }

    @Test func `any bytes are read without harm`() {
        var generator = SeededGenerator(seed: 7)
        let pieces = ["m", "=", ";", " ", "\t", "\"", "m=", "; m=1", "é", "a=1", "\0"]
        for _ in 0..<5000 {
            let count = Int.random(in: 0...12, using: &generator)
            let field = (0..<count).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &generator)]
            }.joined()
            let values = scan(field, name: "m")
            #expect(values == Array(Self.model(field).prefix(8)), "\(field)")
        }
    }

    /// The same by splitting: the values of `m`.
    private static func model(_ field: String) -> [String] {
        var values: [String] = []
        for pair in field.split(separator: ";") {
            let content = trim(pair)
            let sides = content.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, trim(sides[0]) == "m" else { continue }
            var value = trim(sides[1])
            if value.utf8.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = value.dropFirst().dropLast()
            }
            values.append(String(value))
        }
        return values
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
