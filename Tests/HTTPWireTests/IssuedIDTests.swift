internal import TestSupport
internal import Testing

@testable internal import HTTPWire

/// The id that a process issues in the beginning of a body.
@Suite struct IssuedIDTests {
    private func found(_ body: [UInt8], _ name: String = "sid") -> String? {
        let name = Array(name.utf8)
        return IssuedID.find(name.span, in: body.span).map { text(body, $0) }
    }

    private func found(_ body: String) -> String? { found(Array(body.utf8)) }

    @Test(arguments: [
        // Engine.IO 4, and 3 as text and as bytes.
        "0{\"sid\":\"aB-_9\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000}",
        "96:0{\"sid\":\"aB-_9\",\"upgrades\":[]}2:40", "\u{0}\u{9}\u{6}0{\"sid\":\"aB-_9\"}",
        "{ \"sid\" : \"aB-_9\" }", "{\"x\":\"sid\",\"sid\":\"aB-_9\"}",
        "{\"side\":1,\"sid\":\"aB-_9\"}",
    ])
    func `the text of the member with the name is the id`(body: String) {
        #expect(found(body) == "aB-_9")
    }

    @Test(arguments: [
        "", "\"", "\"sid", "\"sid\"", "\"sid\":", "\"sid\":\"", "\"sid\":\"a", "\"sid\":\"\"",
        "\"sid\":7",
        "\"sid\":\"a\\\"b\"", "\"sid\":\"a b\"", "sid:\"a\"", "\"SID\":\"a\"", "\"xsid\":\"a\"",
    ])
    func `nothing else is`(body: String) {
        #expect(found(body) == nil)
    }

    @Test func `only the beginning is looked at, and a long text is no id`() {
        let member = "\"sid\":\"a\""
        #expect(found(String(repeating: " ", count: 1024 - member.count) + member) == "a")
        #expect(found(String(repeating: " ", count: 1025 - member.count) + member) == nil)
        let long = String(repeating: "x", count: 256)
        #expect(found("\"sid\":\"\(long)\"") == long)
        #expect(found("\"sid\":\"\(long)x\"") == nil)
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `damage leads to no id that is not in the body`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var body = Array("0{\"sid\":\"abc\",\"x\":[\"sid\"]}".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[place] = UInt8.random(in: 0...255, using: &random)
                case 1: body.remove(at: place)
                default: body.insert(contentsOf: body[place...], at: place)
                }
            }
            guard let id = found(body) else { continue }
            #expect(!id.isEmpty && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
            #expect(String(decoding: body, as: UTF8.self).contains("\"\(id)\""))
        }
    }
}
