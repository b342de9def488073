internal import Testing

@testable internal import AdminAPI

@Suite struct PercentEncodingTests {
    @Test(arguments: [
        ("127.0.0.1%3A8401", "127.0.0.1:8401"), ("a%2Fb%2fc", "a/b/c"), ("plain", "plain"),
        ("%C3%BC", "ü"), ("", ""),
    ])
    func `percent-encoded octets are decoded`(_ given: String, _ meant: String) {
        #expect(given.percentDecoded == meant)
    }

    @Test(arguments: ["%", "a%4", "%zz", "%+1", "%FF"])
    func `malformed text and octets that are not UTF-8 are refused`(_ given: String) {
        #expect(given.percentDecoded == nil)
    }
}
