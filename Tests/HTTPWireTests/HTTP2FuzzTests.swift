internal import TestSupport
internal import Testing

@testable internal import HTTPWire

/// Many streams at once, by chance, with octets that come and go in any pieces; and damaged octets.
@Suite struct HTTP2FuzzTests {
    /// One exchange as both sides meant it.
    private struct Exchange {
        var body: [UInt8]?
        var trailers: Bool
        var response: String
        var responseBody: String
        var status: String
        /// The response, as far as it is written.
        var left: [UInt8]
        var requestLeft: [UInt8]
    }

    private static func text(_ count: Int, _ random: inout SeededGenerator) -> String {
        String(
            decoding: (0..<count).map { _ in UInt8.random(in: 97...122, using: &random) },
            as: UTF8.self)
    }

    private static func exchange(isSmall: Bool, _ random: inout SeededGenerator) -> Exchange {
        let sizes = isSmall ? [0, 1, 100, 2000] : [0, 1, 5000, 90_000]
        let size = sizes.randomElement(using: &random) ?? 0
        let hasBody = Bool.random(using: &random)
        let body = hasBody ? Array(text(size, &random).utf8) : nil
        let answer = text(sizes.randomElement(using: &random) ?? 0, &random)
        let head = "HTTP/1.1 200 OK\r\nX-A: b\r\n"
        var response: String
        switch Int.random(in: 0..<3, using: &random) {
        case 0: response = head + "Content-Length: \(answer.utf8.count)\r\n\r\n" + answer
        case 1: response = head + "\r\n" + answer
        default:
            response = head + "Transfer-Encoding: chunked\r\n\r\n"
            var rest = Substring(answer)
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...40_000, using: &random))
                response += String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n"
                rest = rest.dropFirst(part.count)
            }
            response += "0\r\n\r\n"
        }
        return Exchange(
            body: body, trailers: hasBody && Bool.random(using: &random), response: response,
            responseBody: answer, status: ":status: 200", left: Array(response.utf8),
            requestLeft: body ?? [])
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `many exchanges at once all come through whole`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pair = HTTP2Pair(
            window: [300, 65_535, 1_000_000].randomElement(using: &random) ?? 1)
        pair.step = [5, 13, 1000, .max].randomElement(using: &random) ?? 1
        pair.room = [7, 300, 16_384].randomElement(using: &random) ?? 1
        var exchanges: [Int32: Exchange] = [:]
        for _ in 0..<20 {
            let exchange = Self.exchange(isSmall: pair.step < 1000, &random)
            let fields = HTTP2Client.head(exchange.body == nil ? "GET" : "POST", "/")
            let id = pair.client.request(
                fields, body: exchange.body == nil ? nil : [], ends: false,
                trailers: exchange.trailers ? [("x-t", "u")] : [])
            exchanges[id] = exchange
        }
        let ids = exchanges.keys.sorted()
        for _ in 0..<20_000
        where !exchanges.values.allSatisfy({ $0.left.isEmpty && $0.requestLeft.isEmpty }) {
            let id = ids.randomElement(using: &random) ?? 1
            advance(id, &exchanges, pair, &random)
            #expect(pair.run())
        }
        for id in ids { check(id, exchanges[id], pair) }
        #expect(pair.progress == .ok)
        #expect(pair.server.openStreams == 0)
    }

    /// Sends a piece of one request or response.
    private func advance(
        _ id: Int32, _ exchanges: inout [Int32: Exchange], _ pair: HTTP2Pair,
        _ random: inout SeededGenerator
    ) {
        guard var exchange = exchanges[id] else { return }
        let count = Int.random(in: 1...70_000, using: &random)
        if exchange.body != nil, !exchange.requestLeft.isEmpty || !pair.ended.contains(id) {
            let part = Array(exchange.requestLeft.prefix(count))
            exchange.requestLeft.removeFirst(part.count)
            pair.client.send(part, on: id, ends: exchange.requestLeft.isEmpty)
        } else if pair.ended.contains(id), !exchange.left.isEmpty {
            let taken = pair.write(id, Array(exchange.left.prefix(count)))
            exchange.left.removeFirst(taken)
            if exchange.left.isEmpty { pair.server.forget(id) }
        }
        exchanges[id] = exchange
    }

    private func check(_ id: Int32, _ exchange: Exchange?, _ pair: HTTP2Pair) {
        guard let exchange else { return }
        let (head, body) = HTTP2RequestTests.split(pair.request(id))
        #expect(Parsed(head).body == (exchange.body == nil ? .none : .chunked))
        if let sent = exchange.body {
            let got = decoded(body, limit: .max)
            #expect(got?.data == String(decoding: sent, as: UTF8.self))
            #expect(got?.ended == true)
            #expect(body.hasSuffix(exchange.trailers ? "0\r\nx-t: u\r\n\r\n" : "0\r\n\r\n"))
        }
        let answer = pair.answer(id)
        #expect(answer.text == exchange.responseBody)
        #expect(answer.ended)
        #expect(answer.resetCode == nil)
        #expect(answer.statuses == [exchange.status])
    }

    /// Octets of a client that does everything once.
    private static let good: [UInt8] = {
        typealias Frames = HTTP2Frames
        let post = HTTP2Client.head("POST", "/p")
        let cookies = [("cookie", "a=1"), ("te", "trailers"), ("cookie", "b=2")]
        let tunnel = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
            (":path", "/chat"), (":authority", "a"),
        ]
        return Frames.hello + Frames.frame(4, 1, 0, []) + Frames.get(1)
            + Frames.headers(3, post + cookies, endsStream: false) + Frames.data(3, "hello")
            + Frames.headers(3, [("x-t", "u")])
            + Frames.headers(5, post + [("content-length", "5")], endsStream: false)
            + Frames.data(5, "hel") + Frames.data(5, "lo", endsStream: true)
            + Frames.headers(7, tunnel, endsStream: false)
            + Frames.data(7, "GET / HTTP/1.1\r\n\r\n")
            + Frames.windowUpdate(0, 100) + Frames.windowUpdate(7, 100)
            + Frames.frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]) + Frames.reset(7)
            + Frames.headers(9, post, endsStream: false, endsBlock: false)
            + Frames.frame(9, 4, 9, Frames.block(cookies)) + Frames.frame(0, 9, 9, [1, 97, 0])
            + Frames.frame(7, 0, 0, [UInt8](repeating: 0, count: 8))
    }()

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func `damaged octets make no request that is not one`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let pair = HTTP2Pair()
            pair.step = [1, 10, .max].randomElement(using: &random) ?? 1
            pair.feed(Self.damaged(&random))
            for id in pair.opened {
                checkRequest(pair.requests[id] ?? [], isEnded: pair.ended.contains(id))
                if Bool.random(using: &random) { pair.write(id, "HTTP/1.1 200 OK\r\n\r\nhi") }
                pair.server.forget(id)
            }
            _ = pair.output()
            #expect(pair.server.openStreams <= 5)
        }
    }

    private static func damaged(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes = good
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 24..<bytes.count, using: &random)
            let byte = UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = byte
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(byte, at: place)
            default:
                bytes.insert(contentsOf: bytes[place..<min(place + 60, bytes.count)], at: place)
            }
        }
        return bytes
    }

    /// Whatever is read is one request, whole as far as it goes, or one that is refused.
    private func checkRequest(_ bytes: [UInt8], isEnded: Bool) {
        let parsed = Parsed(bytes)
        #expect(parsed.result != .incomplete)
        guard parsed.result == .complete else { return }
        let got = decoded(bytes[parsed.headLength...], parsed.body)
        #expect(got?.rest == "")
        #expect(got?.ended == true || !isEnded)
    }
}
