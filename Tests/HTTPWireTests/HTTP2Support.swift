internal import Testing

@testable internal import HTTPWire

/// A connection with its client and a user that reads all that comes.
final class HTTP2Pair {
    let server: HTTP2Connection
    let client: HTTP2Client
    /// What was read of each stream's virtual connection.
    var requests: [Int32: [UInt8]] = [:]
    var ended: Set<Int32> = []
    var resets: Set<Int32> = []
    var opened: [Int32] = []
    var writable: [Int32] = []
    var progress = HTTP2Progress.ok
    var now: Int64 = 1_000_000_000
    /// Bytes that pass from one side to the other at once.
    var step = Int.max
    /// The most that one read takes.
    var room = 4096
    /// Streams are read as soon as there is something.
    var reads = true
    /// Streams that are opened are answered at once with this.
    var answer: String?

    init(
        _ settings: HTTP2Settings = HTTP2Settings(), checks: Bool = true, window: UInt32 = 65_535,
        memory: HTTP2Memory = HTTP2Memory()
    ) {
        server = HTTP2Connection(settings, memory: memory)
        client = HTTP2Client(checks: checks, window: window)
    }

    /// Bytes pass both ways until both are silent; false: a side broke the protocol.
    @discardableResult
    func run() -> Bool {
        for _ in 0..<10_000 {
            let up = client.output()
            feed(up)
            let down = output()
            if up.isEmpty, down.isEmpty { return true }
            if !client.receive(down) { return false }
        }
        return false
    }

    /// The server receives, in steps, and its user acts.
    func feed(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let end = start + min(step, bytes.count - start)
            let result = server.receive(bytes.span.extracting(start..<end), now: now)
            if result != .ok { progress = result }
            start = end
            takeEvents()
        }
    }

    /// All that the server has to send.
    func output() -> [UInt8] {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: min(step, 16_384))
        while true {
            let count = unsafe room.withUnsafeMutableBytes { unsafe server.send(into: $0) }
            takeEvents()
            if count == 0 { return bytes }
            bytes += room[..<count]
        }
    }

    func takeEvents() {
        while let event = server.nextEvent() {
            switch event {
            case .opened(let id):
                opened.append(id)
                requests[id] = []
                if reads { read(id) }
                if let answer {
                    write(id, answer)
                    server.forget(id)
                }
            case .readable(let id):
                if reads { read(id) }
            case .writable(let id): writable.append(id)
            case .reset(let id): resets.insert(id)
            }
        }
    }

    /// Reads what there is; returns the result of the last read.
    @discardableResult
    func read(_ id: Int32, atMost limit: Int = .max) -> HTTP2Read {
        var memory = [UInt8](repeating: 0, count: room)
        var left = limit
        while true {
            let result = unsafe memory.withUnsafeMutableBytes { bytes in
                unsafe server.read(
                    id, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(room, left)]))
            }
            guard case .moved(let count) = result else {
                if result == .end { ended.insert(id) }
                return result
            }
            requests[id, default: []] += memory[..<count]
            left -= count
            if left == 0 { return result }
        }
    }

    /// Writes; returns the bytes taken.
    @discardableResult
    func write(_ id: Int32, _ text: String) -> Int { write(id, Array(text.utf8)) }

    @discardableResult
    func write(_ id: Int32, _ bytes: [UInt8]) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe server.write(id, $0) }
    }

    /// The virtual request of a stream as text.
    func request(_ id: Int32) -> String {
        String(decoding: requests[id] ?? [], as: UTF8.self)
    }

    /// What came back.
    func answer(_ id: Int32) -> HTTP2Client.Answer { client.answers[id] ?? .init() }
}

extension HTTP2Pair {
    /// Sends one request and gives what the user reads of it.
    static func translated(
        _ fields: [(String, String)], body: [UInt8]? = nil, trailers: [(String, String)] = []
    ) -> String? {
        let pair = HTTP2Pair(checks: false)
        let id = pair.client.request(fields, body: body, trailers: trailers)
        #expect(pair.run())
        return pair.opened.contains(id) && !pair.resets.contains(id) ? pair.request(id) : nil
    }

    /// The code that one request is reset with; nil: it is not.
    static func refusal(
        _ fields: [(String, String)], body: [UInt8]? = nil, trailers: [(String, String)] = []
    ) -> UInt32? {
        let pair = HTTP2Pair(checks: false)
        let id = pair.client.request(fields, body: body, trailers: trailers)
        #expect(pair.run())
        #expect(pair.progress == .ok)
        return pair.answer(id).resetCode
    }
}
