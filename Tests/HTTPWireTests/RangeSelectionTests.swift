internal import Testing

@testable internal import HTTPWire

@Suite struct RangeSelectionTests {
    private func selection(_ fields: String..., size: Int64 = 100) -> RangeSelection {
        withRequest(fields) { RangeSelection($0, $1, size: size) }
    }

    @Test(
        arguments: [
            ("0-9", 0, 10), ("90-", 90, 100), ("-10", 90, 100), ("-500", 0, 100),
            ("50-500", 50, 100),
            ("99-99", 99, 100), ("0-99999999999999999999999", 0, 100), (" 0-9 ", 0, 10),
            ("0-9,", 0, 10), ("0-9,200-300", 0, 10), ("200-,5-6", 5, 7),
        ] as [(String, Int64, Int64)])
    func `one range in the file is a part of it`(text: String, start: Int64, end: Int64) {
        #expect(selection("Range: bytes=\(text)") == .part(start..<end))
        #expect(selection("range: BYTES=\(text)") == .part(start..<end))
    }

    @Test(arguments: [
        "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=5", "bytes=9-5", "bytes=-", "bytes=--5",
        "bytes=1-2-3", "bytes=0-1,x", "lines=0-1", "bytes 0-1", "bytes=+1-2", "bytes=0x1-2",
        "bytes=1 -2",
    ])
    func `what is no list of byte ranges is ignored`(value: String) {
        #expect(selection("Range: \(value)") == .whole)
    }

    @Test func `ranges apart from each other are parts, in their order`() {
        #expect(selection("Range: bytes=50-59, 0-4") == .parts([50..<60, 0..<5]))
        #expect(selection("Range: bytes=0-0,-1") == .parts([0..<1, 99..<100]))
        #expect(selection("Range: bytes=0-9,10-19") == .parts([0..<10, 10..<20]))
    }

    @Test func `sets that cost more than the whole file are ignored`() {
        #expect(selection("Range: bytes=0-50,40-60") == .whole)
        #expect(selection("Range: bytes=0-,0-,0-") == .whole)
        let many = (0..<17).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        #expect(selection("Range: bytes=\(many)") == .whole)
        let outside = (0..<17).map { "\(1000 + $0)-" }.joined(separator: ",")
        #expect(selection("Range: bytes=\(outside)") == .whole)
        #expect(selection("Range: bytes=0-1", "Range: bytes=4-5") == .whole)
    }

    @Test(arguments: ["100-", "100-200", "-0", "200-,300-"])
    func `ranges outside of the file lead to nothing`(text: String) {
        #expect(selection("Range: bytes=\(text)") == .outside)
    }

    @Test func `an empty file has no part, and is sent if its last bytes are wanted`() {
        #expect(selection("Range: bytes=0-", size: 0) == .outside)
        #expect(selection("Range: bytes=-5", size: 0) == .whole)
        #expect(selection(size: 0) == .whole)
    }
}
