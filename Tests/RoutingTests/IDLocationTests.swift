internal import Routing
internal import Testing

/// Where a target holds an id of the application.
@Suite struct IDLocationTests {
    private func found(_ location: IDLocation, _ target: String) -> String? {
        let bytes = Array(target.utf8)
        return location.find(in: bytes.span).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    private func parameter(_ target: String) -> String? {
        found(.parameter(Array("sid".utf8)), target)
    }

    @Test(arguments: [
        ("/s?sid=a", "a"), ("/s?EIO=4&sid=a-_.b&t=1", "a-_.b"), ("/s?x&sid=a", "a"),
        ("?sid=a", "a"), ("/s?sid=a&sid=b", "a"), ("/s?&&sid=a=b", "a=b"),
        ("/s?sid=a?b/c", "a?b/c"),
        ("/s?sid=%61", "%61"),
    ])
    func `the first parameter of the name holds the id`(target: String, id: String) {
        #expect(parameter(target) == id)
    }

    @Test(arguments: [
        "/s", "/s?", "/s?sid", "/s?sid=", "/sid=a", "/s?xsid=a", "/s?sidx=a", "/s?SID=a",
        "/s?x=sid=a",
        "/s?sid=&sid=b", "/s?si", "",
    ])
    func `no other part of the target does`(target: String) {
        #expect(parameter(target) == nil)
    }

    @Test(arguments: [
        (1, "/session/abc/x?y", "session"), (2, "/session/abc/x?y", "abc"),
        (2, "/session/abc", "abc"),
        (2, "//session///abc/", "abc"), (3, "/a/b/c?d/e", "c"),
    ])
    func `a segment is counted from the front`(number: Int, target: String, id: String) {
        #expect(found(.segment(number), target) == id)
    }

    @Test(arguments: [
        (2, "/session"), (2, "/session/"), (1, "/"), (1, ""), (3, "/a/b?c/d"),
    ])
    func `a path that is too short has none`(number: Int, target: String) {
        #expect(found(.segment(number), target) == nil)
    }

    private func decoded(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard let id = DecodedID(bytes.span, 0..<bytes.count) else { return nil }
        let span = id.span
        return String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
    }

    @Test func `an id is what its application decodes`() {
        #expect(decoded("abc") == "abc")
        #expect(decoded("a%2Db%2d") == "a-b-")
        #expect(decoded("a+b?c#d") == "a+b?c#d")
        #expect(decoded("%") == "%" && decoded("%4") == "%4" && decoded("%zz") == "%zz")
    }

    @Test func `an id that is too long is none`() {
        #expect(decoded(String(repeating: "x", count: 256)) != nil)
        #expect(decoded(String(repeating: "%41", count: 256)) != nil)
        #expect(decoded(String(repeating: "x", count: 257)) == nil)
        #expect(decoded("") == nil)
    }

    /// Host and target; nil: it leads nowhere.
    private func location(_ value: String) -> [String]? {
        let bytes = Array(value.utf8)
        return LocationTarget(bytes.span).map { found in
            [found.host, found.target].map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }

    @Test func `a location leads to a path, on this host or another`() {
        #expect(location("/session/a/?b#c") == ["", "/session/a/?b"])
        #expect(location("https://example.org:8443/a?b") == ["example.org:8443", "/a?b"])
        #expect(location("//example.org/a") == ["example.org", "/a"])
        #expect(location("http://example.org?a=b") == ["example.org", "?a=b"])
        #expect(location("http://example.org") == ["example.org", ""])
    }

    @Test func `a location that is relative to a path, or of another scheme, is not followed`() {
        for value in [
            "", "a/b", "../a", "?a=b", "#a", "mailto:ann@example.org", "http:/a", ":", "a:",
        ] {
            #expect(location(value) == nil, "\(value)")
        }
    }
}
