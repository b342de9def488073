internal import Testing

@testable internal import HTTPWire

@Suite struct FileHeadTests {
    private static let css = MediaType(of: Array("a/b.css".utf8).span)
    private static let file = FileValidators(
        size: 100, modifiedNanoseconds: 784_111_777_000_000_000, inode: 7, now: 784_111_999)
    private static let tag = String(decoding: file.tag, as: UTF8.self)

    private func head(
        _ content: FileHead.Content, extra: [(name: String, value: String)] = [],
        _ change: (inout FileHead) -> Void = { _ in }
    ) -> String {
        var head = FileHead(content, size: 100, type: Self.css, validators: Self.file)
        change(&head)
        let date = Array("now".utf8)
        return written { sink in
            head.write(
                date: date.span, extra: extra.isEmpty ? nil : ExtraFields(extra), into: &sink)
        }
    }

    @Test func `a whole file has its type, length and validators`() {
        #expect(
            head(.whole) == """
                HTTP/1.1 200 OK\r
                Date: now\r
                Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r
                ETag: \(Self.tag)\r
                Content-Type: text/css; charset=utf-8\r
                Content-Length: 100\r
                Accept-Ranges: bytes\r
                \r

                """)
    }

    @Test func `a part says which, and 304 says nothing of the body`() {
        let part = head(.part(10..<20))
        #expect(part.hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
        #expect(part.contains("\r\nContent-Range: bytes 10-19/100\r\nContent-Length: 10\r\n"))
        let none = head(.none) { $0.varies = true }
        #expect(none.hasPrefix("HTTP/1.1 304 Not Modified\r\n"))
        #expect(none.contains("\r\nETag: ") && none.contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(!none.contains("\r\nContent-"))
    }

    @Test func `coding and connection are told`() {
        let text = head(.whole) { head in
            head.coding = .zstandard
            head.varies = true
            head.closes = true
        }
        #expect(text.contains("\r\nContent-Encoding: zstd\r\n"))
        #expect(text.contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(text.hasSuffix("\r\nConnection: close\r\n\r\n"))
        #expect(head(.whole) { $0.keepsAlive = true }.hasSuffix("Connection: keep-alive\r\n\r\n"))
    }

    @Test func `fields of the configuration replace those of the file`() {
        let text = head(
            .whole,
            extra: [
                ("Content-Type", "text/plain"), ("ETag", ""), ("last-modified", ""), ("X-A", "b"),
            ])
        #expect(text.contains("\r\nContent-Type: text/plain\r\n"))
        #expect(!text.contains("css") && !text.contains("ETag") && !text.contains("Last-Mod"))
        #expect(text.contains("\r\nX-A: b\r\n"))
    }

    @Test func `several parts have the length that is told, and end`() {
        var parts = MultipartRanges(
            [10..<20, 0..<1], type: Self.css, size: 100, boundary: (1, 2))
        #expect(head(.parts(parts)).contains("boundary=00000000000000010000000000000002\r\n"))
        var body = ""
        var ranges: [Range<Int64>] = []
        while !parts.isOver {
            body += written { ranges.append(parts.writeNext(into: &$0)) }
            body += String(repeating: "x", count: ranges.last?.count ?? 0)
        }
        #expect(ranges == [10..<20, 0..<1, 0..<0])
        #expect(Int64(body.utf8.count) == parts.length)
        #expect(body.contains("Content-Range: bytes 10-19/100\r\n\r\nxxxxxxxxxx\r\n--0000"))
        #expect(body.hasSuffix("\r\n--00000000000000010000000000000002--\r\n"))
    }

    @Test(arguments: [
        ("a.html", "text/html; charset=utf-8"), ("a/b.JS", "text/javascript; charset=utf-8"),
        ("x.tar.gz", "application/gzip"), ("logo.svg", "image/svg+xml"),
        ("font.woff2", "font/woff2"),
        ("app.webmanifest", "application/manifest+json; charset=utf-8"),
        ("d.css/noending", "application/octet-stream"), ("README", "application/octet-stream"),
        ("a.", "application/octet-stream"), ("a.unknown", "application/octet-stream"),
        ("", "application/octet-stream"), ("a.htmlx", "application/octet-stream"),
        ("a.averyveryverylongending", "application/octet-stream"),
    ])
    func `the ending of a name tells the type`(path: String, type: String) {
        let bytes = Array(path.utf8)
        #expect(MediaType(of: bytes.span).name.description == type)
    }

    @Test func `no ending has two types`() {
        #expect(Set(MediaType.endings).count == MediaType.endings.count)
        #expect(MediaType.endings.count > 100)
    }

    private func codings(_ fields: String...) -> [ContentCoding] {
        withRequest(fields) { head, bytes in
            var accepted = AcceptedCodings(head, bytes)
            var taken: [ContentCoding] = []
            while let coding = accepted.takeBest() { taken.append(coding) }
            return taken
        }
    }

    @Test func `codings come as the client likes them, and the smallest first`() {
        #expect(codings() == [])
        #expect(codings("Accept-Encoding: gzip, br, zstd") == [.brotli, .zstandard, .gzip])
        #expect(codings("Accept-Encoding: gzip;q=1.0, br;q=0.5") == [.gzip, .brotli])
        #expect(codings("Accept-Encoding: br;q=0, gzip") == [.gzip])
        #expect(codings("Accept-Encoding: x-gzip") == [.gzip])
        #expect(codings("Accept-Encoding: *;q=0.1, br;q=0") == [.zstandard, .gzip])
        #expect(codings("Accept-Encoding: identity, gzip;q=0.5") == [])
        #expect(codings("Accept-Encoding: gzip", "accept-encoding: br") == [.brotli, .gzip])
        #expect(codings("Accept-Encoding: identity;q=0.5, gzip;q=0.5") == [.gzip])
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
        ] as [(Int64, String)])
    func `a date is written as fields have it`(seconds: Int64, text: String) {
        #expect(written { HTTPDate.write(seconds, into: &$0) } == text)
    }
}
