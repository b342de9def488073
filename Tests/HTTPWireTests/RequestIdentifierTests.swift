internal import Testing

@testable internal import HTTPWire

/// `X-Request-Id` and W3C Trace Context, which are passed on only in the known form.
@Suite struct RequestIdentifierTests {
    private static let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// What of the lines is passed on, and the id and trace that count.
    private func read(_ lines: String...) -> (kept: String, id: String, isTraced: Bool) {
        let bytes = Array(
            ("GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        var head = RequestHead()
        var scan = 0
        #expect(head.parse(bytes.span, resumeFrom: &scan, limit: 8192) == .complete)
        head.dropBadRequestID()
        head.dropBadTrace()
        let kept = written { sink in
            head.write(
                from: bytes.span, strippingPrefix: 0, hiding: OwnCookies(names: []),
                forwarded: Span(), into: &sink)
        }
        return (kept, text(bytes, head.requestID.range), head.isTraced)
    }

    @Test(arguments: ["abc-123", "Root=1-67891233-abcdef012345678912345678", "a/b+c==", "x"])
    func `an id of harmless characters is passed on`(id: String) {
        let seen = read("X-Request-Id: \(id)")
        #expect(seen.id == id && seen.kept.contains("X-Request-Id: \(id)\r\n"))
    }

    @Test(arguments: [
        "", "a b", "<script>", "a\"b", "a,b", "é", "a;b", String(repeating: "x", count: 129),
    ])
    func `any other is not, so that logs and pages may repeat what is`(id: String) {
        let seen = read("x-request-id: \(id)")
        #expect(seen.id.isEmpty && !seen.kept.lowercased().contains("x-request-id"))
    }

    @Test func `of two ids neither counts, and none hides behind an underscore`() {
        #expect(read("X-Request-Id: a", "X-Request-Id: b").id.isEmpty)
        #expect(!read("X-Request-Id: a", "X-Request-Id: b").kept.contains("X-Request-Id"))
        #expect(!read("X_Request_Id: a").kept.contains("X_Request_Id"))
    }

    @Test func `a context and its state are passed on as they came`() {
        let seen = read("traceparent: \(Self.trace)", "tracestate: a=1", "TraceState: b=2")
        #expect(seen.isTraced && seen.kept.contains("traceparent: \(Self.trace)\r\n"))
        #expect(seen.kept.contains("tracestate: a=1\r\n") && seen.kept.contains("b=2"))
        #expect(read("traceparent: cc\(Self.trace.dropFirst(2))-later").isTraced)
    }

    @Test(arguments: [
        "", "00", trace.uppercased(), trace + "-x", String(trace.dropLast()),
        "ff" + trace.dropFirst(2), "cc" + trace.dropFirst(2) + ".x",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
    ])
    func `a bad context is dropped with its state (Trace Context, section 3)`(value: String) {
        let seen = read("traceparent: \(value)", "tracestate: a=1")
        #expect(!seen.isTraced && !seen.kept.contains("trace"))
    }

    @Test func `two contexts are none, and a state alone belongs to nothing`() {
        #expect(!read("traceparent: \(Self.trace)", "traceparent: \(Self.trace)").isTraced)
        #expect(!read("tracestate: a=1").kept.contains("tracestate"))
    }

    @Test func `a generated id is 32 digits and begins a trace that is not sampled`() {
        let id = GeneratedID(high: 0xab, low: 1)
        let digits = "00000000000000ab0000000000000001"
        #expect(written { id.writeRequestID(into: &$0) } == "X-Request-Id: \(digits)\r\n")
        let line = written { id.writeTraceparent(span: 0, into: &$0) }
        #expect(line == "traceparent: 00-\(digits)-0000000000000001-00\r\n")
        #expect(written { GeneratedID(high: 0, low: 0).write(into: &$0) }.hasSuffix("01"))
    }
}
